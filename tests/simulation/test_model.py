"""The model around the rooms does what docs/simulation.md says of it."""

from __future__ import annotations

from typing import get_args

import pytest

from operator_node.duties.types import RecoveryRequest
from operator_node.session.types import Effect
from operator_node.testing.choices import Choices
from operator_node.testing.clock import Timeline
from operator_node.testing.drawing import draw_plan
from operator_node.testing.faults import (
    BeaconTrouble,
    Links,
    Muffle,
    Partition,
    Plan,
    slot_start_ms,
)
from operator_node.testing.liveness import HARMLESS_CLOCK_MS
from operator_node.testing.moving import moved_plan
from operator_node.testing.network import HEARTBEAT_MS, OFFERS, Network, Packet
from operator_node.testing.node import CARRIED_OUT
from operator_node.testing.process import Process
from operator_node.testing.standin import RealSignatures, Signatures, StandIns
from operator_node.testing.world import OperatorsView, World
from operator_node.wire.codec import encode_consensus
from operator_node.wire.ids import MessageId
from operator_node.wire.messages import ConsensusKind, ConsensusMessage, Envelope, EnvelopeKind
from sdk.types import OperatorId
from tests.simulation.seeds import SIZES
from tests.simulation.textbook import OPERATORS

ONE, TWO, THREE, FOUR = OPERATORS
ROOT = b"r" * 32
NEVER_CALM = 10**9
MESSAGE_ID = MessageId(bytes(56))


def test_an_operator_carries_out_every_effect() -> None:
    assert set(CARRIED_OUT) == set(get_args(Effect))


# --- signatures ----------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [(), (2,), (1, 2), (1, 2, 3, 4)])
@pytest.mark.parametrize("present", [(1, 2, 3), (1, 2, 3, 4), (4, 2, 1, 3)])
def test_stand_ins_recover_exactly_when_real_signatures_do(
    present: tuple[int, ...], bad: tuple[int, ...]
) -> None:
    def outcome(signatures: Signatures) -> tuple[bool, frozenset[OperatorId]]:
        key, shares = signatures.deal(100, OPERATORS, 0)
        partials = {
            OperatorId(each): signatures.sign_root(
                shares[OperatorId(each)], b"x" * 32 if each in bad else ROOT
            )
            for each in present
        }
        keys = {each: shares[each] for each in partials}
        (recovered,) = signatures.recover([RecoveryRequest(100, key, ROOT, partials, keys, 3)])
        signature = recovered.signature
        if signature is not None:
            assert signatures.validator_signed(key, ROOT, signature)
        return signature is not None, recovered.culprits

    assert outcome(StandIns()) == outcome(RealSignatures())


@pytest.mark.parametrize("signatures", [StandIns(), RealSignatures()])
def test_a_signature_is_one_operators_and_one_messages(signatures: Signatures) -> None:
    signature = signatures.sign_message(ONE, b"a")
    assert len(signature) == 256
    assert signatures.holds(ONE, b"a", signature)
    assert not signatures.holds(TWO, b"a", signature)
    assert not signatures.holds(ONE, b"b", signature)


def test_dealings_share_the_validators_key_and_no_share_key() -> None:
    first_key, first = StandIns().deal(100, OPERATORS, 0)
    second_key, second = StandIns().deal(100, OPERATORS, 1)
    assert first_key == second_key
    assert not set(first.values()) & set(second.values())


# --- network -------------------------------------------------------------------------------


class Inbox:
    """A network of four whose second operator counts what it gets."""

    def __init__(
        self,
        links: Links,
        partitions: tuple[Partition, ...] = (),
        muffles: tuple[Muffle, ...] = (),
    ) -> None:
        self.timeline = Timeline()
        self.network = Network(
            self.timeline,
            Choices(1).of("packets"),
            links=links,
            partitions=partitions,
            muffles=muffles,
            calm_ms=NEVER_CALM,
        )
        self.got: list[tuple[int, bool]] = []
        for operator in OPERATORS:
            self.network.join(operator, self.deliver if operator == TWO else lambda *_: None)

    def deliver(self, packet: Packet, had_before: bool) -> None:
        self.got.append((self.timeline.now_ms, had_before))

    def run(self, until_ms: int = 60_000) -> None:
        self.timeline.run(until_ms, most_events=1_000)


def packet(kind: ConsensusKind = ConsensusKind.PREPARE) -> Packet:
    body = encode_consensus(ConsensusMessage(kind, 1, 1, MESSAGE_ID, ROOT))
    envelope = Envelope(EnvelopeKind.CONSENSUS, MESSAGE_ID, body)
    return Packet(body, "topic", ONE, envelope)


def test_a_packet_arrives_within_the_bounds_of_the_link() -> None:
    inbox = Inbox(Links(fastest_ms=10, slowest_ms=20))
    inbox.network.publish(packet())
    inbox.run()
    assert [10 <= at <= 20 and not had for at, had in inbox.got] == [True]


def test_a_lost_packet_comes_with_the_next_heartbeat() -> None:
    inbox = Inbox(Links(fastest_ms=10, slowest_ms=10, loss=1.0))
    inbox.network.publish(packet())
    inbox.run()
    assert inbox.got == [(HEARTBEAT_MS + 10, False)]


def test_what_gossip_gives_up_is_lost_and_noted() -> None:
    inbox = Inbox(Links(loss=1.0, unrecovered=1.0))
    inbox.network.publish(packet(), (TWO,))
    inbox.run()
    assert inbox.got == []
    assert [receiver for _, receiver in inbox.network.lost] == [TWO]


