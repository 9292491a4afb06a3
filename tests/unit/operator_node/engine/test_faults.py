"""Engines among dead operators, silent beacon nodes, liars and refusals."""

from __future__ import annotations

import trio
import trio.testing
from msgspec.structs import replace as changed

from operator_node.duties import Reason
from operator_node.duties.types import AggregateQuery, Step
from operator_node.engine import Ending
from operator_node.wire.codec import decode_consensus, decode_partials
from operator_node.wire.faults import Fault
from operator_node.wire.generations import Generation
from operator_node.wire.ids import BeaconRole, RunnerRole
from operator_node.wire.messages import ConsensusKind, EnvelopeKind, PartialKind, ReceivedPartials
from sdk.types import OperatorId
from tests.unit.operator_node.engine.cluster import (
    Case,
    begin,
    due,
    part,
    play,
    votes,
)
from tests.unit.operator_node.engine.leading import (
    LEADERS,
    SLOT,
)
from tests.unit.operator_node.engine.surroundings import IDS

FOLLOWER = LEADERS[3]


def without(*gone: OperatorId) -> list[OperatorId]:
    return [each for each in IDS if each not in gone]


def test_three_of_four_do_the_duty_and_say_who_was_not_heard() -> None:
    async def case(it: Case) -> None:
        nodes = await it.nodes(without(FOLLOWER))
        await begin(votes(SLOT), nodes)
        await it.until(votes(SLOT))
        for node in nodes:
            record = node.record()
            assert (record.reason, record.round, record.leader) == (Reason.DONE, 1, LEADERS[0])
            assert {each.operator for each in record.heard} == set(without(FOLLOWER, node.me))

    play(case, slot=SLOT)


def test_a_dead_leader_costs_one_round() -> None:
    async def case(it: Case) -> None:
        nodes = await it.nodes(without(LEADERS[0]))
        await begin(votes(SLOT), nodes)
        await it.until(votes(SLOT))
        for node in nodes:
            record = node.record()
            assert (record.reason, record.round, record.leader) == (Reason.DONE, 2, LEADERS[1])
            # Round 1 of a committee ends 2 s after a third of the slot, whenever it began.
            assert 6_000 <= dict(record.steps)[Step.DECIDED] < 6_500

    play(case, slot=SLOT)


