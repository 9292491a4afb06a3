"""Messages to bytes and back.

Pure. Reading is strict: each value has exactly one encoding, and whatever is not one raises
`ProtocolFault` (malformed), never another exception. What the fields mean is judged in
`structure`. Writers do not apply limits, which depend on who reads and when.

Source: docs/protocol.md, "Wire containers".
"""

from __future__ import annotations

import struct
from functools import lru_cache
from itertools import starmap
from typing import Final

from operator_node.wire.generations import ALAN, Generation
from operator_node.wire.ids import MESSAGE_ID_BYTES
from operator_node.wire.messages import (
    ConsensusMessage,
    Envelope,
    PartialSignature,
    PartialSignatures,
    SignedMessage,
)
from operator_node.wire.ssz_lists import (
    OFFSET_BYTES,
    TOO_LARGE,
    UINT64_BYTES,
    does_not_fit,
    fixed,
    malformed,
    read_byte_lists,
    read_uint64s,
    write_byte_lists,
    write_uint64s,
    writes_ssz,
)
from sdk.types import SIGNATURE_BYTES

MAX_OPERATORS: Final = 13
"""The largest committee; bounds signers, signatures and justifications."""
MAX_SIGNATURE_BYTES: Final = 256
"""RSA-2048."""
MAX_FULL_DATA_BYTES: Final = 8_388_836
"""A validator value: 8 MiB of beacon object, and its duty."""
MAX_ROUND_CHANGE_BYTES: Final = 51_852
"""A signed round change that holds a quorum of prepares."""
MAX_PREPARE_BYTES: Final = 3_700
"""A signed prepare."""
ROOT_BYTES: Final = 32

REMEMBERED_MESSAGES: Final = 1_024
"""What was read of as many messages is kept by each of the three readers: the same round change
comes by itself and inside the proposals of several leaders, the same prepare inside many round
changes, and what a node sends comes back to it. What is forgotten is read again."""
REMEMBERED_BYTES: Final = 8 * 1_024
"""Longer messages are not kept: all that is takes 32 MiB at most, and 2 MiB as a rule. As short a
one keeps the limits of every generation."""

_SIGNED: Final = struct.Struct("<4I")
"""Offsets of signatures, signers, envelope, full data."""
_SIGNED_HEAD: Final = _SIGNED.size
_ENVELOPE: Final = struct.Struct(f"<Q{MESSAGE_ID_BYTES}sI")
"""Kind, id, offset of the data."""
_ENVELOPE_HEAD: Final = _ENVELOPE.size
_CONSENSUS: Final = struct.Struct(f"<3QI{ROOT_BYTES}sQ2I")
"""Kind, height, round, offset of the identifier, root, data round, offsets of justifications."""
_CONSENSUS_HEAD: Final = _CONSENSUS.size
_PARTIALS: Final = struct.Struct("<2QI")
"""Kind, slot, offset of the items."""
_PARTIAL: Final = struct.Struct(f"<{SIGNATURE_BYTES}s{ROOT_BYTES}s2Q")
"""Signature, root, signer, validator index."""


def decode_signed(data: bytes, generation: Generation) -> SignedMessage:
    """The message that a gossip packet, or a justification, holds.

    Raises:
        ProtocolFault: malformed.
    """
    if len(data) <= REMEMBERED_BYTES:
        return _remembered_signed(data)
    return _read_signed(data, generation)


def _read_signed(data: bytes, generation: Generation) -> SignedMessage:
    size = len(data)
    if size < _SIGNED_HEAD:
        raise malformed(f"a signed message has at least {_SIGNED_HEAD} bytes, got {size}")
    signatures, signers, envelope, full_data = offsets = _SIGNED.unpack_from(data)
    if not _SIGNED_HEAD == signatures <= signers <= envelope <= full_data <= size:
        raise malformed(f"offsets {offsets} of a signed message with {size} bytes")
    if size - full_data > MAX_FULL_DATA_BYTES:
        raise malformed(f"full data has {size - full_data} bytes, limit {MAX_FULL_DATA_BYTES}")
    return SignedMessage(
        read_byte_lists(
            data[signatures:signers],
            max_items=MAX_OPERATORS,
            max_bytes=MAX_SIGNATURE_BYTES,
            what="signatures",
        ),
        read_uint64s(data[signers:envelope], max_items=MAX_OPERATORS, what="signers"),
        decode_envelope(data[envelope:full_data], generation),
        data[full_data:],
    )


