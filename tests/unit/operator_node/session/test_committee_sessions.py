"""A committee's sessions: one per slot and role, bounded, found by their messages."""

from __future__ import annotations

import pytest

from operator_node.duties.reasons import Reason
from operator_node.duties.types import CommitteeDuty, Finish
from operator_node.session import CommitteeSessions, Prepared
from operator_node.session.committee import SLOTS_KEPT
from operator_node.wire.faults import Complain, Fault, ProtocolFault
from operator_node.wire.ids import (
    BeaconRole,
    RunnerRole,
    committee_id,
    committee_message_id,
)
from operator_node.wire.messages import Envelope, ReceivedPartials, SignedMessage
from sdk.errors import UsageError
from sdk.types import Slot
from tests.unit.operator_node.duties.many_validators import SHARES, duty_for, partials_of
from tests.unit.operator_node.duties.single_validator import OPERATORS
from tests.unit.operator_node.session.operators import (
    DOMAIN,
    SLOT,
    committee_sessions,
    slot_after,
)

COMMITTEE, AGGREGATION = RunnerRole.COMMITTEE, RunnerRole.AGGREGATOR_COMMITTEE


def votes_at(slot: Slot) -> CommitteeDuty:
    return CommitteeDuty(slot, (duty_for(BeaconRole.ATTESTER, 17, slot),))


def aggregates_at(slot: Slot) -> CommitteeDuty:
    return CommitteeDuty(slot, (duty_for(BeaconRole.AGGREGATOR, 17, slot),))


def prepare(sessions: CommitteeSessions, slot: Slot) -> Prepared:
    return sessions.prepare(COMMITTEE, votes_at(slot), SHARES)


def message_to(role: RunnerRole, slot: Slot) -> ReceivedPartials:
    message_id = committee_message_id(DOMAIN, role, committee_id(OPERATORS))
    received = partials_of(2, [(17, b"\x01" * 32)], slot=slot)
    envelope = Envelope(1, message_id, b"")
    return ReceivedPartials(
        SignedMessage(received.signed.signatures, received.signed.signers, envelope), received.body
    )


def test_both_roles_of_a_slot_have_their_own_session() -> None:
    sessions = committee_sessions()
    votes = prepare(sessions, SLOT).session
    aggregation = sessions.prepare(AGGREGATION, aggregates_at(SLOT), SHARES).session
    assert sessions.receive(message_to(COMMITTEE, SLOT)).session is votes
    assert sessions.receive(message_to(AGGREGATION, SLOT)).session is aggregation
    assert sessions.sessions() == (votes, aggregation)


def test_message_without_a_session_finds_no_runner() -> None:
    sessions = committee_sessions()
    prepare(sessions, SLOT)
    delivery = sessions.receive(message_to(COMMITTEE, slot_after(1)))
    assert delivery.session is None
    (complaint,) = delivery.effects
    assert isinstance(complaint, Complain)
    assert complaint.fault is Fault.NO_RUNNER


def test_slot_is_prepared_once() -> None:
    sessions = committee_sessions()
    prepare(sessions, SLOT)
    with pytest.raises(ProtocolFault) as caught:
        prepare(sessions, SLOT)
    assert caught.value.fault is Fault.DUTY_PASSED


def test_duties_are_checked_before_they_take_the_slot() -> None:
    sessions = committee_sessions()
    with pytest.raises(ProtocolFault):
        sessions.prepare(COMMITTEE, aggregates_at(SLOT), SHARES)
    with pytest.raises(UsageError):
        sessions.prepare(COMMITTEE, votes_at(SLOT), {})
    assert sessions.sessions() == ()


def test_role_of_a_validator_is_refused() -> None:
    with pytest.raises(ProtocolFault) as caught:
        committee_sessions().prepare(RunnerRole.PROPOSER, votes_at(SLOT), SHARES)
    assert caught.value.fault is Fault.ROLE_NOT_OF_COMMITTEE


def test_oldest_session_makes_room_and_tells_its_outcome() -> None:
    sessions = committee_sessions()
    for number in range(SLOTS_KEPT):
        prepared = prepare(sessions, slot_after(number))
        prepared.session.begin()
        assert prepared.dropped == []
    (finish,) = prepare(sessions, slot_after(SLOTS_KEPT)).dropped
    assert isinstance(finish, Finish)
    assert (finish.outcome.slot, finish.outcome.reason) == (SLOT, Reason.NO_PROPOSAL)
    assert len(sessions.sessions()) == SLOTS_KEPT


def test_forgotten_session_tells_its_outcome_and_is_gone() -> None:
    sessions = committee_sessions()
    prepare(sessions, SLOT).session.begin()
    (finish,) = sessions.forget(COMMITTEE, SLOT)
    assert isinstance(finish, Finish)
    assert sessions.sessions() == ()
    assert sessions.forget(COMMITTEE, SLOT) == []
