"""What justifies a proposal of a later round, rule by rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest
from msgspec.structs import replace

from operator_node.qbft import drafts
from operator_node.qbft.justify import PROOFS_KEPT, Justification, Proof, own_proof
from operator_node.wire.codec import encode_signed, signs_over
from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.ids import MessageId
from operator_node.wire.messages import EnvelopeKind, Received, SignedMessage
from sdk.types import OperatorId
from tests.unit.operator_node.qbft.acting import (
    HEIGHT,
    OTHER,
    OTHER_ROOT,
    ROOT,
    VALUE,
    change,
    commit,
    holds,
    prepare,
    prepares,
    setup_of,
    sign,
    signature_of,
)

ROUND = 3


@dataclass(slots=True)
class CountingVerify:
    asked: list[SignedMessage] = field(default_factory=list)

    def __call__(self, signed: SignedMessage) -> bool:
        self.asked.append(signed)
        return holds(signed)


def justification() -> Justification:
    return Justification(setup_of(), HEIGHT)


def check(changes: Iterable[Received], proof: Iterable[Received] = (), root: bytes = ROOT) -> None:
    rules = justification()
    rules.check_proposal(
        ROUND,
        root,
        rules.read(drafts.encoded([*changes])),
        rules.read(drafts.encoded([*proof])),
    )


def fault_of(call: Callable[[], object]) -> Fault:
    with pytest.raises(ProtocolFault) as caught:
        call()
    return caught.value.fault


def plain(*operators: int) -> list[Received]:
    return [change(operator, ROUND) for operator in operators]


def prepared(
    operator: int, value: bytes = VALUE, *, data_round: int = 1, by: Iterable[int] = (1, 2, 3)
) -> Received:
    root = ROOT if value == VALUE else OTHER_ROOT
    votes = prepares(by, root, round_=data_round)
    return change(operator, ROUND, value=value, data_round=data_round, prepared_by=votes)


def forged(received: Received) -> Received:
    signed = received.signed
    return Received(replace(signed, signatures=(b"forged",) * len(signed.signers)), received.body)


def test_a_quorum_of_unprepared_round_changes_justifies_any_value() -> None:
    check(plain(1, 2, 3))
    check(plain(4, 3, 2, 1), root=OTHER_ROOT)


def test_round_changes_below_a_quorum_justify_nothing() -> None:
    assert fault_of(lambda: check(plain(1, 2))) is Fault.ROUND_CHANGE_QUORUM


def test_a_repeated_round_change_does_not_make_a_quorum() -> None:
    assert fault_of(lambda: check(plain(1, 2, 2))) is Fault.ROUND_CHANGE_QUORUM


def test_a_prepared_value_needs_its_prepares() -> None:
    changes = [prepared(1), *plain(2, 3)]
    check(changes, prepares([1, 2, 3]))
    assert fault_of(lambda: check(changes, prepares([1, 2]))) is Fault.PREPARE_QUORUM


def test_prepares_of_one_signer_twice_are_no_quorum() -> None:
    votes = prepares([1, 2, 2])
    assert fault_of(lambda: check([prepared(1), *plain(2, 3)], votes)) is Fault.PREPARE_QUORUM


def test_the_highest_prepared_round_decides_the_value() -> None:
    changes = [prepared(1), prepared(2, data_round=2), *plain(3)]
    check(changes, prepares([1, 2, 3], round_=2))
    old = prepares([1, 2, 3], round_=1)
    assert fault_of(lambda: check(changes, old)) is Fault.PREPARE_IN_JUSTIFICATION


def test_a_round_change_prepared_for_another_value_spoils_the_proposal() -> None:
    """It is checked against the proposal's data, although its own was for another value."""
    changes = [prepared(1), prepared(2, OTHER, data_round=2), *plain(3)]
    votes = prepares([1, 2, 3], OTHER_ROOT, round_=2)
    assert fault_of(lambda: check(changes, votes, OTHER_ROOT)) is Fault.DATA_NOT_OF_ROOT


def test_another_value_than_the_prepared_one_is_refused() -> None:
    changes = [prepared(1), *plain(2, 3)]
    refused = fault_of(lambda: check(changes, prepares([1, 2, 3]), OTHER_ROOT))
    assert refused is Fault.DATA_NOT_OF_ROOT


