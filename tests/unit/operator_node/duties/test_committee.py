"""The committee's votes: what is proposed, checked, signed, recovered, submitted; how it ends."""

from __future__ import annotations

from dataclasses import replace

import pytest

from operator_node.duties.reasons import Reason
from operator_node.duties.types import (
    CheckpointView,
    Fetch,
    Open,
    Propose,
    Reached,
    Recover,
    Recovered,
    RecoveryRequest,
    Review,
    Step,
    SubmissionKind,
    Unavailable,
)
from operator_node.qbft.types import Verdict
from operator_node.signer.rules import AttestationGuard
from operator_node.spec.networks import MAINNET
from operator_node.spec.versions import DENEB, FULU
from operator_node.wire.faults import Complain, Fault, ProtocolFault
from operator_node.wire.messages import PartialKind
from operator_node.wire.value_codec import encode_beacon_vote
from operator_node.wire.values import Checkpoint
from sdk.types import Epoch, Slot
from tests.unit.operator_node.duties.many_validators import (
    CommitteeDesk,
    duty_for,
    partials_of,
    vote_at,
)
from tests.unit.operator_node.duties.single_validator import (
    first_slot,
    recover,
    recovered_signature,
)
from tests.unit.operator_node.duties.voting import (
    ATTEST,
    QUERY,
    SLOT,
    SYNC,
    VALUE,
    VOTE,
    decided,
    items_of,
    votes_duty,
)


def test_consensus_opens_before_the_own_data_comes() -> None:
    assert votes_duty().begin() == [Reached(Step.STARTED), Open(), Fetch(QUERY)]


def test_own_data_is_proposed() -> None:
    duty = votes_duty()
    assert duty.provide(QUERY, VOTE) == [Reached(Step.DATA), Propose(VALUE)]


def test_own_data_makes_a_view_where_there_was_none_and_the_proposal_is_judged_again() -> None:
    duty = votes_duty(view=None)
    assert duty.check_value(VALUE, round_number=1) is Verdict.UNVOUCHED
    assert duty.provide(QUERY, VOTE) == [Reached(Step.DATA), Review(), Propose(VALUE)]
    assert duty.check_value(VALUE, round_number=1) is Verdict.VALID


def test_each_later_round_fetches_fresh_data() -> None:
    duty = votes_duty()
    assert duty.enter_round(1) == []
    assert duty.enter_round(2) == [Fetch(QUERY)]


def test_nothing_is_fetched_or_proposed_after_the_decision() -> None:
    desk = decided()
    assert desk.duty.enter_round(3) == []
    assert desk.duty.provide(QUERY, VOTE) == []


def test_decided_value_is_checked_again_and_nothing_is_signed_when_it_fails() -> None:
    desk = CommitteeDesk(votes_duty())
    desk.begin()
    older = Checkpoint(Epoch(VOTE.source.epoch - 1), VOTE.source.root)
    with pytest.raises(ProtocolFault) as caught:
        desk.decide(encode_beacon_vote(replace(VOTE, source=older)))
    assert caught.value.fault is Fault.CHECKPOINT_MISMATCH
    assert desk.asked == []
    assert desk.expire().reason is Reason.FORK_HOLD


def test_one_message_carries_all_votes_in_the_order_of_the_duties() -> None:
    desk = decided(duty_for(SYNC, 19, SLOT), duty_for(ATTEST, 17, SLOT), duty_for(ATTEST, 18, SLOT))
    (body,) = desk.published
    assert body.kind == PartialKind.POST_CONSENSUS
    assert body.slot == SLOT
    assert [item.validator_index for item in body.items] == [19, 17, 18]


def test_attestations_are_guarded_by_their_epochs_and_root() -> None:
    attestation, sync = items_of(votes_duty())
    guard = AttestationGuard(VOTE.source.epoch, VOTE.target.epoch, attestation.root)
    assert attestation.guard == guard
    assert sync.guard is None


def test_from_electra_all_committees_sign_one_root() -> None:
    first, second = (duty_for(ATTEST, 17, SLOT), duty_for(ATTEST, 18, SLOT, committee_index=9))
    assert len({item.root for item in decided(first, second).asked}) == 1


