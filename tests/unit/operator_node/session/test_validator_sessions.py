"""A validator's sessions: consensus kept per role, slots that only rise, messages that overlap."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from operator_node.duties import ExitDuty, ProposerDuty, RegistrationDuty
from operator_node.duties.reasons import Reason
from operator_node.duties.types import Duty, Finish
from operator_node.qbft.drafts import commit
from operator_node.session.validator import SESSIONS_KEPT
from operator_node.wire.codec import encode_consensus, encode_envelope
from operator_node.wire.faults import Complain, Fault, ProtocolFault
from operator_node.wire.ids import BeaconRole, MessageId, RunnerRole, validator_message_id
from operator_node.wire.messages import (
    Envelope,
    EnvelopeKind,
    PartialKind,
    Received,
    ReceivedPartials,
    SignedMessage,
)
from operator_node.wire.value_codec import value_root
from sdk.types import OperatorId, Slot
from tests.unit.operator_node.duties.single_validator import (
    INDEX,
    KEY,
    SHARE,
    duty_of,
    message,
)
from tests.unit.operator_node.qbft.acting import signature_of
from tests.unit.operator_node.session.operators import (
    DOMAIN,
    SLOT,
    setting_of,
    slot_after,
    validator_sessions,
)

PROPOSER_ID = validator_message_id(DOMAIN, RunnerRole.PROPOSER, KEY)
REGISTRATION_ID = validator_message_id(DOMAIN, RunnerRole.VALIDATOR_REGISTRATION, KEY)
EXIT_ID = validator_message_id(DOMAIN, RunnerRole.VOLUNTARY_EXIT, KEY)


def proposal_at(slot: Slot) -> Duty:
    return ProposerDuty(setting_of(1), duty_of(BeaconRole.PROPOSER, slot), SHARE)


def registration_at(slot: Slot) -> Duty:
    return RegistrationDuty(setting_of(1), duty_of(BeaconRole.VALIDATOR_REGISTRATION, slot), SHARE)


def decision_at(height: int) -> Received:
    value = b"whatever"
    draft = commit(PROPOSER_ID, height, 1, value_root(value))
    envelope = Envelope(EnvelopeKind.CONSENSUS, PROPOSER_ID, encode_consensus(draft.body))
    covered = encode_envelope(envelope)
    signers = tuple(OperatorId(each) for each in (1, 2, 3))
    signatures = tuple(signature_of(each, covered) for each in signers)
    return Received(SignedMessage(signatures, signers, envelope, value), draft.body)


def partials_to(message_id: MessageId, slot: Slot, kind: PartialKind) -> ReceivedPartials:
    received = message(2, [b"\x01" * 32], slot=slot, kind=kind, index=INDEX)
    envelope = replace(received.signed.message, id=message_id)
    return ReceivedPartials(replace(received.signed, message=envelope), received.body)


def fault_in(effects: list[object]) -> Fault:
    (complaint,) = effects
    assert isinstance(complaint, Complain)
    return complaint.fault


def test_decision_of_another_slot_is_refused_and_bars_earlier_duties() -> None:
    sessions = validator_sessions()
    session = sessions.prepare(proposal_at(SLOT)).session
    session.begin()
    delivery = sessions.receive(decision_at(SLOT + 5))
    assert delivery.session is session
    assert fault_in([*delivery.effects]) is Fault.DECIDED_OTHER_HEIGHT
    with pytest.raises(ProtocolFault) as caught:
        sessions.prepare(proposal_at(slot_after(5)))
    assert caught.value.fault is Fault.DUTY_PASSED
    assert sessions.prepare(proposal_at(slot_after(6))).session.begin()


def test_role_without_consensus_goes_on_from_its_last_slot() -> None:
    sessions = validator_sessions()
    sessions.prepare(registration_at(SLOT))
    for slot in (SLOT, Slot(SLOT - 1)):
        with pytest.raises(ProtocolFault) as caught:
            sessions.prepare(registration_at(slot))
        assert caught.value.fault is Fault.DUTY_PASSED
    assert sessions.prepare(registration_at(slot_after(1))).dropped == []


def test_duty_begun_again_in_its_slot_ends_the_first() -> None:
    """The height does not rise before consensus opens; such a duty may start over."""
    sessions = validator_sessions()
    sessions.prepare(proposal_at(SLOT)).session.begin()
    (finish,) = sessions.prepare(proposal_at(SLOT)).dropped
    assert isinstance(finish, Finish)
    assert finish.outcome.reason is Reason.SIGNER_DOWN


def test_latest_duties_stay_reachable_and_older_ones_end() -> None:
    sessions = validator_sessions()
    begun = []
    for number in range(SESSIONS_KEPT):
        begun.append(sessions.prepare(proposal_at(slot_after(number))).session)
        begun[-1].begin()
    delivery = sessions.receive(partials_to(PROPOSER_ID, SLOT, PartialKind.RANDAO))
    assert delivery.session is begun[0]
    (finish,) = sessions.prepare(proposal_at(slot_after(SESSIONS_KEPT))).dropped
    assert isinstance(finish, Finish)
    assert finish.outcome.slot == SLOT
    assert len(sessions.sessions()) == SESSIONS_KEPT


@pytest.mark.parametrize(("distance", "fault"), [(-1, Fault.PAST_SLOT), (1, Fault.FUTURE_SLOT)])
def test_message_of_an_unknown_slot_goes_to_the_latest_duty(distance: int, fault: Fault) -> None:
    sessions = validator_sessions()
    session = sessions.prepare(proposal_at(SLOT)).session
    session.begin()
    received = partials_to(PROPOSER_ID, slot_after(distance), PartialKind.RANDAO)
    delivery = sessions.receive(received)
    assert delivery.session is session
    assert fault_in([*delivery.effects]) is fault


def test_message_before_any_duty_finds_none_running() -> None:
    delivery = validator_sessions().receive(partials_to(PROPOSER_ID, SLOT, PartialKind.RANDAO))
    assert delivery.session is None
    assert fault_in([*delivery.effects]) is Fault.NO_RUNNING_DUTY


def test_roles_without_consensus_name_their_own_faults() -> None:
    sessions = validator_sessions()
    exit_duty = ExitDuty(setting_of(1), duty_of(BeaconRole.VOLUNTARY_EXIT, SLOT), SHARE)
    for duty, message_id, no_consensus, no_post in (
        (
            registration_at(SLOT),
            REGISTRATION_ID,
            Fault.REGISTRATION_HAS_NO_CONSENSUS,
            Fault.REGISTRATION_HAS_NO_POST_CONSENSUS,
        ),
        (exit_duty, EXIT_ID, Fault.EXIT_HAS_NO_CONSENSUS, Fault.EXIT_HAS_NO_POST_CONSENSUS),
    ):
        sessions.prepare(duty).session.begin()
        decision = decision_at(SLOT)
        envelope = replace(decision.signed.message, id=message_id)
        foreign = Received(replace(decision.signed, message=envelope), decision.body)
        assert fault_in([*sessions.receive(foreign).effects]) is no_consensus
        late = partials_to(message_id, SLOT, PartialKind.POST_CONSENSUS)
        assert fault_in([*sessions.receive(late).effects]) is no_post


def test_role_of_another_generation_is_refused() -> None:
    duty = proposal_at(SLOT)
    duty.role = RunnerRole.AGGREGATOR
    with pytest.raises(ProtocolFault) as caught:
        validator_sessions().prepare(duty)
    assert caught.value.fault is Fault.NO_RUNNER
