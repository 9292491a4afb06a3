"""Aggregates and contributions from the decision on: what is signed and submitted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from operator_node.duties.aggregator_committee import AggregationDuty
from operator_node.duties.reasons import Reason
from operator_node.duties.types import (
    CommitteeDuty,
    Step,
    SubmissionKind,
    ValueCheck,
)
from operator_node.qbft.types import Verdict
from operator_node.spec.versions import FULU
from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.value_codec import (
    encode_aggregator_committee_value,
)
from operator_node.wire.values import AggregatorCommitteeValue, Assigned
from tests.unit.operator_node.duties.aggregating import (
    AGGREGATOR,
    CONTRIBUTOR,
    OTHER_AGGREGATOR,
    SECOND,
    Chosen,
    decided,
    desk_of,
    proposed,
    provide_all,
)
from tests.unit.operator_node.duties.many_validators import (
    SHARES,
    CommitteeDesk,
)
from tests.unit.operator_node.duties.single_validator import setting
from tests.unit.operator_node.duties.test_aggregation import ATTESTATION, SLOT


def test_own_value_passes_the_own_check() -> None:
    desk = provide_all(desk_of(AGGREGATOR, CONTRIBUTOR).hear(2, 3))
    verdict = desk.duty.check_value(desk.proposals[-1], round_number=1)
    assert verdict is Verdict.VALID


def test_inconsistent_decided_value_signs_nothing() -> None:
    desk = provide_all(desk_of(AGGREGATOR).hear(2, 3))
    broken = replace(proposed(desk), committee_indexes=(9,))
    with pytest.raises(ProtocolFault):
        desk.decide(encode_aggregator_committee_value(broken))
    assert len(desk.published) == 1
    assert desk.expire().reason is Reason.PROPOSAL_INVALID


def test_decision_is_signed_in_one_message_and_submitted_per_object() -> None:
    desk = decided(AGGREGATOR, CONTRIBUTOR)
    body = desk.published[-1]
    assert body.kind == SECOND
    assert [item.validator_index for item in body.items] == [17, 19, 19, 19]
    desk.hear(2, 3)
    assert sorted(item.kind for item in desk.submissions) == [
        SubmissionKind.AGGREGATE,
        *[SubmissionKind.CONTRIBUTION] * 3,
    ]
    desk.submit()
    (outcome,) = desk.outcomes
    assert outcome.reason is Reason.DONE
    assert set(outcome.submitted) == {17, 19}
    assert desk.steps[-1] is Step.SUBMITTED


def test_validators_without_a_duty_here_are_not_signed_for() -> None:
    desk = provide_all(desk_of(AGGREGATOR).hear(2, 3))
    value = proposed(desk)
    stranger, no_duty = Assigned(99, bytes(96), 3), Assigned(18, bytes(96), 3)
    wider = replace(value, aggregators=(stranger, no_duty, *value.aggregators))
    desk.decide(encode_aggregator_committee_value(wider))
    assert [item.validator_index for item in desk.published[-1].items] == [17]


def listing(desk: CommitteeDesk, *entries: Assigned) -> bytes:
    """The proposal, with these aggregators at committee indexes that all have an aggregate."""
    indexes = tuple(dict.fromkeys(each.committee_index for each in entries))
    wider = replace(
        proposed(desk),
        aggregators=entries,
        committee_indexes=indexes,
        attestations=(ATTESTATION,) * len(indexes),
    )
    return encode_aggregator_committee_value(wider)


def test_validator_is_signed_for_once_and_only_at_its_own_place() -> None:
    """A leader that lists it at every index would have all members send what peers refuse."""
    desk = provide_all(desk_of(AGGREGATOR).hear(2, 3))
    (own,) = proposed(desk).aggregators
    everywhere = [replace(own, committee_index=index) for index in range(64)]
    desk.decide(listing(desk, *everywhere, own))
    (item,) = desk.published[-1].items
    assert item.validator_index == 17
    (only,) = desk.asked[-1:]
    desk.hear(2, 3)
    assert [submission.validator_index for submission in desk.submissions] == [17]
    assert only.root == item.root


def test_selection_proof_that_is_not_the_known_one_is_not_signed_for() -> None:
    desk = provide_all(desk_of(AGGREGATOR).hear(2, 3))
    (own,) = proposed(desk).aggregators
    desk.decide(listing(desk, replace(own, selection_proof=b"\x01" * 96)))
    assert len(desk.published) == 1


def test_true_proof_is_found_behind_a_made_up_one() -> None:
    desk = provide_all(desk_of(AGGREGATOR).hear(2, 3))
    (own,) = proposed(desk).aggregators
    desk.decide(listing(desk, replace(own, selection_proof=b"\x01" * 96), own))
    desk.hear(2, 3)
    assert [submission.validator_index for submission in desk.submissions] == [17]


def test_by_the_networks_rule_every_entry_of_an_own_validator_is_signed() -> None:
    ground = replace(setting(), selection=Chosen(), value_check=ValueCheck.NETWORK)
    desk = CommitteeDesk(AggregationDuty(ground, CommitteeDuty(SLOT, (AGGREGATOR,)), SHARES))
    desk.begin()
    provide_all(desk.hear(2, 3))
    (own,) = proposed(desk).aggregators
    desk.decide(listing(desk, own, Assigned(17, b"\x01" * 96, 9)))
    assert [item.validator_index for item in desk.published[-1].items] == [17, 17]


def test_value_without_anybody_of_ours_sends_nothing() -> None:
    stranger = AggregatorCommitteeValue(
        FULU, (Assigned(99, bytes(96), 3),), (3,), (ATTESTATION,), (), ()
    )
    desk = decided(AGGREGATOR, value=stranger)
    assert len(desk.published) == 1
    assert desk.expire().reason is Reason.NOTHING_SELECTED


def test_duty_that_was_not_chosen_keeps_the_rest_open_until_its_time_is_over() -> None:
    desk = provide_all(desk_of(AGGREGATOR, OTHER_AGGREGATOR).hear(2, 3))
    value = proposed(desk)
    desk.decide(
        encode_aggregator_committee_value(replace(value, aggregators=value.aggregators[:1]))
    )
    desk.hear(2, 3).submit()
    assert desk.outcomes == []
    assert desk.expire().reason is Reason.DONE


def test_bad_signature_after_consensus_is_reported_as_such() -> None:
    desk = decided(AGGREGATOR).hear(2, is_good=False)
    desk.hear(3)
    assert desk.faults == [Fault.QUORUM_WITH_BAD_SIGNATURES]
    desk.hear(4)
    assert len(desk.submissions) == 1


def test_decision_before_the_own_proofs_were_complete_is_signed_all_the_same() -> None:
    leader = provide_all(desk_of(AGGREGATOR).hear(2, 3))
    late = desk_of(AGGREGATOR)
    late.decide(leader.proposals[-1])
    assert late.published[-1].kind == SECOND
    late.hear(2, 3).submit()
    assert late.outcomes[-1].reason is Reason.DONE
