"""What an engine refuses to begin, remembers, listens to and forgets."""

from __future__ import annotations

from dataclasses import replace

import pytest
import trio
from msgspec.structs import replace as changed

from operator_node.duties import Reason
from operator_node.engine import engine as engine_module
from operator_node.engine.desk import KEPT_SLOTS
from operator_node.engine.own import FORK_SLOTS, RECIPIENT_EPOCHS
from operator_node.engine.types import Message
from operator_node.qbft import leader_boole
from operator_node.scheduler.types import DutyDue
from operator_node.session.validator import SESSIONS_KEPT
from operator_node.testing.world import CHAIN
from operator_node.validation import Accept, Ignore, Reject
from operator_node.wire.codec import encode_signed
from operator_node.wire.committee import Committee
from operator_node.wire.generations import Generation
from operator_node.wire.ids import BeaconRole, RunnerRole
from sdk.errors import InvariantBroken, PeerError
from sdk.types import Address, OperatorId, Slot
from tests.unit.operator_node.engine.cluster import Case, Node, begin, due, part, play, votes
from tests.unit.operator_node.engine.surroundings import (
    BOOLE_EPOCH,
    COMMITTEE,
    DEALT,
    IDS,
    NETWORK,
    SLOT_MS,
    SLOTS,
    VALIDATORS,
)

SLOT = SLOTS[Generation.BOOLE]
FOLLOWER = leader_boole(COMMITTEE, SLOT, 4)
BLOCK = due(RunnerRole.PROPOSER, SLOT, [part(BeaconRole.PROPOSER, SLOT)])


def refused(duty: DutyDue, node: Node) -> Reason | None:
    node.engine.begin(duty)
    return node.record().reason


def test_a_duty_begins_once() -> None:
    async def case(it: Case) -> None:
        nodes = await it.nodes()
        await begin(votes(SLOT), nodes)
        await begin(votes(SLOT), nodes)
        await it.until(votes(SLOT))
        await begin(votes(SLOT), nodes)
        assert all(node.record().reason is Reason.DONE for node in nodes)
        assert all(sum(node.counts.outcomes.values()) == 1 for node in nodes)

    play(case, slot=SLOT)


def test_a_duty_after_its_deadline_is_a_late_start() -> None:
    async def case(it: Case) -> None:
        (node,) = await it.nodes(IDS[:1])
        await it.until(BLOCK)
        assert refused(BLOCK, node) is Reason.LATE_START
        assert not it.hub.sent

    play(case, slot=SLOT)


def test_an_older_proposal_than_the_last_is_a_late_start() -> None:
    async def case(it: Case) -> None:
        nodes = await it.nodes()
        await begin(BLOCK, nodes)
        await it.until(BLOCK, 3_000)
        older = due(
            RunnerRole.PROPOSER,
            Slot(SLOT - 1),
            [part(BeaconRole.PROPOSER, Slot(SLOT - 1))],
            life_slots=9,
        )
        node = nodes[0]
        node.engine.begin(older)
        await trio.testing.wait_all_tasks_blocked()
        assert [each.reason for each in node.history_of()] == [Reason.DONE, Reason.LATE_START]

    play(case, slot=SLOT)


@pytest.mark.parametrize(
    ("active", "members", "reason"),
    [
        (True, (5, 6, 7, 8), Reason.SHARE_MISSING),
        (False, IDS, Reason.VALIDATOR_NOT_ACTIVE),
    ],
)
def test_a_duty_without_a_share_to_sign_with_says_why(
    active: bool, members: tuple[int, ...], reason: Reason
) -> None:
    async def case(it: Case) -> None:
        (node,) = await it.nodes(IDS[:1])
        node.registry.assignments = {
            key: replace(each, active=active) for key, each in node.registry.assignments.items()
        }
        node.engine.refresh()
        assert refused(replace(BLOCK, committee=Committee.of(members)), node) is reason
        assert node.engine.topics() == (node.engine.topics() if active else frozenset())

    play(case, slot=SLOT)


def test_a_duty_that_does_not_fit_its_role_is_a_fault_of_this_software() -> None:
    async def case(it: Case) -> None:
        (node,) = await it.nodes(IDS[:1])
        duty = due(RunnerRole.COMMITTEE, SLOT, [part(BeaconRole.PROPOSER, SLOT)])
        assert refused(duty, node) is Reason.INTERNAL

    play(case, slot=SLOT)


def test_a_beacon_pool_that_fails_costs_the_scheduler_nothing() -> None:
    async def case(it: Case) -> None:
        (node,) = await it.nodes(IDS[:1])
        node.beacon.nodes = None  # type: ignore[assignment]
        node.engine.begin(BLOCK)
        assert node.counts.failures == 1
        assert not node.engine.running()

    play(case, slot=SLOT)