def test_aggregates_are_asked_for_again_when_a_later_round_may_have_more() -> None:
    duty = due(
        RunnerRole.AGGREGATOR_COMMITTEE,
        SLOT,
        [part(BeaconRole.AGGREGATOR, SLOT)],
        data_at_ms=8_000,
    )

    async def case(it: Case) -> None:
        nodes = await it.nodes(without(LEADERS[0]))
        await begin(duty, nodes)
        await it.until(duty)
        for node in nodes:
            assert (node.record().reason, node.record().round) == (Reason.DONE, 2)
            times = [at_ms - node.clock.start_ms(SLOT) for at_ms, _ in node.beacon.asked]
            # When it was due, and when round 1 was over.
            assert [at_ms // 100 for at_ms in times] == [80, 100]

    play(case, slot=SLOT)


def test_own_votes_of_the_slot_are_worth_another_aggregate() -> None:
    duty = due(
        RunnerRole.AGGREGATOR_COMMITTEE,
        SLOT,
        [part(BeaconRole.AGGREGATOR, SLOT)],
        data_at_ms=100,
    )

    async def case(it: Case) -> None:
        nodes = await it.nodes(without(LEADERS[0]))
        await begin(duty, nodes)
        await it.until(duty, 1_000)
        before = [len(node.beacon.asked) for node in nodes]
        await begin(votes(SLOT), nodes)
        await it.until(votes(SLOT))
        for node, count in zip(nodes, before, strict=True):
            asked = [query for _, query in node.beacon.asked[count:]]
            assert sum(isinstance(query, AggregateQuery) for query in asked) >= 1

    play(case, slot=SLOT)


def test_a_dead_leader_of_a_proposal_costs_two_seconds_from_its_begin() -> None:
    duty = due(RunnerRole.PROPOSER, SLOT, [part(BeaconRole.PROPOSER, SLOT)])

    async def case(it: Case) -> None:
        nodes = await it.nodes(without(LEADERS[0]))
        await begin(duty, nodes)
        await it.until(duty)
        for node in nodes:
            record = node.record()
            assert (record.reason, record.round) == (Reason.DONE, 2)
            times = dict(record.steps)
            assert 2_000 <= times[Step.DECIDED] - times[Step.PRE_QUORUM] < 2_200

    play(case, slot=SLOT)


def test_two_of_four_decide_nothing_and_the_record_names_the_others() -> None:
    async def case(it: Case) -> None:
        nodes = await it.nodes(LEADERS[:2])
        await it.nodes(LEADERS[2:])
        await begin(votes(SLOT), nodes)
        await it.until(votes(SLOT))
        for node in nodes:
            record = node.record()
            assert (record.reason, record.outcome) == (Reason.PREPARE_QUORUM_MISSING, Ending.MISSED)
            assert record.detail["operators"] == sorted(LEADERS[2:])
            assert not node.beacon.submitted

    play(case, slot=SLOT)


def test_two_of_four_alone_know_that_the_others_are_not_connected() -> None:
    async def case(it: Case) -> None:
        nodes = await it.nodes(LEADERS[:2])
        await begin(votes(SLOT), nodes)
        await it.until(votes(SLOT))
        for node in nodes:
            record = node.record()
            assert record.reason is Reason.PEERS_MISSING
            assert record.detail == {
                "operators": sorted(LEADERS[2:]),
                "led_to": "prepare_quorum_missing",
            }

    play(case, slot=SLOT)


def test_a_node_that_restarts_keeps_silent_where_it_may_have_voted() -> None:
    duty = votes(SLOT)

    async def case(it: Case) -> None:
        restarted = LEADERS[1]
        nodes = await it.nodes(without(FOLLOWER))
        await begin(duty, [each for each in nodes if each.me != LEADERS[0]])
        await it.until(duty, 500)
        # Nothing was proposed yet. The process dies and is back at once, without its state.
        (old,) = (each for each in nodes if each.me == restarted)
        old.stop()
        await trio.testing.wait_all_tasks_blocked()
        said_before = len(it.hub.sent)
        new = await it.node(restarted, signer=old.signer, history=old.history)
        others = [each for each in nodes if each is not old]
        await begin(duty, [each for each in others if each.me == LEADERS[0]])
        await begin(duty, [new])
        await it.until(duty)
        said = [
            decode_consensus(each.message.message.data)
            for each in it.hub.sent[said_before:]
            if each.sender == restarted and each.message.message.kind == EnvelopeKind.CONSENSUS
        ]
        # By the clock it was round 1: it may have voted for rounds 1 and 2.
        assert said
        assert min(each.round for each in said) == 3
        for node in (*others, new):
            assert node.record().reason is Reason.DONE
            assert node.record().round >= 3

    play(case, slot=SLOT)


def test_a_late_operator_is_given_the_decision_directly() -> None:
    duty = votes(SLOT)

    async def case(it: Case) -> None:
        nodes = await it.nodes(without(FOLLOWER))
        await begin(duty, nodes)
        await it.until(duty, 1_000)
        late = await it.node(FOLLOWER)
        await begin(duty, [late])
        await it.until(duty)
        record = late.record()
        assert Step.DECIDED in dict(record.steps)
        # The others' partial signatures were gone before it was there.
        assert record.reason is Reason.POST_QUORUM_MISSING
        answers = [each for each in it.hub.sent if len(each.message.signers) > 1]
        assert any(each.sender != FOLLOWER for each in answers)
        assert all(
            decode_consensus(each.message.message.data).kind == ConsensusKind.COMMIT
            for each in answers
        )

    play(case, slot=SLOT)


def test_without_a_beacon_node_the_others_carry_the_duty() -> None:
    async def case(it: Case) -> None:
        nodes = await it.nodes()
        blind = next(each for each in nodes if each.me == FOLLOWER)
        blind.beacon.is_there = False
        await begin(votes(SLOT), nodes)
        await it.until(votes(SLOT))
        assert blind.record().reason is Reason.DONE
        assert len(blind.beacon.asked) > 0

    play(case, slot=SLOT)


def test_a_question_is_asked_again_until_it_is_answered() -> None:
    duty = votes(SLOT)

    async def case(it: Case) -> None:
        nodes = await it.nodes()
        for node in nodes:
            node.beacon.is_there = False
        await begin(duty, nodes)
        await it.until(duty, 1_000)
        for node in nodes:
            node.beacon.is_there = True
            node.engine.look_again()
        await it.until(duty, 1_500)
        # The head event woke them before the next question was due.
        assert [node.record().reason for node in nodes] == [Reason.DONE] * 4
        await it.until(duty)

    play(case, slot=SLOT)


def test_a_liar_is_named_and_distrusted() -> None:
    async def case(it: Case) -> None:
        nodes = await it.nodes(without(FOLLOWER))
        liar = next(each for each in nodes if each.me == LEADERS[1])
        liar.signer.lies = True
        await begin(votes(SLOT), nodes)
        await it.until(votes(SLOT))
        for node in nodes:
            record = node.record()
            assert record.reason is Reason.BAD_PARTIAL
            assert record.detail == {"operators": [liar.me]}
            assert node.errands.distrust.at(SLOT) == {liar.me}
            assert node.counts.culprits == {liar.me: 1}

    play(case, slot=SLOT)


def test_who_signs_what_no_duty_has_is_blamed() -> None:
    duty = due(RunnerRole.VOLUNTARY_EXIT, SLOT, [part(BeaconRole.VOLUNTARY_EXIT, SLOT)])

    async def case(it: Case) -> None:
        (node,) = await it.nodes(IDS[:1])
        node.engine.begin(duty)
        await trio.testing.wait_all_tasks_blocked()
        (sent,) = it.hub.sent
        body = decode_partials(sent.message.message.data, Generation.BOOLE)
        false = changed(body, kind=PartialKind.POST_CONSENSUS)
        signed = changed(sent.message, signers=(IDS[2],))
        node.engine.receive(ReceivedPartials(signed, false), it.clock.now_ms())
        await trio.testing.wait_all_tasks_blocked()
        assert node.counts.faults == {Fault.EXIT_HAS_NO_POST_CONSENSUS: 1}
        assert node.counts.blamed == {IDS[2]: 1}

    play(case, slot=SLOT, into_slot_ms=1)


def test_a_refused_submission_is_told_with_the_beacon_nodes_words() -> None:
    async def case(it: Case) -> None:
        nodes = await it.nodes()
        nodes[0].beacon.refuses = "invalid target"
        await begin(votes(SLOT), nodes)
        await it.until(votes(SLOT))
        record = nodes[0].record()
        assert record.reason is Reason.BN_ERROR_SUBMIT
        assert record.detail == {"why": "invalid target"}

    play(case, slot=SLOT)
