"""The waiting room: what overtook its duty, proposal or decision is offered again, bounded."""

from __future__ import annotations

from msgspec.structs import replace

from operator_node.session.early import BYTES_PER_SENDER, MESSAGES_PER_SENDER
from operator_node.wire.codec import decode_consensus
from operator_node.wire.faults import Fault
from operator_node.wire.messages import ConsensusKind, EnvelopeKind, Received, SignedMessage
from tests.unit.operator_node.duties.single_validator import OPERATORS
from tests.unit.operator_node.session.operators import (
    LEADER,
    OTHERS,
    SLOT,
    Cluster,
    Operator,
    committee_cluster,
    committee_sessions,
    prepare,
)

LATE = OTHERS[0]


def recorded() -> tuple[Cluster, list[SignedMessage]]:
    """A whole duty in which one operator hears nothing; and everything that was sent."""
    cluster = committee_cluster(begin=[each for each in OPERATORS if each != LATE])
    cluster.is_lost = lambda _from, to, _what: to == LATE
    cluster.run()
    return cluster, [each for each in cluster.sent if len(each.signers) == 1]


def late_operator(*, is_prepared: bool = True) -> Operator:
    operator = Operator(LATE, committee_sessions(LATE))
    if is_prepared:
        prepare(operator)
    return operator


def begin(operator: Operator) -> None:
    (session,) = operator.sessions.sessions()
    operator.begin(session)


def finish_alone(operator: Operator) -> None:
    """Its own messages come back to it."""
    while operator.out:
        signed, _ = operator.out.pop(0)
        operator.receive(signed)


def test_messages_before_the_beginning_are_all_used_after_it() -> None:
    _, messages = recorded()
    operator = late_operator()
    for signed in messages:
        operator.receive(signed)
    assert len(operator.room) == len(messages)
    assert operator.complaints == []
    begin(operator)
    finish_alone(operator)
    assert operator.sessions.sessions()[0].duty.decided_value
    assert len(operator.room) == 0
    assert len(operator.outcomes) == 1


def test_messages_before_the_duty_was_prepared_are_kept_too() -> None:
    _, messages = recorded()
    operator = late_operator(is_prepared=False)
    for signed in messages:
        operator.receive(signed)
    prepare(operator)
    begin(operator)
    finish_alone(operator)
    assert len(operator.outcomes) == 1


def test_messages_in_reverse_order_still_decide() -> None:
    _, messages = recorded()
    operator = late_operator()
    begin(operator)
    for signed in reversed(messages):
        operator.receive(signed)
    finish_alone(operator)
    assert operator.sessions.sessions()[0].duty.decided_value
    assert len(operator.outcomes) == 1


def test_votes_wait_for_their_proposal() -> None:
    _, messages = recorded()
    operator = late_operator()
    begin(operator)
    consensus = [each for each in messages if each.message.kind == EnvelopeKind.CONSENSUS]
    proposals = [each for each in consensus if is_proposal(each)]
    votes = [each for each in consensus if not is_proposal(each)]
    for signed in votes:
        operator.receive(signed)
    assert len(operator.room) == len(votes)
    for signed in proposals:
        operator.receive(signed)
    assert len(operator.room) == 0
    assert operator.sessions.sessions()[0].duty.decided_value


def test_partial_signatures_wait_for_the_decision() -> None:
    _, messages = recorded()
    operator = late_operator()
    begin(operator)
    partials = [each for each in messages if each.message.kind != EnvelopeKind.CONSENSUS]
    for signed in partials:
        operator.receive(signed)
    assert Fault.NO_DECIDED_VALUE not in operator.faults
    for signed in messages:
        if signed not in partials:
            operator.receive(signed)
    finish_alone(operator)
    assert len(operator.outcomes) == 1