def test_duties_above_the_bound_are_overload(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "DUTIES_RUNNING", 1)

    async def case(it: Case) -> None:
        (node,) = await it.nodes(IDS[:1])
        node.engine.begin(votes(SLOT))
        await trio.testing.wait_all_tasks_blocked()
        assert [each.id for each in node.engine.running()] == [f"COMMITTEE-1_2_3_4-e25-s{SLOT}"]
        assert refused(BLOCK, node) is Reason.OVERLOAD

    play(case, slot=SLOT)


def test_an_engine_that_does_not_run_begins_nothing() -> None:
    async def case(it: Case) -> None:
        node = Node(IDS[0], it.hub, it.clock)
        with pytest.raises(InvariantBroken, match="before the engine runs"):
            node.engine.begin(BLOCK)

    play(case, slot=SLOT)


def test_messages_above_the_bound_are_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "MESSAGES_QUEUED", 2)

    async def case(it: Case) -> None:
        nodes = await it.nodes()
        await begin(votes(SLOT), nodes)
        await it.until(votes(SLOT))
        message = heard_by(it)
        idle = Node(IDS[0], it.hub, it.clock)
        for _ in range(3):
            idle.engine.receive(message, 0)
        assert idle.counts.dropped == 1

    play(case, slot=SLOT)


def heard_by(it: Case) -> Message:
    return next(each.message for each in it.hub.verdicts if isinstance(each, Accept))


def test_only_messages_of_own_committees_and_validators_reach_the_engine() -> None:
    async def case(it: Case) -> None:
        nodes = await it.nodes()
        await begin(votes(SLOT), nodes)
        await it.until(votes(SLOT), 1_000)
        stranger = Node(IDS[0], it.hub, it.clock)
        stranger.registry.assignments = {}
        stranger.engine.refresh()
        sent = it.hub.sent[0]
        data = encode_signed(sent.message)
        assert isinstance(stranger.intake.judge(data, sent.topic, "peer"), Accept)
        assert stranger.intake.accepted == 1
        assert not stranger.engine.concerns(sent.message.message.id)
        assert stranger.engine.topics() == frozenset()
        (validator,) = {DEALT[VALIDATORS[0]][0]}
        block_id = NETWORK.domain(Generation.BOOLE) + (2).to_bytes(4, "little") + validator
        assert not stranger.engine.concerns(block_id)
        assert nodes[0].engine.concerns(block_id)

    play(case, slot=SLOT)


def test_forged_messages_are_blamed_on_the_peer_and_counted_by_rule() -> None:
    async def case(it: Case) -> None:
        nodes = await it.nodes()
        await begin(votes(SLOT), nodes)
        await it.until(votes(SLOT), 1_000)
        sent = it.hub.sent[0]
        forged = encode_signed(changed(sent.message, signatures=(bytes(256),)))
        listener = Node(IDS[0], it.hub, it.clock)
        intake = listener.intake
        assert isinstance(intake.judge(forged, sent.topic, "peer"), Reject)
        assert isinstance(intake.judge(forged, "ssv.v2.9", "peer"), Ignore)
        words = {(rule.name, is_blamed): n for (rule, is_blamed), n in intake.refused.items()}
        assert words == {("CONSENSUS_SIGNATURE", True): 1, ("WRONG_TOPIC", False): 1}
        assert intake.accepted == 0

    play(case, slot=SLOT)


@pytest.mark.parametrize(
    ("slot", "generations"),
    [
        (-FORK_SLOTS - 1, [Generation.ALAN]),
        (-FORK_SLOTS, [*Generation]),
        (0, [*Generation]),
        (FORK_SLOTS - 1, [*Generation]),
        (FORK_SLOTS, [Generation.BOOLE]),
    ],
)
def test_both_topics_are_listened_to_around_a_fork(
    slot: int, generations: list[Generation]
) -> None:
    at = BOOLE_EPOCH * CHAIN.slots_per_epoch + slot

    async def case(it: Case) -> None:
        (node,) = await it.nodes(IDS[:1])
        known = node.registry.known
        expected = {NETWORK.topic(each, known.subnet(each)) for each in generations}
        assert node.engine.topics() == expected

    play(case, slot=at, into_slot_ms=1)


def test_a_fee_recipient_stays_acceptable_for_two_epochs() -> None:
    async def case(it: Case) -> None:
        (node,) = await it.nodes(IDS[:1])
        key, before = next(iter(node.registry.assignments.items()))
        now = Address(bytes(19) + b"\1")
        node.registry.assignments = {key: replace(before, fee_recipient=now)}
        node.engine.refresh()
        own = node.desk._own
        assert own.recipients(key) == {before.fee_recipient, now}
        await it.clock.sleep_until(
            it.clock.now_ms() + RECIPIENT_EPOCHS * CHAIN.slots_per_epoch * SLOT_MS
        )
        node.engine.refresh()
        assert own.recipients(key) == {now}

    play(case, slot=SLOT)


