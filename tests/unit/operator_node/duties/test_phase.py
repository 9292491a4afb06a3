"""One phase of a single validator's duty: whose messages count, and when a quorum is complete."""

from __future__ import annotations

import pytest

from operator_node.duties.phase import Phase
from operator_node.duties.reasons import Reason
from operator_node.duties.types import Publish, Recover, Recovered, Signed, SignItem, Withheld
from operator_node.signer.rules import BlockGuard
from operator_node.wire.faults import Complain, Fault, ProtocolFault
from operator_node.wire.messages import PartialKind, ReceivedPartials
from sdk.types import Slot
from tests.unit.operator_node.duties.single_validator import (
    INDEX,
    ME,
    SHARE,
    message,
    recover,
    recovered_signature,
    setting,
    stand_in,
)

SLOT = Slot(77)
ROOTS = (b"\x0a" * 32, b"\x0b" * 32, b"\x0a" * 32)
"""The first one twice."""
GUARD = BlockGuard(SLOT, ROOTS[0])


def phase(*roots: bytes) -> Phase:
    return Phase(
        setting(),
        SHARE,
        kind=PartialKind.CONTRIBUTION_PROOFS,
        slot=SLOT,
        roots=roots or ROOTS,
        guard=GUARD,
    )


def hear(at: Phase, *senders: int, is_good: bool = True) -> list[Recovered]:
    found: list[Recovered] = []
    for sender in senders:
        for command in at.receive(message(sender, at.roots, slot=SLOT, is_good=is_good)):
            assert isinstance(command, Recover)
            found += map(recover, command.requests)
    return found


def fault_of(received: ReceivedPartials) -> Fault:
    with pytest.raises(ProtocolFault) as found:
        phase().receive(received)
    return found.value.fault


def test_distinct_roots_are_signed_once_with_the_guard() -> None:
    assert phase().sign().items == tuple(SignItem(SHARE, root, GUARD) for root in ROOTS[:2])


def test_own_message_lists_every_root_in_order() -> None:
    at = phase()
    results = [Signed(item, stand_in(ME, item.root)) for item in reversed(at.sign().items)]
    assert not at.is_answered
    (command,) = at.publish(results)
    assert isinstance(command, Publish)
    assert (command.body.kind, command.body.slot) == (PartialKind.CONTRIBUTION_PROOFS, SLOT)
    assert [item.root for item in command.body.items] == list(ROOTS)
    assert {(item.signer, item.validator_index) for item in command.body.items} == {(ME, INDEX)}
    assert at.is_answered


def test_incomplete_message_is_not_published() -> None:
    at = phase()
    first, second = at.sign().items
    results: list[Signed | Withheld] = [
        Signed(first, stand_in(ME, first.root)),
        Withheld(second, Reason.SIGNER_DOWN),
    ]
    assert at.publish(results) == []
    assert at.is_answered


@pytest.mark.parametrize(
    ("received", "fault"),
    [
        (message(2, ROOTS, slot=Slot(76)), Fault.PAST_SLOT),
        (message(2, ROOTS, slot=Slot(78)), Fault.FUTURE_SLOT),
        (message(9, ROOTS, slot=SLOT), Fault.PARTIAL_SIGNER_NOT_IN_COMMITTEE),
        (message(2, ROOTS, slot=SLOT, index=18), Fault.UNKNOWN_VALIDATOR),
        (message(2, ROOTS[:2], slot=SLOT), Fault.ROOT_COUNT),
        (message(2, (*ROOTS, ROOTS[0]), slot=SLOT), Fault.ROOT_COUNT),
        (message(2, (ROOTS[0], ROOTS[1], ROOTS[1]), slot=SLOT), Fault.WRONG_SIGNING_ROOT),
    ],
)
def test_message_over_anything_else_is_refused(received: ReceivedPartials, fault: Fault) -> None:
    assert fault_of(received) is fault


def test_rules_break_in_their_order() -> None:
    wrong = message(9, (bytes(32),), slot=Slot(76), index=18)
    assert fault_of(wrong) is Fault.PAST_SLOT
    assert fault_of(message(2, (bytes(32),), slot=SLOT, index=18)) is Fault.UNKNOWN_VALIDATOR


def test_roots_count_in_any_order() -> None:
    at = phase()
    hear(at, 1)
    assert at.receive(message(2, (ROOTS[1], ROOTS[0], ROOTS[0]), slot=SLOT)) == []
    assert at.signers == {1, 2}


def test_quorum_is_recovered_once_per_distinct_root() -> None:
    at = phase()
    assert hear(at, 1, 2) == []
    found = hear(at, 3)
    assert [each.request.root for each in found] == list(ROOTS[:2])
    assert not at.is_complete
    assert at.recovered(found) == []
    assert at.signatures == {root: recovered_signature(root) for root in ROOTS}
    assert at.is_complete
    assert hear(at, 4) == []


def test_culprit_is_complained_of_and_the_next_message_recovers_again() -> None:
    at = phase(ROOTS[0])
    hear(at, 1)
    (complaint,) = at.recovered(hear(at, 2) + hear(at, 3, is_good=False))
    assert isinstance(complaint, Complain)
    assert (complaint.fault, complaint.blame) == (Fault.RECONSTRUCTION_FAILED, 3)
    assert not at.is_complete
    assert at.signers == {1, 2}
    assert at.recovered(hear(at, 4)) == []
    assert at.is_complete


def test_message_during_a_recovery_is_used_when_it_fails() -> None:
    at = phase(ROOTS[0])
    failed = hear(at, 1, 2) + hear(at, 3, is_good=False)
    assert hear(at, 4) == []
    again, complaint = at.recovered(failed)
    assert isinstance(again, Recover)
    assert isinstance(complaint, Complain)
    assert at.recovered([recover(each) for each in again.requests]) == []
    assert at.is_complete


def test_phase_over_nothing_is_complete_and_says_nothing() -> None:
    at = Phase(setting(), SHARE, kind=PartialKind.POST_CONSENSUS, slot=SLOT, roots=())
    assert at.is_complete
    assert at.publish([]) == []
    assert at.signers == frozenset()
