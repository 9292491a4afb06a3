"""A committee's aggregation: who is chosen, what is proposed, signed and submitted; how it ends."""

from __future__ import annotations

from dataclasses import replace

import pytest

from operator_node.duties.aggregation import selections_of
from operator_node.duties.aggregator_committee import AggregationDuty
from operator_node.duties.reasons import Reason
from operator_node.duties.types import (
    AggregateQuery,
    Answer,
    BeaconObject,
    CommitteeDuty,
    ContributionQuery,
    Open,
    Recover,
    RecoveryRequest,
    Unavailable,
)
from operator_node.spec.networks import MAINNET
from operator_node.spec.versions import FULU
from operator_node.wire.faults import Fault
from operator_node.wire.messages import PartialKind
from sdk.types import Slot
from tests.unit.operator_node.duties.aggregating import (
    AGGREGATOR,
    CONTRIBUTE,
    CONTRIBUTOR,
    FIRST,
    OTHER_AGGREGATOR,
    Chosen,
    answer_to,
    decided,
    desk_of,
    proposed,
    provide_all,
)
from tests.unit.operator_node.duties.many_validators import (
    SHARES,
    CommitteeDesk,
    duty_for,
    partials_of,
)
from tests.unit.operator_node.duties.single_validator import recover, recovered_signature, setting
from tests.unit.operator_node.duties.test_aggregation import ATTESTATION, SLOT


def test_one_message_carries_all_selection_proofs_in_order_of_the_duties() -> None:
    desk = desk_of(CONTRIBUTOR, AGGREGATOR)
    (body,) = desk.published
    assert body.kind == FIRST
    expected = selections_of([CONTRIBUTOR, AGGREGATOR], MAINNET)
    assert [item.root for item in body.items] == [each.root for each in expected]


def test_contributor_without_positions_has_nothing_to_sign() -> None:
    desk = desk_of(duty_for(CONTRIBUTE, 19, SLOT))
    assert desk.published == []
    assert [outcome.reason for outcome in desk.outcomes] == [Reason.NOTHING_SELECTED]
    assert desk.duty.finished


def test_first_chosen_open_consensus_and_objects_are_fetched_once() -> None:
    desk = desk_of(AGGREGATOR, OTHER_AGGREGATOR, CONTRIBUTOR).hear(2)
    assert desk.opened == 0
    desk.hear(3)
    assert desk.opened == 1
    aggregates = [query for query in desk.queries if isinstance(query, AggregateQuery)]
    subnets = sorted(q.subnet for q in desk.queries if isinstance(q, ContributionQuery))
    assert [query.committee_index for query in aggregates] == [3]
    assert subnets == [0, 1, 2]


def test_proposal_names_everybody_chosen_with_proofs_and_objects() -> None:
    desk = provide_all(desk_of(AGGREGATOR, OTHER_AGGREGATOR, CONTRIBUTOR).hear(2, 3))
    value = proposed(desk)
    assert value.version == FULU
    assert [each.validator_index for each in value.aggregators] == [17, 18]
    assert value.committee_indexes == (3,)
    assert value.attestations == (ATTESTATION,)
    assert {each.committee_index for each in value.contributors} == {0, 1, 2}
    assert len(value.contributions) == 3
    root = selections_of([AGGREGATOR], MAINNET)[0].root
    assert value.aggregators[0].selection_proof == recovered_signature(root)


def test_waits_for_every_object_before_it_proposes() -> None:
    desk = desk_of(CONTRIBUTOR).hear(2, 3)
    desk.provide(answer_to(desk.queries[0]), place=0)
    assert desk.proposals == []
    provide_all(desk)
    assert len(desk.proposals) == 1


def test_those_whose_object_nobody_has_are_left_out() -> None:
    desk = desk_of(AGGREGATOR, CONTRIBUTOR).hear(2, 3)
    for place, query in enumerate(list(desk.queries)):
        is_aggregate = isinstance(query, AggregateQuery)
        gone: Answer = Unavailable(Reason.BN_DOWN)
        desk.provide(gone if is_aggregate else answer_to(query), place=place)
    value = proposed(desk)
    assert value.aggregators == ()
    assert len(value.contributors) == 3


def test_answer_that_is_not_what_was_asked_for_counts_as_none() -> None:
    desk = desk_of(AGGREGATOR).hear(2, 3)
    desk.provide(BeaconObject(FULU, b"\x01\x02"))
    assert desk.proposals == []
    assert desk.expire().reason is Reason.BN_DOWN


def test_subset_goes_ahead_and_later_proofs_are_ignored() -> None:
    desk = desk_of(AGGREGATOR, OTHER_AGGREGATOR)
    root = desk.asked[0].root
    desk.receive(partials_of(2, [(17, root)], slot=SLOT, kind=FIRST))
    desk.receive(partials_of(3, [(17, root)], slot=SLOT, kind=FIRST))
    assert desk.opened == 1
    desk.receive(partials_of(4, [(18, root)], slot=SLOT, kind=FIRST))
    desk.receive(partials_of(2, [(18, root)], slot=SLOT, kind=FIRST))
    provide_all(desk)
    assert [each.validator_index for each in proposed(desk).aggregators] == [17]


def test_bad_proof_of_one_validator_does_not_stop_another() -> None:
    desk = desk_of(AGGREGATOR, OTHER_AGGREGATOR)
    root = desk.asked[0].root
    desk.receive(partials_of(2, [(17, root), (18, root)], slot=SLOT, kind=FIRST, bad=[17]))
    desk.receive(partials_of(3, [(17, root), (18, root)], slot=SLOT, kind=FIRST))
    assert desk.opened == 1
    assert desk.faults == [Fault.RECONSTRUCTION_FAILED]
    provide_all(desk)
    assert [each.validator_index for each in proposed(desk).aggregators] == [18]


