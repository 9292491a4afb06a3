from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from operator_node.wire import codec
from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.generations import Generation
from operator_node.wire.messages import (
    ConsensusMessage,
    Envelope,
    PartialSignatures,
    SignedMessage,
)
from sdk.errors import UsageError
from sdk.types import OperatorId
from tests.unit.operator_node.wire.examples import (
    ENVELOPE,
    PARTIAL,
    PARTIALS,
    PREPARE,
    SIGNED,
)

BOOLE = Generation.BOOLE
ALAN = Generation.ALAN


def malformed(decode: Callable[..., object], data: bytes, *generation: Generation) -> str:
    with pytest.raises(ProtocolFault) as caught:
        decode(data, *generation)
    assert caught.value.fault is Fault.MALFORMED
    return str(caught.value)


def with_offset(data: bytes, at: int, value: int) -> bytes:
    return data[:at] + value.to_bytes(4, "little") + data[at + 4 :]


# --- layout --------------------------------------------------------------------------------


def test_an_envelope_is_kind_id_offset_data() -> None:
    encoded = codec.encode_envelope(ENVELOPE)
    assert encoded == bytes(8) + ENVELOPE.id + b"\x44\x00\x00\x00" + b"content"
    assert codec.decode_envelope(encoded, BOOLE) == ENVELOPE


def test_a_signed_message_is_four_offsets_and_four_parts() -> None:
    envelope = codec.encode_envelope(ENVELOPE)
    encoded = codec.encode_signed(SIGNED)
    at = (16, 276, 284, 284 + len(envelope))
    assert encoded == b"".join(
        (
            *(each.to_bytes(4, "little") for each in at),
            b"\x04\x00\x00\x00" + b"\x05" * 256,
            b"\x01" + bytes(7),
            envelope,
            b"value",
        )
    )
    assert codec.decode_signed(encoded, BOOLE) == SIGNED


def test_signatures_cover_the_envelope_alone() -> None:
    other = replace(SIGNED, full_data=b"", signers=(OperatorId(2),), signatures=(b"x",))
    assert codec.signs_over(SIGNED) == codec.signs_over(other) == codec.encode_envelope(ENVELOPE)


@pytest.mark.parametrize("full_data", [b"", b"some full data"])
def test_signed_part_of_bytes_is_what_the_message_in_them_signs_over(full_data: bytes) -> None:
    message = replace(SIGNED, full_data=full_data)
    assert codec.signed_part(codec.encode_signed(message)) == codec.signs_over(message)


def test_a_plain_consensus_message_has_132_bytes() -> None:
    encoded = codec.encode_consensus(PREPARE)
    assert len(encoded) == 132
    assert encoded[:24] == b"".join(each.to_bytes(8, "little") for each in (1, 12, 1))
    assert encoded[24:60] == b"\x4c\x00\x00\x00" + PREPARE.root
    assert encoded[60:76] == bytes(8) + b"\x84\x00\x00\x00" * 2
    assert encoded[76:] == PREPARE.identifier
    assert codec.decode_consensus(encoded) == PREPARE


def test_a_partial_signature_adds_144_bytes_to_20() -> None:
    encoded = codec.encode_partials(PARTIALS)
    assert encoded[:20] == bytes(8) + b"\x0c" + bytes(7) + b"\x14\x00\x00\x00"
    assert encoded[20:] == b"\x06" * 96 + b"\x07" * 32 + b"\x01" + bytes(7) + b"\x05" + bytes(7)
    assert codec.decode_partials(encoded, BOOLE) == PARTIALS


@pytest.mark.parametrize(
    "message",
    [
        SignedMessage((), (), ENVELOPE),
        replace(SIGNED, signatures=(b"", b"a", b"bc"), signers=(OperatorId(2**64 - 1),)),
        replace(SIGNED, message=Envelope(2**64 - 1, ENVELOPE.id, b"")),
    ],
)
def test_signed_messages_survive_a_round_trip(message: SignedMessage) -> None:
    assert codec.decode_signed(codec.encode_signed(message), BOOLE) == message


def test_justifications_survive_a_round_trip() -> None:
    message = replace(
        PREPARE,
        identifier=b"short",
        data_round=3,
        round_change_justification=(b"", b"change"),
        prepare_justification=(b"first", b"second", b""),
    )
    assert codec.decode_consensus(codec.encode_consensus(message)) == message


# --- limits --------------------------------------------------------------------------------