@lru_cache(REMEMBERED_MESSAGES)
def _remembered_signed(data: bytes) -> SignedMessage:
    return _read_signed(data, ALAN)


def encode_signed(message: SignedMessage) -> bytes:
    """The bytes that go into a gossip packet, or into a justification.

    Raises:
        UsageError: a field is out of its type's range.
    """
    envelope = encode_envelope(message.message)
    try:
        signatures, signers = write_byte_lists(message.signatures), write_uint64s(message.signers)
        at_signers = _SIGNED_HEAD + len(signatures)
        at_envelope = at_signers + len(signers)
        at_full_data = at_envelope + len(envelope)
        head = _SIGNED.pack(_SIGNED_HEAD, at_signers, at_envelope, at_full_data)
    except TOO_LARGE as problem:
        raise does_not_fit(problem) from None
    return b"".join((head, signatures, signers, envelope, message.full_data))


def size_without_data(message: SignedMessage) -> int:
    """Bytes of the encoded message, its full data left out, as in a justification."""
    signatures = sum(map(len, message.signatures)) + OFFSET_BYTES * len(message.signatures)
    signers = UINT64_BYTES * len(message.signers)
    return _SIGNED_HEAD + signatures + signers + _ENVELOPE_HEAD + len(message.message.data)


def decode_envelope(data: bytes, generation: Generation) -> Envelope:
    """The envelope inside a signed message.

    Raises:
        ProtocolFault: malformed.
    """
    if len(data) < _ENVELOPE_HEAD:
        raise malformed(f"an envelope has at least {_ENVELOPE_HEAD} bytes, got {len(data)}")
    kind, message_id, start = _ENVELOPE.unpack_from(data)
    if start != _ENVELOPE_HEAD:
        raise malformed(f"an envelope's data starts at byte {_ENVELOPE_HEAD}, got {start}")
    limit = generation.limits.message_data_bytes
    if len(data) - start > limit:
        raise malformed(f"an envelope holds {len(data) - start} bytes, limit {limit}")
    return Envelope(kind, message_id, data[start:])


def encode_envelope(envelope: Envelope) -> bytes:
    """The bytes that operators sign; see also `signs_over`.

    Raises:
        UsageError: a field is out of its type's range.
    """
    message_id = envelope.id
    if len(message_id) != MESSAGE_ID_BYTES:
        fixed(message_id, MESSAGE_ID_BYTES, "a message id")
    try:
        return _ENVELOPE.pack(envelope.kind, message_id, _ENVELOPE_HEAD) + envelope.data
    except TOO_LARGE as problem:
        raise does_not_fit(problem) from None


def signs_over(message: SignedMessage) -> bytes:
    """What each of the message's signatures covers: the envelope, not full data nor signers."""
    return encode_envelope(message.message)


def signed_part(data: bytes) -> bytes:
    """`signs_over` of the message in `data`, cut out of bytes that `decode_signed` has read.

    They are the same because a message has one encoding.
    """
    _, _, envelope, full_data = _SIGNED.unpack_from(data)
    return data[envelope:full_data]


def decode_consensus(data: bytes) -> ConsensusMessage:
    """The content of a consensus envelope; its justifications stay encoded.

    Raises:
        ProtocolFault: malformed.
    """
    if len(data) <= REMEMBERED_BYTES:
        return _remembered_consensus(data)
    return _read_consensus(data)


