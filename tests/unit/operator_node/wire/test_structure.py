from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from operator_node.wire.codec import encode_signed
from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.generations import Generation
from operator_node.wire.ids import committee_message_id
from operator_node.wire.messages import Envelope, EnvelopeKind
from operator_node.wire.structure import (
    check_consensus,
    check_envelope,
    check_partials,
    check_signed,
    sole_signer,
)
from sdk.types import OperatorId
from tests.unit.operator_node.wire.examples import (
    COMMITTEE,
    DOMAIN,
    ENVELOPE,
    PARTIAL,
    PARTIALS,
    PREPARE,
    SIGNED,
)

NEGATIVE_ROLE = committee_message_id(DOMAIN, -1, COMMITTEE)
NO_ENVELOPE = Envelope(3, NEGATIVE_ROLE, b"")
"""Breaks every rule of envelopes."""


def fault(check: Callable[..., object], *arguments: object) -> Fault:
    with pytest.raises(ProtocolFault) as caught:
        check(*arguments)
    return caught.value.fault


def signed(*signers: int, signatures: tuple[bytes, ...] = (b"s",), **other: Any) -> Any:
    ids = tuple(OperatorId(signer) for signer in signers)
    return replace(SIGNED, signers=ids, signatures=signatures, **other)


# --- signed messages -----------------------------------------------------------------------


@pytest.mark.parametrize("generation", Generation)
@pytest.mark.parametrize("message", [SIGNED, signed(3, 1, signatures=(b"a", b"b"))])
def test_signers_in_any_order_with_a_signature_each_pass(
    message: Any, generation: Generation
) -> None:
    check_signed(message, generation)
    assert len(message.signers) == len(message.signatures)


@pytest.mark.parametrize("generation", Generation)
@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (signed(signatures=(), message=NO_ENVELOPE), Fault.NO_SIGNERS),
        (signed(1, 1, signatures=(), message=NO_ENVELOPE), Fault.SIGNER_REPEATED),
        (signed(0, signatures=(), message=NO_ENVELOPE), Fault.SIGNER_ZERO),
        (signed(1, 1, 0, signatures=()), Fault.SIGNER_REPEATED),
        (signed(1, 0, 1, signatures=()), Fault.SIGNER_ZERO),
        (signed(0, 0, signatures=()), Fault.SIGNER_ZERO),
        (signed(1, signatures=(), message=NO_ENVELOPE), Fault.NO_SIGNATURES),
        (signed(1, signatures=(b"s", b""), message=NO_ENVELOPE), Fault.EMPTY_SIGNATURE),
        (signed(1, signatures=(b"s", b"s"), message=NO_ENVELOPE), Fault.SIGNATURE_COUNT),
        (signed(1, 2, message=NO_ENVELOPE), Fault.SIGNATURE_COUNT),
    ],
)
def test_the_first_broken_rule_of_a_signed_message_is_named(
    message: Any, expected: Fault, generation: Generation
) -> None:
    assert fault(check_signed, message, generation) is expected


def test_boole_looks_into_the_envelope_and_alan_does_not() -> None:
    message = signed(1, message=NO_ENVELOPE)
    assert fault(check_signed, message, Generation.BOOLE) is Fault.MESSAGE_TYPE
    check_signed(message, Generation.ALAN)


@pytest.mark.parametrize("kind", EnvelopeKind)
def test_every_known_kind_of_envelope_passes(kind: EnvelopeKind) -> None:
    check_envelope(replace(ENVELOPE, kind=kind))
    assert kind <= EnvelopeKind.DKG


def test_an_unknown_kind_of_envelope_is_named_before_its_role() -> None:
    assert fault(check_envelope, NO_ENVELOPE) is Fault.MESSAGE_TYPE


def test_an_unknown_positive_role_passes_and_a_negative_one_does_not() -> None:
    check_envelope(replace(ENVELOPE, id=committee_message_id(DOMAIN, 2**31 - 1, COMMITTEE)))
    assert fault(check_envelope, replace(ENVELOPE, id=NEGATIVE_ROLE)) is Fault.ROLE_INVALID


def test_a_sole_signer_is_neither_none_nor_several() -> None:
    assert sole_signer(signed(7)) == 7
    assert fault(sole_signer, signed()) is Fault.SEVERAL_SIGNERS
    assert fault(sole_signer, signed(1, 2)) is Fault.SEVERAL_SIGNERS


# --- consensus messages --------------------------------------------------------------------


@pytest.mark.parametrize("generation", Generation)
def test_justifications_that_decode_pass(generation: Generation) -> None:
    encoded = encode_signed(replace(SIGNED, full_data=b""))
    message = replace(
        PREPARE,
        kind=3,
        round_change_justification=(encoded, encoded),
        prepare_justification=(encoded,),
    )
    check_consensus(message, generation)
    assert message.kind == 3


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"identifier": bytes(55)}, Fault.IDENTIFIER),
        ({"identifier": b""}, Fault.IDENTIFIER),
        (
            {"identifier": b"", "round_change_justification": (b"",), "kind": 4, "round": 0},
            Fault.IDENTIFIER,
        ),
        ({"round_change_justification": (b"",), "kind": 4, "round": 0}, Fault.MALFORMED),
        ({"prepare_justification": (b"",), "kind": 4, "round": 0}, Fault.MALFORMED),
        ({"kind": 4, "round": 0}, Fault.MESSAGE_TYPE),
        ({"round": 0}, Fault.ROUND_ZERO),
    ],
)
def test_the_first_broken_rule_of_a_consensus_message_is_named(
    change: dict[str, Any], expected: Fault
) -> None:
    assert fault(check_consensus, replace(PREPARE, **change), Generation.BOOLE) is expected


def test_round_changes_are_decoded_before_prepares() -> None:
    message = replace(
        PREPARE, round_change_justification=(bytes(3),), prepare_justification=(bytes(5),)
    )
    with pytest.raises(ProtocolFault, match="got 3"):
        check_consensus(message, Generation.BOOLE)


def test_justifications_have_the_limits_of_their_generation() -> None:
    data = bytes(Generation.ALAN.limits.message_data_bytes + 1)
    encoded = encode_signed(replace(SIGNED, message=replace(ENVELOPE, data=data)))
    message = replace(PREPARE, round_change_justification=(encoded,))
    check_consensus(message, Generation.BOOLE)
    assert fault(check_consensus, message, Generation.ALAN) is Fault.MALFORMED


# --- partial signatures --------------------------------------------------------------------


def partials(*signers: int) -> Any:
    items = tuple(replace(PARTIAL, signer=OperatorId(signer)) for signer in signers)
    return replace(PARTIALS, items=items)


def test_partial_signatures_of_their_sender_pass_whatever_their_kind() -> None:
    message = replace(partials(4, 4, 4), kind=99)
    check_partials(message, OperatorId(4))
    assert len(message.items) == 3


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (partials(), Fault.NO_PARTIAL_SIGNATURES),
        (partials(1, 0), Fault.INCONSISTENT_SIGNERS),
        (partials(4, 4, 1), Fault.INCONSISTENT_SIGNERS),
        (partials(0, 0), Fault.SIGNER_ZERO),
        (partials(1, 1), Fault.SIGNER_NOT_SENDER),
    ],
)
def test_the_first_broken_rule_of_partial_signatures_is_named(
    message: Any, expected: Fault
) -> None:
    assert fault(check_partials, message, OperatorId(4)) is expected