@pytest.mark.parametrize("generation", Generation)
def test_envelope_data_ends_at_the_generations_limit(generation: Generation) -> None:
    full = replace(ENVELOPE, data=bytes(generation.limits.message_data_bytes))
    encoded = codec.encode_envelope(full)
    assert codec.decode_envelope(encoded, generation) == full
    assert "limit" in malformed(codec.decode_envelope, encoded + b"\x00", generation)


@pytest.mark.parametrize("generation", Generation)
def test_partial_signatures_end_at_the_generations_limit(generation: Generation) -> None:
    full = replace(PARTIALS, items=(PARTIAL,) * generation.limits.partial_signatures)
    assert codec.decode_partials(codec.encode_partials(full), generation) == full
    larger = codec.encode_partials(replace(full, items=(*full.items, PARTIAL)))
    malformed(codec.decode_partials, larger, generation)


@pytest.mark.parametrize(
    ("full", "larger"),
    [
        ({"signatures": (b"s",) * 13}, {"signatures": (b"s",) * 14}),
        ({"signatures": (bytes(256),)}, {"signatures": (bytes(257),)}),
        ({"signatures": (b"s", bytes(256))}, {"signatures": (b"s", bytes(257))}),
        ({"signers": (1,) * 13}, {"signers": (1,) * 14}),
        ({"full_data": bytes(8_388_836)}, {"full_data": bytes(8_388_837)}),
    ],
)
def test_lists_of_a_signed_message_end_at_their_limits(
    full: dict[str, tuple[bytes, ...]], larger: dict[str, tuple[bytes, ...]]
) -> None:
    message = replace(SIGNED, **full)
    assert codec.decode_signed(codec.encode_signed(message), ALAN) == message
    malformed(codec.decode_signed, codec.encode_signed(replace(SIGNED, **larger)), ALAN)


@pytest.mark.parametrize(
    ("full", "larger"),
    [
        ({"identifier": bytes(56)}, {"identifier": bytes(57)}),
        (
            {"round_change_justification": (b"",) * 13},
            {"round_change_justification": (b"",) * 14},
        ),
        (
            {"round_change_justification": (bytes(51_852),)},
            {"round_change_justification": (bytes(51_853),)},
        ),
        ({"prepare_justification": (b"",) * 13}, {"prepare_justification": (b"",) * 14}),
        ({"prepare_justification": (bytes(3_700),)}, {"prepare_justification": (bytes(3_701),)}),
    ],
)
def test_lists_of_a_consensus_message_end_at_their_limits(
    full: dict[str, bytes], larger: dict[str, bytes]
) -> None:
    message = replace(PREPARE, **full)
    assert codec.decode_consensus(codec.encode_consensus(message)) == message
    malformed(codec.decode_consensus, codec.encode_consensus(replace(PREPARE, **larger)))


# --- strictness ----------------------------------------------------------------------------

SIGNED_BYTES = codec.encode_signed(SIGNED)
CONSENSUS_BYTES = codec.encode_consensus(replace(PREPARE, prepare_justification=(b"a", b"b")))
PARTIALS_BYTES = codec.encode_partials(PARTIALS)


@pytest.mark.parametrize("length", [0, 1, 15])
def test_a_signed_message_shorter_than_its_offsets_is_refused(length: int) -> None:
    assert f"got {length}" in malformed(codec.decode_signed, bytes(length), BOOLE)


@pytest.mark.parametrize(
    ("at", "offset"),
    [
        (0, 15),
        (0, 17),
        (0, 0),
        (4, 15),
        (4, 285),
        (8, 275),
        (8, 2**32 - 1),
        (12, 283),
        (12, len(SIGNED_BYTES) + 1),
    ],
)
def test_offsets_of_a_signed_message_start_behind_it_and_never_decrease(
    at: int, offset: int
) -> None:
    assert "offsets" in malformed(codec.decode_signed, with_offset(SIGNED_BYTES, at, offset), BOOLE)


def test_signers_are_whole_numbers() -> None:
    cut = SIGNED_BYTES[:276] + SIGNED_BYTES[277:]
    for at, offset in ((8, 283), (12, 283 + 75)):
        cut = with_offset(cut, at, offset)
    assert "signers" in malformed(codec.decode_signed, cut, BOOLE)


@pytest.mark.parametrize("length", [0, 67])
def test_an_envelope_shorter_than_its_fixed_part_is_refused(length: int) -> None:
    malformed(codec.decode_envelope, bytes(length), BOOLE)


@pytest.mark.parametrize("offset", [0, 67, 69, 75])
def test_an_envelopes_data_starts_behind_its_fixed_part(offset: int) -> None:
    encoded = with_offset(codec.encode_envelope(ENVELOPE), 64, offset)
    assert "starts" in malformed(codec.decode_envelope, encoded, BOOLE)


