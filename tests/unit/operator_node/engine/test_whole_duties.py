"""Four engines do whole duties together: every role, both generations, real keys, gossip rules."""

from __future__ import annotations

import pytest

from operator_node.duties import Reason
from operator_node.duties.types import Step, SubmissionKind
from operator_node.engine import Ending
from operator_node.scheduler.types import DutyDue
from operator_node.wire.generations import Generation
from operator_node.wire.ids import BeaconRole, RunnerRole
from tests.unit.operator_node.engine.cluster import Case, begin, due, part, play, votes
from tests.unit.operator_node.engine.surroundings import IDS, SLOTS, VALIDATORS

ALAN, BOOLE = SLOTS[Generation.ALAN], SLOTS[Generation.BOOLE]
KIND = SubmissionKind


def alone(role: RunnerRole, beacon_role: BeaconRole, generation: Generation) -> DutyDue:
    slot = SLOTS[generation]
    is_late = role in (RunnerRole.AGGREGATOR, RunnerRole.SYNC_CONTRIBUTION)
    return due(role, slot, [part(beacon_role, slot)], data_at_ms=8_000 if is_late else 0)


def aggregations() -> DutyDue:
    parts = [part(BeaconRole.AGGREGATOR, BOOLE, each) for each in VALIDATORS]
    parts.append(part(BeaconRole.SYNC_CONTRIBUTION, BOOLE))
    return due(RunnerRole.AGGREGATOR_COMMITTEE, BOOLE, parts, data_at_ms=8_000)


VOTES = [KIND.ATTESTATION, KIND.ATTESTATION, KIND.SYNC_MESSAGE]
CASES = [
    pytest.param(votes(ALAN), VOTES, id="votes, Alan"),
    pytest.param(votes(BOOLE), VOTES, id="votes, Boole"),
    *(
        pytest.param(alone(role, beacon_role, generation), [kind], id=f"{kind} {generation.value}")
        for role, beacon_role, kind in (
            (RunnerRole.PROPOSER, BeaconRole.PROPOSER, KIND.BLOCK),
            (
                RunnerRole.VALIDATOR_REGISTRATION,
                BeaconRole.VALIDATOR_REGISTRATION,
                KIND.REGISTRATION,
            ),
            (RunnerRole.VOLUNTARY_EXIT, BeaconRole.VOLUNTARY_EXIT, KIND.EXIT),
        )
        for generation in Generation
    ),
    pytest.param(
        alone(RunnerRole.AGGREGATOR, BeaconRole.AGGREGATOR, Generation.ALAN),
        [KIND.AGGREGATE],
        id="aggregate, Alan",
    ),
    pytest.param(
        alone(RunnerRole.SYNC_CONTRIBUTION, BeaconRole.SYNC_CONTRIBUTION, Generation.ALAN),
        [KIND.CONTRIBUTION] * 2,
        id="contributions, Alan",
    ),
    pytest.param(
        aggregations(),
        [KIND.AGGREGATE] * 2 + [KIND.CONTRIBUTION] * 2,
        id="aggregations, Boole",
    ),
]


@pytest.mark.parametrize(("duty", "kinds"), CASES)
def test_a_duty_is_done_by_everybody_alike(duty: DutyDue, kinds: list[SubmissionKind]) -> None:
    async def case(it: Case) -> None:
        nodes = await it.nodes()
        await begin(duty, nodes)
        await it.until(duty)
        first, *others = nodes
        found = [item.kind for item in first.beacon.submitted]
        assert sorted(found) == kinds
        said = {(item.kind, item.root) for item in first.beacon.submitted}
        assert all({(each.kind, each.root) for each in o.beacon.submitted} == said for o in others)
        for node in nodes:
            record = node.record()
            assert (record.reason, record.outcome) == (Reason.DONE, Ending.DONE)
            assert set(record.submitted) == set(record.validators)
            assert {each.operator for each in record.heard} == set(IDS) - {node.me}
            assert record.steps[0][0] is Step.STARTED
            assert record.steps[-1][0] is Step.SUBMITTED
            assert node.counts.failures == node.counts.dropped == node.counts.unsent == 0

    play(case, slot=duty.slot)


def test_a_record_tells_the_steps_in_their_time_and_the_leader() -> None:
    duty = votes(BOOLE)

    async def case(it: Case) -> None:
        nodes = await it.nodes()
        await begin(duty, nodes)
        await it.until(duty)
        record = nodes[0].record()
        assert record.id == f"COMMITTEE-1_2_3_4-e25-s{BOOLE}"
        assert (record.started_ms, record.round) == (4_000, 1)
        steps = dict(record.steps)
        order = [Step.STARTED, Step.DECIDED, Step.SIGNED, Step.POST_QUORUM, Step.SUBMITTED]
        times = [steps[step] for step in order]
        assert times == sorted(times)
        assert 4_000 == times[0] < times[1] < 4_200
        assert all(4_000 < each.first_ms <= each.last_ms < 4_200 for each in record.heard)

    play(case, slot=duty.slot)


def test_aggregates_are_asked_for_when_the_chain_has_them() -> None:
    duty = aggregations()

    async def case(it: Case) -> None:
        nodes = await it.nodes()
        await begin(duty, nodes)
        await it.until(duty)
        for node in nodes:
            assert node.beacon.asked
            assert all(at_ms >= duty.data_at_ms for at_ms, _ in node.beacon.asked)

    play(case, slot=duty.slot)