def test_nobody_chosen_ends_the_duty_once_all_are_checked() -> None:
    desk = desk_of(AGGREGATOR, chosen=Chosen(frozenset())).hear(2, 3)
    assert desk.opened == 0
    assert [outcome.reason for outcome in desk.outcomes] == [Reason.NOTHING_SELECTED]


def test_contributor_is_checked_when_all_its_subnets_are() -> None:
    """Else one liar with a bad partial for one subnet would end the duty of honest operators."""
    desk = desk_of(CONTRIBUTOR, chosen=Chosen(frozenset()))
    first, *others = [item.root for item in desk.asked]
    for sender in (2, 3):
        desk.receive(partials_of(sender, [(19, first)], slot=SLOT, kind=FIRST))
    assert others
    assert desk.outcomes == []
    for sender in (2, 3):
        desk.receive(partials_of(sender, [(19, root) for root in others], slot=SLOT, kind=FIRST))
    assert [outcome.reason for outcome in desk.outcomes] == [Reason.NOTHING_SELECTED]


def test_duty_ends_when_everybody_was_heard_and_nobody_can_be_chosen_any_more() -> None:
    desk = desk_of(AGGREGATOR)
    for sender in (2, 3, 4):
        desk.receive(partials_of(sender, [(99, b"\x05" * 32)], slot=SLOT, kind=FIRST))
    (outcome,) = desk.outcomes
    assert outcome.reason is Reason.PRE_QUORUM_MISSING
    assert outcome.detail["operators"] == (2, 3, 4)


def test_duty_with_unchecked_validators_waits_for_more() -> None:
    desk = desk_of(AGGREGATOR, OTHER_AGGREGATOR, chosen=Chosen(frozenset()))
    root = desk.asked[0].root
    for sender in (2, 3):
        desk.receive(partials_of(sender, [(17, root)], slot=SLOT, kind=FIRST))
    assert desk.outcomes == []


@pytest.mark.parametrize(
    ("slot", "kind", "fault"),
    [
        (SLOT - 1, FIRST, Fault.PAST_SLOT),
        (SLOT + 1, FIRST, Fault.FUTURE_SLOT),
        (SLOT, PartialKind.RANDAO, Fault.MESSAGE_TYPE),
    ],
)
def test_proofs_of_another_slot_or_kind_are_refused(
    slot: int, kind: PartialKind, fault: Fault
) -> None:
    desk = desk_of(AGGREGATOR)
    desk.receive(partials_of(2, [(17, b"\x01" * 32)], slot=Slot(slot), kind=kind))
    assert desk.faults == [fault]


def test_proofs_recovered_after_others_opened_consensus_choose_nobody_more() -> None:
    ground = replace(setting(), selection=Chosen())
    duty = AggregationDuty(ground, CommitteeDuty(SLOT, (AGGREGATOR, OTHER_AGGREGATOR)), SHARES)
    root = selections_of([AGGREGATOR], MAINNET)[0].root
    requests: list[RecoveryRequest] = []
    for index in (17, 18):
        for sender in (1, 2, 3):
            message = partials_of(sender, [(index, root)], slot=SLOT, kind=FIRST)
            for command in duty.receive(message):
                assert isinstance(command, Recover)
                requests += command.requests
    first, second = requests
    opened = duty.recovered((recover(first),))
    assert Open() in opened
    assert duty.recovered((recover(second),)) == []


def test_answer_after_the_decision_is_not_proposed() -> None:
    desk = desk_of(AGGREGATOR).hear(2, 3)
    leader = provide_all(desk_of(AGGREGATOR).hear(2, 3))
    desk.decide(leader.proposals[-1])
    provide_all(desk)
    assert desk.proposals == []


def test_missing_proofs_name_the_operators() -> None:
    outcome = desk_of(AGGREGATOR).hear(3).expire()
    assert outcome.reason is Reason.PRE_QUORUM_MISSING
    assert outcome.detail["operators"] == (2, 4)


def test_silent_signer_is_named_in_either_phase() -> None:
    duty = AggregationDuty(
        replace(setting(), selection=Chosen()), CommitteeDuty(SLOT, (AGGREGATOR,)), SHARES
    )
    silent = CommitteeDesk(duty, is_silent=True)
    silent.begin()
    assert silent.expire().reason is Reason.SIGNER_DOWN
    desk = provide_all(desk_of(AGGREGATOR).hear(2, 3))
    desk.is_silent = True
    desk.decide(desk.proposals[-1])
    assert desk.expire().reason is Reason.SIGNER_DOWN


def test_without_an_answer_the_beacon_node_is_late() -> None:
    assert desk_of(AGGREGATOR).hear(2, 3).expire().reason is Reason.BN_LATE


def test_with_an_own_value_and_no_decision_consensus_is_to_explain() -> None:
    desk = provide_all(desk_of(AGGREGATOR).hear(2, 3))
    assert desk.expire().reason is Reason.NO_PROPOSAL


def test_missing_signatures_after_consensus_name_the_operators() -> None:
    outcome = decided(AGGREGATOR).hear(4).expire()
    assert outcome.reason is Reason.POST_QUORUM_MISSING
    assert outcome.detail["operators"] == (2, 3)


def test_unanswered_submission_is_late() -> None:
    assert decided(AGGREGATOR).hear(2, 3).expire().reason is Reason.BN_LATE


def test_outcome_is_named_after_its_committee() -> None:
    outcome = desk_of(AGGREGATOR).expire()
    assert outcome.id == f"AGGREGATOR_COMMITTEE-1_2_3_4-e{MAINNET.epoch_of(SLOT)}-s{SLOT}"
