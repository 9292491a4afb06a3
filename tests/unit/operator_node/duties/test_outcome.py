"""How duties end: which reason is given, given what was noted on the way."""

from __future__ import annotations

import pytest

from operator_node.duties.outcome import Course, Waiting, duty_id, reason_of_fault
from operator_node.duties.reasons import Reason
from operator_node.duties.types import (
    DutyOutcome,
    Recovered,
    RecoveryRequest,
    Signed,
    SignItem,
    Submission,
    SubmissionKind,
    Submitted,
    Unavailable,
    Withheld,
)
from operator_node.spec.networks import MAINNET
from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.ids import RunnerRole
from sdk.types import OperatorId, Signature, Slot
from tests.unit.operator_node.duties.many_validators import SHARES
from tests.unit.operator_node.duties.single_validator import KEY, OPERATORS, setting

SLOT = Slot(1000)


def course(role: RunnerRole = RunnerRole.COMMITTEE) -> Course:
    return Course(setting(), role=role, slot=SLOT, due=(17, 18, 17))


def withheld(index: int, reason: Reason = Reason.SLASHING_REFUSED) -> Withheld:
    return Withheld(SignItem(SHARES[index], b"\x01" * 32), reason, "said the signer")


def submitted(index: int, error: str = "") -> Submitted:
    item = Submission(SubmissionKind.ATTESTATION, 7, b"", b"\x01" * 32, index)
    return Submitted(item, error)


def recovered(*culprits: int) -> Recovered:
    request = RecoveryRequest(17, KEY, b"\x01" * 32, {}, {}, 3)
    return Recovered(request, None, frozenset(map(OperatorId, culprits)))


def test_outcome_names_the_duty_and_everybody_due_once() -> None:
    outcome = course().finish().outcome
    epoch = MAINNET.epoch_of(SLOT)
    assert outcome == DutyOutcome(
        id=f"COMMITTEE-1_2_3_4-e{epoch}-s{SLOT}",
        role=RunnerRole.COMMITTEE,
        slot=SLOT,
        reason=Reason.DONE,
        detail={},
        submitted=(),
        due=(17, 18),
    )


@pytest.mark.parametrize(
    ("role", "name"),
    [
        (RunnerRole.COMMITTEE, "COMMITTEE-1_2_3_4-e31-s1000"),
        (RunnerRole.AGGREGATOR_COMMITTEE, "AGGREGATOR_COMMITTEE-1_2_3_4-e31-s1000"),
        (RunnerRole.PROPOSER, "PROPOSER-e31-s1000-v17"),
        (RunnerRole.VOLUNTARY_EXIT, "VOLUNTARY_EXIT-e31-s1000-v17"),
    ],
)
def test_duties_are_named_as_existing_nodes_name_them(role: RunnerRole, name: str) -> None:
    assert duty_id(setting(), role=role, slot=SLOT, validator_index=17) == name


@pytest.mark.parametrize(
    ("waiting", "reason"),
    [
        (Waiting.PRE_SIGNER, Reason.SIGNER_DOWN),
        (Waiting.PRE_QUORUM, Reason.PRE_QUORUM_MISSING),
        (Waiting.DATA, Reason.BN_LATE),
        (Waiting.CONSENSUS, Reason.NO_PROPOSAL),
        (Waiting.POST_SIGNER, Reason.SIGNER_DOWN),
        (Waiting.POST_QUORUM, Reason.POST_QUORUM_MISSING),
        (Waiting.SUBMISSION, Reason.BN_LATE),
    ],
)
def test_what_a_duty_waits_for_says_why_it_failed(waiting: Waiting, reason: Reason) -> None:
    assert course().expire(waiting).outcome.reason is reason


def test_block_that_never_came_is_named_as_such() -> None:
    outcome = course(RunnerRole.PROPOSER).expire(Waiting.DATA).outcome
    assert outcome.reason is Reason.BLOCK_FETCH_LATE


def test_missing_operators_are_those_not_present() -> None:
    outcome = course().expire(Waiting.PRE_QUORUM, OPERATORS[:2]).outcome
    assert outcome.detail == {"operators": (3, 4)}