def test_what_is_long_over_is_forgotten_and_late_arrivals_are_written_down() -> None:
    async def case(it: Case) -> None:
        punctual = [each for each in IDS if each != FOLLOWER]
        nodes = await it.nodes(punctual)
        await begin(votes(SLOT), nodes)
        await it.until(votes(SLOT), 2_000)
        told = nodes[0].record()
        assert {each.operator for each in told.heard} == {*punctual} - {nodes[0].me}
        late = await it.node(FOLLOWER)
        await begin(votes(SLOT), [late])
        await it.until(votes(SLOT))
        assert [len(node.desk) for node in nodes] == [1, 1, 1]
        await it.clock.sleep_until(it.clock.start_ms(SLOT + KEPT_SLOTS + 2))
        assert [len(node.desk) for node in (late, *nodes)] == [0, 0, 0, 0]
        assert sum(node.desk.waiting for node in (late, *nodes)) == 0
        record = nodes[0].record()
        assert replace(record, heard=()) == replace(told, heard=())
        assert {each.operator for each in record.heard} == {*IDS} - {nodes[0].me}

    play(case, slot=SLOT)


def test_a_duty_that_makes_room_for_newer_ones_is_told() -> None:
    async def case(it: Case) -> None:
        node = (await it.nodes())[0]
        slots = [Slot(SLOT + each) for each in range(SESSIONS_KEPT + 1)]
        for slot in slots:
            parts = [part(BeaconRole.PROPOSER, slot)]
            node.engine.begin(due(RunnerRole.PROPOSER, slot, parts, life_slots=9))
            await trio.testing.wait_all_tasks_blocked()
        (ended,) = node.history_of()
        assert (ended.slot, ended.reason) == (SLOT, Reason.PRE_QUORUM_MISSING)
        assert [each.slot for each in node.engine.running()] == slots[1:]

    play(case, slot=SLOT)


def test_a_validator_that_left_is_forgotten() -> None:
    async def case(it: Case) -> None:
        nodes = await it.nodes()
        await begin(BLOCK, nodes)
        await it.until(BLOCK)
        node = nodes[0]
        assert len(node.desk._of_validators) == 1
        node.registry.assignments = {}
        await it.clock.sleep_until(it.clock.start_ms(SLOT + 4))
        assert node.desk._of_validators == {}
        assert node.engine.topics() == frozenset()

    play(case, slot=SLOT)


def test_a_message_that_finds_no_peer_is_counted_and_the_next_one_goes_out() -> None:
    async def case(it: Case) -> None:
        nodes = await it.nodes(IDS[:1])
        transport = Deaf()
        nodes[0].engine._outbox._transport = transport
        nodes[0].engine.begin(
            due(RunnerRole.VOLUNTARY_EXIT, SLOT, [part(BeaconRole.VOLUNTARY_EXIT, SLOT)])
        )
        nodes[0].engine.begin(due(RunnerRole.PROPOSER, SLOT, [part(BeaconRole.PROPOSER, SLOT)]))
        await trio.testing.wait_all_tasks_blocked()
        assert transport.tries == nodes[0].counts.unsent == 2
        assert nodes[0].counts.failures == 0

    play(case, slot=SLOT)


class Deaf:
    tries = 0

    async def publish(self, topic: str, data: bytes, /) -> None:
        self.tries += 1
        await trio.lowlevel.checkpoint()
        raise PeerError("nobody is on the topic")

    async def send_to(self, operator: OperatorId, topic: str, data: bytes, /) -> bool:
        await trio.lowlevel.checkpoint()
        return False

    def operators_connected(self) -> frozenset[OperatorId]:
        return frozenset()


def test_a_task_that_fails_begins_again(caplog: pytest.LogCaptureFixture) -> None:
    async def case(it: Case) -> None:
        (node,) = await it.nodes(IDS[:1])
        flush, times = node.history.flush, iter(range(9))

        def fail_once() -> None:
            if next(times) == 0:
                raise ZeroDivisionError("planted")
            flush()

        node.history.flush = fail_once  # type: ignore[method-assign]
        node.engine.begin(replace(BLOCK, deadline_ms=0))
        await it.clock.sleep_until(it.clock.now_ms() + 9_000)
        assert node.counts.failures == 1
        assert node.history.is_written

    play(case, slot=SLOT)
    assert "begins again" in caplog.text