@pytest.mark.parametrize(
    "wrong",
    [
        prepare(3, OTHER_ROOT),
        prepare(3, round_=2),
        prepare(3, height=HEIGHT + 1),
        prepare(5),
        forged(prepare(3)),
        commit(3),
        sign(prepare(3).body, 3, 4),
        sign(replace(prepare(3).body, identifier=bytes([1]) * 56), 3),
    ],
    ids=[
        "root",
        "round",
        "height",
        "stranger",
        "signature",
        "kind",
        "two signers",
        "identifier",
    ],
)
def test_a_wrong_prepare_spoils_the_proposal(wrong: Received) -> None:
    votes = [*prepares([1, 2]), wrong]
    refused = fault_of(lambda: check([prepared(1), *plain(2, 3)], votes))
    assert refused is Fault.PREPARE_IN_JUSTIFICATION


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        (prepare(3), Fault.MESSAGE_TYPE),
        (change(3, ROUND, height=HEIGHT + 1), Fault.WRONG_HEIGHT),
        (change(3, ROUND - 1), Fault.WRONG_ROUND),
        (sign(change(3, ROUND).body, 3, 4), Fault.SEVERAL_SIGNERS),
        (sign(change(3, ROUND).body, 0), Fault.SIGNER_ZERO),
        (change(5, ROUND), Fault.SIGNER_NOT_IN_COMMITTEE),
        (forged(change(3, ROUND)), Fault.JUSTIFICATION_SIGNATURE),
        (sign(replace(change(3, ROUND).body, identifier=bytes([1]) * 56), 3), Fault.IDENTIFIER),
        (sign(replace(change(3, ROUND).body, identifier=b"short"), 3), Fault.IDENTIFIER),
        (prepared(3, by=[1, 2]), Fault.JUSTIFICATION_QUORUM),
        (prepared(3, by=[1, 2, 2]), Fault.JUSTIFICATION_QUORUM),
        (prepared(3, data_round=4), Fault.PREPARED_ROUND_AHEAD),
        (
            change(3, ROUND, value=VALUE, prepared_by=prepares([1, 2, 3], round_=2)),
            Fault.WRONG_ROUND,
        ),
        (
            change(3, ROUND, value=VALUE, prepared_by=prepares([1, 2, 3], OTHER_ROOT)),
            Fault.OTHER_ROOT,
        ),
        (
            change(3, ROUND, value=VALUE, prepared_by=[*prepares([1, 2]), forged(prepare(3))]),
            Fault.JUSTIFICATION_SIGNATURE,
        ),
    ],
)
def test_a_wrong_round_change_spoils_the_proposal(wrong: Received, fault: Fault) -> None:
    assert fault_of(lambda: check([*plain(1, 2), wrong], prepares([1, 2, 3]))) is fault


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"kind": EnvelopeKind.PARTIAL_SIGNATURES}, Fault.MESSAGE_TYPE),
        ({"id": MessageId(bytes([1]) * 56)}, Fault.IDENTIFIER),
    ],
)
def test_a_message_that_was_signed_under_another_envelope_proves_nothing(
    fields: dict[str, Any], fault: Fault
) -> None:
    """The signature holds: it is over this envelope."""
    envelope = replace(change(3, ROUND).signed.message, **fields)
    covered = signs_over(SignedMessage((), (), envelope))
    signed = SignedMessage((signature_of(3, covered),), (OperatorId(3),), envelope)
    assert holds(signed)
    stray = Received(signed, change(3, ROUND).body)
    assert fault_of(lambda: check([*plain(1, 2), stray])) is fault


@pytest.mark.parametrize("entry", [b"", b"rubbish", bytes(200)])
def test_a_justification_that_is_no_message_is_malformed(entry: bytes) -> None:
    assert fault_of(lambda: justification().read([entry])) is Fault.MALFORMED


def test_a_justification_whose_content_is_no_consensus_message_is_malformed() -> None:
    signed = prepare(1).signed
    hollow = replace(signed, message=replace(signed.message, data=b"short"))
    assert fault_of(lambda: justification().read([encode_signed(hollow)])) is Fault.MALFORMED


def test_the_signature_of_identical_bytes_is_verified_once() -> None:
    verify = CountingVerify()
    rules = Justification(setup_of(verify=verify), HEIGHT)
    changes = drafts.encoded([prepared(1), *plain(2, 3)])
    votes = drafts.encoded(prepares([1, 2, 3]))
    for _attempt in range(3):
        rules.check_proposal(ROUND, ROOT, rules.read(changes), rules.read(votes))
    assert len(verify.asked) == 6


def test_a_bad_signature_is_remembered_as_bad() -> None:
    verify = CountingVerify()
    rules = Justification(setup_of(verify=verify), HEIGHT)
    entries = drafts.encoded([forged(change(1, ROUND)), *plain(2, 3)])
    for _attempt in range(2):
        refused = fault_of(lambda: rules.check_proposal(ROUND, ROOT, rules.read(entries), []))
        assert refused is Fault.JUSTIFICATION_SIGNATURE
    assert len(verify.asked) == 1


def test_the_memory_of_proofs_is_bounded_and_forgets_the_oldest() -> None:
    rules = justification()
    first = rules.read(drafts.encoded([change(1, ROUND)]))[0]
    assert rules.read(drafts.encoded([change(1, ROUND)]))[0] is first
    for height in range(PROOFS_KEPT):
        rules.read(drafts.encoded([prepare(1, height=height)]))
    assert rules.read(drafts.encoded([change(1, ROUND)]))[0] is not first


def test_own_stored_messages_are_not_verified_again() -> None:
    verify = CountingVerify()
    rules = Justification(setup_of(verify=verify), HEIGHT)
    rules.check_proposal(ROUND, ROOT, [own_proof(each) for each in plain(1, 2, 3)], [])
    assert verify.asked == []
    assert own_proof(change(1)) == Proof(change(1).signed, change(1).body, is_authentic=True)