@pytest.mark.parametrize(("lasts_ms", "arrives"), [(1_000, True), (20_000, False)])
def test_a_partition_outlives_the_senders_cache_or_not(lasts_ms: int, arrives: bool) -> None:
    cut = Partition(frozenset({TWO}), 0, lasts_ms)
    inbox = Inbox(Links(fastest_ms=10, slowest_ms=10), (cut,))
    inbox.network.publish(packet())
    inbox.run()
    assert bool(inbox.got) is arrives
    assert lasts_ms > OFFERS * HEARTBEAT_MS or arrives


def test_an_operator_that_is_down_misses_packets_in_the_same_way() -> None:
    inbox = Inbox(Links(fastest_ms=10, slowest_ms=10))
    inbox.network.set_down(TWO, down=True)
    inbox.network.publish(packet())
    inbox.timeline.at(1_000, lambda: inbox.network.set_down(TWO, down=False))
    inbox.run()
    assert inbox.got == [(2 * HEARTBEAT_MS + 10, False)]


def test_a_packet_that_was_had_comes_again_only_as_a_duplicate() -> None:
    inbox = Inbox(Links(duplicates=1.0))
    inbox.network.publish(packet())
    inbox.network.publish(packet())
    inbox.run()
    assert [had for _, had in inbox.got] == [False, True, True]


@pytest.mark.parametrize(
    ("kind", "held"), [(ConsensusKind.COMMIT, True), (ConsensusKind.PREPARE, False)]
)
def test_a_muffled_operators_commits_are_held_back_and_nothing_else(
    kind: ConsensusKind, held: bool
) -> None:
    inbox = Inbox(Links(fastest_ms=1, slowest_ms=1), (), (Muffle(ONE, 0, 5_000),))
    inbox.network.publish(packet(kind))
    inbox.run()
    assert inbox.got == [(5_001 if held else 1, False)]


# --- processes -----------------------------------------------------------------------------


@pytest.mark.parametrize(("keeps_state", "happened"), [(True, [500]), (False, [])])
def test_events_of_a_stopped_process_wait_or_are_gone(
    keeps_state: bool, happened: list[int]
) -> None:
    timeline = Timeline()
    process, seen = Process(timeline), list[int]()
    process.at(100, lambda: seen.append(timeline.now_ms))
    timeline.at(50, lambda: process.stop(keeps_state=keeps_state))
    timeline.at(500, process.resume)
    timeline.run(1_000, most_events=100)
    assert seen == happened
    assert process.runs


# --- plans ---------------------------------------------------------------------------------

PLANS = [draw_plan(Choices(seed), size) for size in SIZES for seed in range(120)]


def faulty(plan: Plan) -> set[OperatorId]:
    """Operators that are themselves faulty; the network, pauses and beacon outages are not."""
    return (
        {liar.operator for liar in plan.liars}
        | {crash.operator for crash in plan.crashes if not crash.keeps_state}
        | {each.operator for each in plan.beacon_faults if each.trouble is BeaconTrouble.LYING}
        | {who for who, error in plan.clock_errors_ms if abs(error) > HARMLESS_CLOCK_MS}
    )


def test_every_plan_has_duties_over_at_least_four_slots() -> None:
    assert min(plan.slots for plan in PLANS) >= 4
    assert min(len(plan.duties) for plan in PLANS) >= 3


def test_liars_are_never_more_than_f() -> None:
    assert all(len(plan.liars) <= (plan.size - 1) // 3 for plan in PLANS)


def test_faulty_operators_are_at_most_f_unless_the_plan_says_so() -> None:
    most = [
        (plan, len(faulty(plan) & set(cluster.operators)))
        for plan in PLANS
        if not plan.beyond_f
        for cluster in plan.clusters
    ]
    assert [plan.seed for plan, count in most if count > (plan.size - 1) // 3] == []


def test_plans_beyond_f_are_among_them() -> None:
    assert any(len(faulty(plan)) > (plan.size - 1) // 3 for plan in PLANS if plan.beyond_f)


def test_every_story_is_drawn() -> None:
    assert {plan.story for plan in PLANS} == {
        *(
            "ordinary",
            "calm",
            "sneak",
            "contested",
            "blind",
            "beyond f",
            "amnesia",
            "false chain",
            "moved",
        )
    }


def test_a_plan_describes_itself_in_lines() -> None:
    assert all(any(line.startswith("story: ") for line in plan.describe()) for plan in PLANS)


def test_concerns_draw_from_streams_of_their_own() -> None:
    choices = Choices(5)
    alone = choices.of("network").random()
    choices.of("something new").random()
    assert choices.of("network").random() == alone
    assert choices.of("something new").random() != alone


@pytest.mark.parametrize("seed", range(20))
def test_no_operator_holds_both_shares_of_a_moved_validator_at_once(seed: int) -> None:
    plan = moved_plan(Choices(seed), 4)
    world = World(plan, StandIns())
    old, new = world.clusters
    timeline = Timeline(slot_start_ms(plan.first_slot))
    views = [OperatorsView(world, each, lambda: timeline.now_ms) for each in world.operators]
    assert {(view.holds(old), view.holds(new)) for view in views} == {(True, False)}
    held = set()
    for slot in range(plan.first_slot, plan.first_slot + plan.slots):
        timeline.run(slot_start_ms(slot), most_events=0)
        held |= {(view.holds(old), view.holds(new)) for view in views}
    assert held == {(True, False), (False, True)}