def _read_consensus(data: bytes) -> ConsensusMessage:
    size = len(data)
    if size < _CONSENSUS_HEAD:
        raise malformed(f"a consensus message has at least {_CONSENSUS_HEAD} bytes, got {size}")
    kind, height, round_, identifier, root, data_round, changes, prepares = _CONSENSUS.unpack_from(
        data
    )
    if not _CONSENSUS_HEAD == identifier <= changes <= prepares <= size:
        offsets = (identifier, changes, prepares)
        raise malformed(f"offsets {offsets} of a consensus message with {size} bytes")
    if changes - identifier > MESSAGE_ID_BYTES:
        raise malformed(f"an identifier has at most 56 bytes, got {changes - identifier}")
    if changes == size:  # no justifications, as in all messages of round 1
        return ConsensusMessage(kind, height, round_, data[identifier:], root, data_round)
    return ConsensusMessage(
        kind,
        height,
        round_,
        data[identifier:changes],
        root,
        data_round,
        read_byte_lists(
            data[changes:prepares],
            max_items=MAX_OPERATORS,
            max_bytes=MAX_ROUND_CHANGE_BYTES,
            what="round change justification",
        ),
        read_byte_lists(
            data[prepares:],
            max_items=MAX_OPERATORS,
            max_bytes=MAX_PREPARE_BYTES,
            what="prepare justification",
        ),
    )


_remembered_consensus = lru_cache(REMEMBERED_MESSAGES)(_read_consensus)


def encode_consensus(message: ConsensusMessage) -> bytes:
    """The content of a consensus envelope.

    Raises:
        UsageError: a field is out of its type's range.
    """
    root, identifier = message.root, message.identifier
    if len(root) != ROOT_BYTES:
        fixed(root, ROOT_BYTES, "a root")
    at_changes = _CONSENSUS_HEAD + len(identifier)
    try:
        changes = write_byte_lists(message.round_change_justification)
        prepares = write_byte_lists(message.prepare_justification)
        head = _CONSENSUS.pack(
            message.kind,
            message.height,
            message.round,
            _CONSENSUS_HEAD,
            root,
            message.data_round,
            at_changes,
            at_changes + len(changes),
        )
    except TOO_LARGE as problem:
        raise does_not_fit(problem) from None
    return head + identifier + changes + prepares


def decode_partials(data: bytes, generation: Generation) -> PartialSignatures:
    """The content of a partial-signatures envelope.

    Raises:
        ProtocolFault: malformed.
    """
    if len(data) <= REMEMBERED_BYTES:
        return _remembered_partials(data)
    return _read_partials(data, generation)


def _read_partials(data: bytes, generation: Generation) -> PartialSignatures:
    if len(data) < _PARTIALS.size:
        raise malformed(f"partial signatures have at least {_PARTIALS.size} bytes, got {len(data)}")
    kind, slot, start = _PARTIALS.unpack_from(data)
    count, rest = divmod(len(data) - _PARTIALS.size, _PARTIAL.size)
    if start != _PARTIALS.size or rest or count > generation.limits.partial_signatures:
        raise malformed(
            f"partial signatures: {len(data)} bytes, items from byte {start}; expected "
            f"{_PARTIALS.size} and at most {generation.limits.partial_signatures} times "
            f"{_PARTIAL.size}"
        )
    items = _PARTIAL.iter_unpack(memoryview(data)[start:])
    return PartialSignatures(kind, slot, tuple(starmap(PartialSignature, items)))


@lru_cache(REMEMBERED_MESSAGES)
def _remembered_partials(data: bytes) -> PartialSignatures:
    return _read_partials(data, ALAN)


@writes_ssz
def encode_partials(message: PartialSignatures) -> bytes:
    """The content of a partial-signatures envelope.

    Raises:
        UsageError: a field is out of its type's range.
    """
    parts = [_PARTIALS.pack(message.kind, message.slot, _PARTIALS.size)]
    parts.extend(
        _PARTIAL.pack(
            fixed(item.signature, SIGNATURE_BYTES, "a partial signature"),
            fixed(item.root, ROOT_BYTES, "a signing root"),
            item.signer,
            item.validator_index,
        )
        for item in message.items
    )
    return b"".join(parts)