@pytest.mark.parametrize("waiting", [Waiting.DATA, Waiting.CONSENSUS])
def test_beacon_nodes_that_gave_nothing_are_named_with_their_reason(waiting: Waiting) -> None:
    noted = course()
    noted.note_unavailable(Unavailable(Reason.BN_STALE_HEAD, "12 slots behind"))
    outcome = noted.expire(waiting).outcome
    assert (outcome.reason, outcome.detail["why"]) == (Reason.BN_STALE_HEAD, "12 slots behind")


def test_data_that_came_after_all_clears_the_beacon_nodes() -> None:
    noted = course()
    noted.note_unavailable(Unavailable(Reason.BN_DOWN))
    noted.note_available()
    assert noted.expire(Waiting.CONSENSUS).outcome.reason is Reason.NO_PROPOSAL


def test_refused_decision_outweighs_everything_else() -> None:
    noted = course()
    noted.note_unavailable(Unavailable(Reason.BN_DOWN))
    noted.note_refusal(ProtocolFault(Fault.SLASHABLE_ATTESTATION, "double vote"))
    outcome = noted.expire(Waiting.CONSENSUS).outcome
    assert (outcome.reason, outcome.detail["why"]) == (Reason.SLASHING_REFUSED, "double vote")


def test_own_refusal_counts_when_it_covers_all_that_is_left() -> None:
    noted = course()
    noted.note_signed([withheld(17), Signed(withheld(18).item, Signature(bytes(96)))])
    noted.note_submitted([submitted(18)])
    outcome = noted.expire(Waiting.POST_QUORUM).outcome
    assert outcome.reason is Reason.SLASHING_REFUSED
    assert outcome.detail["validators"] == (17,)
    assert outcome.submitted == (18,)


def test_own_refusal_does_not_hide_missing_operators() -> None:
    noted = course()
    noted.note_signed([withheld(17)])
    outcome = noted.expire(Waiting.POST_QUORUM, OPERATORS[:1]).outcome
    assert outcome.reason is Reason.POST_QUORUM_MISSING


def test_culprits_are_named_before_those_that_are_merely_missing() -> None:
    noted = course()
    noted.note_recovered([recovered(3, 2)])
    outcome = noted.expire(Waiting.POST_QUORUM, OPERATORS[:1]).outcome
    assert (outcome.reason, outcome.detail["operators"]) == (Reason.BAD_PARTIAL, (2, 3))


def test_validator_with_one_of_two_objects_submitted_is_not_done() -> None:
    noted = course()
    noted.note_submitted([submitted(17), submitted(18)])
    outcome = noted.expire(Waiting.POST_QUORUM, OPERATORS[:2], [17]).outcome
    assert outcome.reason is Reason.POST_QUORUM_MISSING


def test_nothing_left_is_done() -> None:
    noted = course()
    noted.note_submitted([submitted(17), submitted(18)])
    assert noted.expire(Waiting.POST_QUORUM).outcome.reason is Reason.DONE


def test_objects_that_beacon_nodes_refused_are_named() -> None:
    noted = course()
    noted.note_submitted([submitted(17), submitted(18, "unknown head")])
    outcome = noted.finish_submitted().outcome
    assert (outcome.reason, outcome.detail["why"]) == (Reason.BN_ERROR_SUBMIT, "unknown head")
    assert outcome.submitted == (17,)
    assert noted.expire(Waiting.POST_QUORUM).outcome.reason is Reason.BN_ERROR_SUBMIT


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault.SLASHABLE_ATTESTATION, Reason.SLASHING_REFUSED),
        (Fault.SLASHABLE_BLOCK, Reason.SLASHING_REFUSED),
        (Fault.CHECKPOINT_MISMATCH, Reason.FORK_HOLD),
        (Fault.FEE_RECIPIENT_REFUSED, Reason.FEE_RECIPIENT_REFUSED),
        (Fault.VOTE_MALFORMED, Reason.PROPOSAL_INVALID),
        (Fault.SOURCE_NOT_BELOW_TARGET, Reason.PROPOSAL_INVALID),
    ],
)
def test_refused_values_have_their_reason(fault: Fault, reason: Reason) -> None:
    assert reason_of_fault(fault) is reason