def test_before_electra_each_beacon_committee_signs_its_own_root() -> None:
    slot = first_slot(DENEB)
    vote = vote_at(slot)
    duties = (duty_for(ATTEST, 17, slot), duty_for(ATTEST, 18, slot, committee_index=9))
    view = CheckpointView(vote.source, vote.target)
    desk = CommitteeDesk(votes_duty(*duties, slot=slot, view=view))
    desk.decide(encode_beacon_vote(vote))
    assert len({item.root for item in desk.asked}) == 2


def test_withheld_validator_does_not_block_the_others() -> None:
    duties = (duty_for(ATTEST, 17, SLOT), duty_for(ATTEST, 18, SLOT))
    desk = decided(*duties, refused={17: Reason.DOPPELGANGER_HOLD})
    (body,) = desk.published
    assert [item.validator_index for item in body.items] == [18]


def test_nothing_is_sent_when_all_is_withheld() -> None:
    desk = decided(refused={17: Reason.SLASHING_REFUSED})
    assert desk.published == []
    outcome = desk.expire()
    assert outcome.reason is Reason.SLASHING_REFUSED
    assert outcome.detail["validators"] == (17,)


def test_withheld_validator_is_still_submitted_when_the_others_sign_it() -> None:
    duties = (duty_for(ATTEST, 17, SLOT), duty_for(ATTEST, 18, SLOT))
    desk = decided(*duties, refused={17: Reason.DOPPELGANGER_HOLD})
    root = desk.asked[0].root
    for sender in (2, 3, 4):
        desk.receive(partials_of(sender, [(17, root), (18, root)], slot=SLOT))
    assert sorted(item.validator_index for item in desk.submissions) == [17, 18]


def test_quorum_submits_every_object_as_one_batch_and_done_is_done() -> None:
    desk = decided()
    desk.hear(2)
    assert desk.submissions == []
    desk.hear(3)
    kinds = {item.kind for item in desk.submissions}
    assert kinds == {SubmissionKind.ATTESTATION, SubmissionKind.SYNC_MESSAGE}
    desk.submit()
    (outcome,) = desk.outcomes
    assert outcome.reason is Reason.DONE
    assert outcome.submitted == outcome.due == (17,)
    assert desk.duty.finished
    assert desk.steps == [
        Step.STARTED,
        Step.DECIDED,
        Step.SIGNED,
        Step.POST_QUORUM,
        Step.SUBMITTED,
    ]


def test_submitted_objects_carry_the_recovered_signature() -> None:
    desk = decided(duty_for(ATTEST, 17, SLOT)).hear(2, 3)
    (item,) = desk.submissions
    assert item.data.endswith(recovered_signature(desk.asked[0].root))
    assert item.version == FULU


def test_bad_partial_costs_only_its_validator() -> None:
    desk = decided(duty_for(ATTEST, 17, SLOT), duty_for(ATTEST, 18, SLOT))
    root = desk.asked[0].root
    desk.receive(partials_of(2, [(17, root), (18, root)], slot=SLOT, bad=[17]))
    desk.receive(partials_of(3, [(17, root), (18, root)], slot=SLOT))
    assert [item.validator_index for item in desk.submissions] == [18]
    (complaint,) = desk.complaints
    assert (complaint.fault, complaint.blame) == (Fault.RECONSTRUCTION_FAILED, 2)
    desk.receive(partials_of(4, [(17, root), (18, root)], slot=SLOT))
    assert [item.validator_index for item in desk.submissions] == [18, 17]


def test_message_during_a_failing_recovery_is_used_by_the_next_one() -> None:
    desk = decided(duty_for(ATTEST, 17, SLOT))
    duty, root = desk.duty, desk.asked[0].root
    duty.receive(partials_of(2, [(17, root)], slot=SLOT, bad=[17]))
    (first,) = duty.receive(partials_of(3, [(17, root)], slot=SLOT))
    assert duty.receive(partials_of(4, [(17, root)], slot=SLOT)) == []
    assert isinstance(first, Recover)
    second, complaint = duty.recovered((recover_too_few(first.requests[0]),))
    assert isinstance(complaint, Complain)
    assert isinstance(second, Recover)
    assert set(second.requests[0].partials) == {1, 3, 4}


def recover_too_few(request: RecoveryRequest) -> Recovered:
    result = recover(request)
    assert result.signature is None
    return result