@pytest.mark.parametrize("length", [0, 75])
def test_a_consensus_message_shorter_than_its_fixed_part_is_refused(length: int) -> None:
    malformed(codec.decode_consensus, bytes(length))


@pytest.mark.parametrize(
    ("at", "offset"), [(24, 75), (24, 77), (68, 75), (68, 133), (72, 131), (72, 2**31)]
)
def test_offsets_of_a_consensus_message_start_behind_it_and_never_decrease(
    at: int, offset: int
) -> None:
    assert "offsets" in malformed(codec.decode_consensus, with_offset(CONSENSUS_BYTES, at, offset))


@pytest.mark.parametrize("length", [0, 19])
def test_partial_signatures_shorter_than_their_fixed_part_are_refused(length: int) -> None:
    malformed(codec.decode_partials, bytes(length), BOOLE)


@pytest.mark.parametrize("offset", [0, 19, 21, 164])
def test_partial_signatures_start_behind_the_fixed_part(offset: int) -> None:
    malformed(codec.decode_partials, with_offset(PARTIALS_BYTES, 16, offset), BOOLE)


@pytest.mark.parametrize("change", [b"\x00", bytes(143)])
def test_bytes_behind_the_last_partial_signature_are_refused(change: bytes) -> None:
    malformed(codec.decode_partials, PARTIALS_BYTES + change, BOOLE)


# --- what has no encoding ------------------------------------------------------------------


@pytest.mark.parametrize("number", [-1, 2**64])
def test_a_number_beyond_64_bits_is_not_written(number: int) -> None:
    with pytest.raises(UsageError):
        codec.encode_signed(replace(SIGNED, signers=(OperatorId(number),)))
    with pytest.raises(UsageError):
        codec.encode_envelope(replace(ENVELOPE, kind=number))
    with pytest.raises(UsageError):
        codec.encode_consensus(replace(PREPARE, height=number))
    with pytest.raises(UsageError):
        codec.encode_partials(replace(PARTIALS, slot=number))


@pytest.mark.parametrize("change", [-1, 1])
def test_a_field_of_another_length_is_not_padded_or_cut(change: int) -> None:
    with pytest.raises(UsageError, match="message id"):
        codec.encode_envelope(Envelope(0, type(ENVELOPE.id)(bytes(56 + change)), b""))
    with pytest.raises(UsageError, match="root"):
        codec.encode_consensus(ConsensusMessage(0, 1, 1, b"", bytes(32 + change)))
    signature, root = bytes(96 + change), bytes(32 + change)
    with pytest.raises(UsageError, match="partial signature"):
        codec.encode_partials(PartialSignatures(0, 1, (replace(PARTIAL, signature=signature),)))
    with pytest.raises(UsageError, match="signing root"):
        codec.encode_partials(PartialSignatures(0, 1, (replace(PARTIAL, root=root),)))


# --- what is remembered --------------------------------------------------------------------


def test_the_same_short_bytes_are_read_once() -> None:
    signed, partials = codec.encode_signed(SIGNED), codec.encode_partials(PARTIALS)
    assert codec.decode_signed(signed, ALAN) is codec.decode_signed(bytes(signed), BOOLE)
    assert codec.decode_partials(partials, ALAN) is codec.decode_partials(bytes(partials), BOOLE)
    consensus = codec.encode_consensus(PREPARE)
    assert codec.decode_consensus(consensus) is codec.decode_consensus(bytes(consensus))


def test_a_long_message_is_not_remembered() -> None:
    long = codec.encode_signed(replace(SIGNED, full_data=bytes(codec.REMEMBERED_BYTES)))
    first, second = codec.decode_signed(long, BOOLE), codec.decode_signed(long, BOOLE)
    assert first == second
    assert first is not second


def test_what_is_remembered_keeps_the_limits_of_every_generation() -> None:
    for generation in Generation:
        limits = generation.limits
        assert limits.message_data_bytes >= codec.REMEMBERED_BYTES
        assert limits.partial_signatures * 144 >= codec.REMEMBERED_BYTES


@pytest.mark.parametrize("signers", [(), (1,), (1, 2, 3)])
def test_size_without_data_is_that_of_the_encoding(signers: tuple[int, ...]) -> None:
    message = replace(
        SIGNED,
        signers=tuple(map(OperatorId, signers)),
        signatures=tuple(bytes(signer) for signer in signers),
    )
    bare = codec.encode_signed(replace(message, full_data=b""))
    assert codec.size_without_data(message) == len(bare)