def test_one_sender_fills_only_its_own_places() -> None:
    operator = late_operator()
    _, messages = recorded()
    leaders = next(each for each in messages if each.signers == (LEADER,))
    others = next(each for each in messages if each.signers != (LEADER,))
    for _ in range(MESSAGES_PER_SENDER + 10):
        operator.room.deliver(as_received(leaders))
    assert len(operator.room) == MESSAGES_PER_SENDER
    operator.room.deliver(as_received(others))
    assert len(operator.room) == MESSAGES_PER_SENDER + 1


def test_large_messages_are_bounded_in_bytes_over_all_duties_of_the_room() -> None:
    operator = late_operator(is_prepared=False)
    _, messages = recorded()
    proposal = as_received(next(each for each in messages if is_proposal(each)))
    large = replace(proposal.signed, full_data=bytes(BYTES_PER_SENDER // 2))
    for slots in range(5):
        body = replace(proposal.body, height=SLOT + slots)
        operator.room.deliver(Received(large, body))
    assert len(operator.room) == 1


def test_round_change_that_prepared_nothing_is_kept_without_data() -> None:
    """Nobody looks at it, and a member could send 8 MB of it for every round and slot."""
    operator = late_operator(is_prepared=False)
    _, messages = recorded()
    vote = as_received(next(each for each in messages if is_proposal(each)))
    body = replace(vote.body, kind=ConsensusKind.ROUND_CHANGE, round=2, root=bytes(32))
    change = Received(vote.signed, body)
    for _ in range(3):
        heavy = replace(change.signed, full_data=bytes(BYTES_PER_SENDER // 2))
        operator.room.deliver(replace(change, signed=heavy))
    assert len(operator.room) == 3


def test_decided_message_is_charged_to_nobody_and_kept_once_per_duty() -> None:
    operator = late_operator(is_prepared=False)
    cluster, messages = recorded()
    decided = as_received(next(each for each in cluster.sent if len(each.signers) > 1))
    first = decided.signed.signers[0]
    votes = [each for each in messages if each.message.kind == EnvelopeKind.CONSENSUS]
    own = [as_received(each) for each in votes if each.signers == (first,)]
    for _ in range(MESSAGES_PER_SENDER + 10):
        operator.room.deliver(decided)
    assert len(operator.room) == 1
    for vote in own:
        operator.room.deliver(vote)
    assert len(operator.room) == 1 + len(own)


def test_decided_message_with_its_value_takes_the_place_of_one_without() -> None:
    operator = late_operator()
    cluster, _ = recorded()
    decided = as_received(next(each for each in cluster.sent if len(each.signers) > 1))
    for spoiled in (b"", b"exchanged"):
        operator.room.deliver(replace(decided, signed=replace(decided.signed, full_data=spoiled)))
    operator.room.deliver(decided)
    operator.room.deliver(replace(decided, signed=replace(decided.signed, full_data=b"")))
    begin(operator)
    assert operator.sessions.sessions()[0].duty.decided_value == decided.signed.full_data


def test_forgetting_drops_earlier_slots_only() -> None:
    operator = late_operator()
    _, messages = recorded()
    operator.room.deliver(as_received(messages[0]))
    operator.room.forget_before(SLOT)
    assert len(operator.room) == 1
    operator.room.forget_before(SLOT + 1)
    assert len(operator.room) == 0


def test_refusals_that_time_does_not_heal_are_told_at_once() -> None:
    operator = late_operator()
    begin(operator)
    _, messages = recorded()
    proposal = next(each for each in messages if is_proposal(each))
    body = replace(as_received(proposal).body, height=SLOT, identifier=b"\x01" * 56)
    (delivery,) = operator.room.deliver(Received(proposal, body))
    assert [getattr(effect, "fault", None) for effect in delivery.effects] == [Fault.IDENTIFIER]


def is_proposal(signed: SignedMessage) -> bool:
    if signed.message.kind != EnvelopeKind.CONSENSUS:
        return False
    return decode_consensus(signed.message.data).kind == ConsensusKind.PROPOSAL


def as_received(signed: SignedMessage) -> Received:
    return Received(signed, decode_consensus(signed.message.data))
