"""Validator registrations: one phase, one object, the same on every operator."""

from __future__ import annotations

from dataclasses import replace

import pytest

from operator_node.duties.reasons import Reason
from operator_node.duties.registration import (
    EARLIER_GAS_LIMIT,
    EPOCHS_BETWEEN,
    GAS_LIMIT,
    RegistrationDuty,
    gas_limit_at,
    is_due,
)
from operator_node.duties.types import (
    AttestationDataQuery,
    Step,
    SubmissionKind,
    Unavailable,
)
from operator_node.spec.networks import MAINNET
from operator_node.spec.operations import SIGNED_VALIDATOR_REGISTRATION
from operator_node.spec.ssz import decode, hash_tree_root
from operator_node.spec.versions import FULU
from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.ids import BeaconRole
from operator_node.wire.messages import PartialKind
from sdk.types import Epoch, Slot
from tests.unit.operator_node.duties.single_validator import (
    INDEX,
    KEY,
    OWNER_RECIPIENT,
    SHARE,
    SLOTS_PER_EPOCH,
    Desk,
    duty_of,
    first_slot,
    message,
    recovered_signature,
    setting,
)

SLOT = first_slot(FULU)
DUTY = duty_of(BeaconRole.VALIDATOR_REGISTRATION, SLOT)


def desk(**more: int) -> Desk:
    return Desk(RegistrationDuty(setting(), DUTY, SHARE, **more)).begin()


def root_of(at: Desk) -> bytes:
    return at.published[0].items[0].root


def test_own_signature_is_published_under_its_kind_and_slot() -> None:
    at = desk()
    assert at.published[0].kind == PartialKind.VALIDATOR_REGISTRATION
    assert (at.published[0].slot, len(at.published[0].items)) == (SLOT, 1)
    assert at.asked[0].guard is None
    assert at.steps == [Step.STARTED, Step.PRE_SIGNED]


def test_quorum_submits_the_registration_of_the_epochs_start() -> None:
    at = desk().hear(2, 3)
    (submission,) = at.submissions
    signed = decode(SIGNED_VALIDATOR_REGISTRATION, submission.data)
    assert signed == {
        "message": {
            "fee_recipient": OWNER_RECIPIENT,
            "gas_limit": GAS_LIMIT,
            "timestamp": MAINNET.slot_start(SLOT - SLOT % SLOTS_PER_EPOCH),
            "pubkey": KEY,
        },
        "signature": recovered_signature(root_of(at)),
    }
    assert submission.kind is SubmissionKind.REGISTRATION
    assert submission.validator_index == INDEX
    assert submission.root == hash_tree_root(SIGNED_VALIDATOR_REGISTRATION, submission.data)


def test_all_slots_of_an_epoch_sign_the_same() -> None:
    later = RegistrationDuty(setting(), replace(DUTY, slot=Slot(SLOT + 5)), SHARE)
    assert root_of(Desk(later).begin()) == root_of(desk())


def test_accepted_registration_ends_the_duty_well() -> None:
    at = desk().hear(2, 3).submit()
    (outcome,) = at.outcomes
    assert (outcome.reason, outcome.submitted, outcome.due) == (Reason.DONE, (INDEX,), (INDEX,))
    assert outcome.id == f"VALIDATOR_REGISTRATION-e{SLOT // SLOTS_PER_EPOCH}-s{SLOT}-v{INDEX}"
    assert at.duty.finished
    assert at.steps[-2:] == [Step.PRE_QUORUM, Step.SUBMITTED]


def test_refused_registration_ends_the_duty_with_the_nodes_words() -> None:
    at = desk().hear(2, 3).submit(error="400 no")
    (outcome,) = at.outcomes
    assert outcome.reason is Reason.BN_ERROR_SUBMIT
    assert outcome.detail["why"] == "400 no"
    assert outcome.submitted == ()


def test_a_fourth_signature_submits_nothing_again() -> None:
    assert len(desk().hear(2, 3, 4).submissions) == 1