def test_unknown_validators_and_roots_are_stored_and_never_used() -> None:
    desk = decided(duty_for(ATTEST, 17, SLOT))
    for sender in (2, 3, 4):
        desk.receive(partials_of(sender, [(99, b"\x55" * 32), (17, b"\x66" * 32)], slot=SLOT))
    assert desk.submissions == []
    assert desk.complaints == []


def test_nothing_is_submitted_twice() -> None:
    desk = decided(duty_for(ATTEST, 17, SLOT)).hear(2, 3, 4)
    desk.hear(3)
    assert len(desk.submissions) == 1


@pytest.mark.parametrize(
    ("slot", "kind", "sender", "fault"),
    [
        (SLOT - 1, PartialKind.POST_CONSENSUS, 2, Fault.PAST_SLOT),
        (SLOT + 1, PartialKind.POST_CONSENSUS, 2, Fault.FUTURE_SLOT),
        (SLOT, PartialKind.POST_CONSENSUS, 5, Fault.PARTIAL_SIGNER_NOT_IN_COMMITTEE),
        (SLOT, PartialKind.RANDAO, 2, Fault.MESSAGE_TYPE),
    ],
)
def test_message_of_another_slot_phase_or_stranger_is_refused(
    slot: int, kind: PartialKind, sender: int, fault: Fault
) -> None:
    desk = decided()
    desk.receive(partials_of(sender, [(17, b"\x01" * 32)], slot=Slot(slot), kind=kind))
    assert desk.faults == [fault]


def test_without_a_decision_the_duty_says_that_it_waited_for_consensus() -> None:
    desk = CommitteeDesk(votes_duty())
    assert desk.begin().expire().reason is Reason.NO_PROPOSAL


def test_without_data_or_decision_the_beacon_nodes_are_named() -> None:
    desk = CommitteeDesk(votes_duty())
    desk.begin().provide(Unavailable(Reason.BN_DOWN, "refused connection"))
    outcome = desk.expire()
    assert outcome.reason is Reason.BN_DOWN
    assert outcome.detail["why"] == "refused connection"


def test_partly_withheld_duty_with_a_quorum_missing_names_the_operators() -> None:
    duties = (duty_for(ATTEST, 17, SLOT), duty_for(ATTEST, 18, SLOT))
    desk = decided(*duties, refused={17: Reason.DOPPELGANGER_HOLD}).hear(4)
    outcome = desk.expire()
    assert outcome.reason is Reason.POST_QUORUM_MISSING


def test_duty_stays_open_until_beacon_nodes_have_answered_for_every_object() -> None:
    desk = decided(duty_for(ATTEST, 17, SLOT), duty_for(ATTEST, 18, SLOT))
    root = desk.asked[0].root
    for sender in (2, 3):
        desk.receive(partials_of(sender, [(17, root)], slot=SLOT))
    desk.submit()
    assert desk.outcomes == []
    assert not desk.duty.finished


def test_silent_signer_is_named() -> None:
    desk = CommitteeDesk(votes_duty(), is_silent=True)
    desk.begin().decide(VALUE)
    assert desk.expire().reason is Reason.SIGNER_DOWN


def test_missing_operators_are_named() -> None:
    desk = decided().hear(3)
    outcome = desk.expire()
    assert outcome.reason is Reason.POST_QUORUM_MISSING
    assert outcome.detail["operators"] == (2, 4)


def test_operator_with_bad_partials_is_named() -> None:
    desk = decided().hear(2).hear(3, is_good=False)
    outcome = desk.expire()
    assert outcome.reason is Reason.BAD_PARTIAL
    assert outcome.detail["operators"] == (3,)


def test_refused_submission_is_named() -> None:
    desk = decided(duty_for(ATTEST, 17, SLOT)).hear(2, 3).submit(error="unknown head")
    (outcome,) = desk.outcomes
    assert outcome.reason is Reason.BN_ERROR_SUBMIT
    assert outcome.detail["why"] == "unknown head"
    assert outcome.submitted == ()


def test_unanswered_submission_is_late() -> None:
    assert decided().hear(2, 3).expire().reason is Reason.BN_LATE


def test_outcome_is_named_after_committee_epoch_and_slot() -> None:
    outcome = decided().expire()
    assert outcome.id == f"COMMITTEE-1_2_3_4-e{MAINNET.epoch_of(SLOT)}-s{SLOT}"