def test_bad_signature_is_named_and_the_next_one_completes() -> None:
    at = desk().hear(2).hear(3, is_good=False)
    assert at.faults == [Fault.RECONSTRUCTION_FAILED]
    assert at.complaints[0].blame == 3
    assert not at.submissions
    assert len(at.hear(4).submissions) == 1


def test_others_complete_the_duty_when_the_signer_withholds() -> None:
    at = Desk(RegistrationDuty(setting(), DUTY, SHARE), withhold=Reason.DOPPELGANGER_HOLD).begin()
    assert not at.published
    root = root_of(desk())
    for sender in (2, 3, 4):
        at.receive(message(sender, [root], slot=SLOT, kind=PartialKind.VALIDATOR_REGISTRATION))
    assert len(at.submissions) == 1


def test_other_usual_gas_limit_is_named_with_its_operator() -> None:
    at = desk()
    other = root_of(desk(gas_limit=EARLIER_GAS_LIMIT))
    at.receive(message(3, [other], slot=SLOT, kind=PartialKind.VALIDATOR_REGISTRATION))
    assert at.faults == [Fault.WRONG_SIGNING_ROOT]
    assert "operator 3 registers a gas limit of 30000000" in at.complaints[0].detail
    outcome = at.expire()
    assert outcome.reason is Reason.PRE_QUORUM_MISSING
    assert outcome.detail["operators"] == (2, 3, 4)
    assert outcome.detail["gas_limits"] == {3: EARLIER_GAS_LIMIT}


def test_other_root_without_a_known_cause_is_refused_plainly() -> None:
    at = desk().receive(message(3, [bytes(32)], slot=SLOT, kind=PartialKind.VALIDATOR_REGISTRATION))
    assert at.faults == [Fault.WRONG_SIGNING_ROOT]
    assert "gas_limits" not in at.expire().detail


def test_second_phase_message_has_its_own_fault() -> None:
    assert desk().hear().receive(message(2, [bytes(32)], slot=SLOT)).faults == [
        Fault.REGISTRATION_HAS_NO_POST_CONSENSUS
    ]


def test_consensus_has_its_own_fault() -> None:
    duty = RegistrationDuty(setting(), DUTY, SHARE)
    for ask in (lambda: duty.check_value(b"", round_number=1), lambda: duty.decide(b"")):
        with pytest.raises(ProtocolFault) as refusal:
            ask()
        assert refusal.value.fault is Fault.REGISTRATION_HAS_NO_CONSENSUS


def test_time_over_says_what_was_waited_for() -> None:
    silent = Desk(RegistrationDuty(setting(), DUTY, SHARE), is_silent=True).begin()
    assert silent.expire().reason is Reason.SIGNER_DOWN
    assert desk().hear(2).expire().reason is Reason.PRE_QUORUM_MISSING
    assert desk().hear(2, 3).expire().reason is Reason.BN_LATE


def test_gas_limit_rises_at_its_epoch() -> None:
    raised = Epoch(385_150)
    assert gas_limit_at(Epoch(raised - 1), raised_from=raised) == EARLIER_GAS_LIMIT
    assert gas_limit_at(raised, raised_from=raised) == GAS_LIMIT


def test_every_validator_is_due_once_in_ten_epochs() -> None:
    period = EPOCHS_BETWEEN * SLOTS_PER_EPOCH
    for index in (0, 1, 319, 320, 1_000_003):
        due = [
            slot
            for slot in range(7, 7 + period)
            if is_due(index, Slot(slot), slots_per_epoch=SLOTS_PER_EPOCH)
        ]
        assert [slot % period for slot in due] == [index % period]


def test_beacon_nodes_are_asked_nothing() -> None:
    at = desk()
    assert at.duty.provide(AttestationDataQuery(SLOT), Unavailable(Reason.BN_DOWN)) == []
    assert not at.queries
