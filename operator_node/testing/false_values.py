"""Values and partial signatures that are not what they should be.

All liars of a run make the same second value out of an honest one, so that they can work together
without a word.

Source: docs/protocol.md, "Consensus values", "Value checks".
"""

from __future__ import annotations

from hashlib import sha256
from random import Random
from typing import Final

from msgspec.structs import replace

from operator_node.wire.faults import ProtocolFault
from operator_node.wire.ids import BeaconRole
from operator_node.wire.messages import PartialSignature
from operator_node.wire.value_codec import decode_validator_value, encode_validator_value
from operator_node.wire.values import ValidatorValue

_VOTE_BYTES: Final = 112
"""Block root, source and target."""
_FREE_BYTE_FROM_END: Final = 40
"""Aggregates and contributions end in signatures, which nobody checks inside a value."""
_STATE_ROOT_AT: Final = 48
"""In a block; nobody can check it before the block is executed."""
_CONTENTS_HEAD: Final = 12
"""Offsets in front of a block that comes with its blobs."""


def second_value(value: bytes) -> bytes:
    """Another value of the same form, as good as the first to whoever checks it."""
    if len(value) == _VOTE_BYTES:
        return sha256(value[:32]).digest() + value[32:]
    free_at = max(0, len(value) - _FREE_BYTE_FROM_END)
    try:
        inside = decode_validator_value(value)
    except ProtocolFault:
        return _flipped(value, free_at)
    if inside.duty.role != BeaconRole.PROPOSER:
        return _flipped(value, free_at)
    has_contents = inside.data[:4] == _CONTENTS_HEAD.to_bytes(4, "little")
    at = _STATE_ROOT_AT + (_CONTENTS_HEAD if has_contents else 0)
    flipped = ValidatorValue(inside.duty, inside.version, _flipped(inside.data, at))
    return encode_validator_value(flipped)


def spoilt_value(random: Random, value: bytes) -> bytes:
    """A value that a value check must refuse; for a vote, mostly one with wrong checkpoints.

    Every second one is a vote that nothing speaks against but a view of the chain.
    """
    spoilt = _spoilt_values(value)
    return spoilt[0] if random.random() < 0.5 else random.choice(spoilt)


def spoilt_partial(random: Random, item: PartialSignature) -> PartialSignature:
    """One that is no point, is of another share, or of another root or validator; or a good one."""
    match random.randrange(5):
        case 0:
            return replace(item, signature=bytes(96))
        case 1:
            return replace(item, signature=item.signature[48:] + item.signature[:48])
        case 2:
            return replace(item, root=sha256(item.root).digest())
        case 3:
            return replace(item, validator_index=item.validator_index + 1)
        case _:
            return item


def _spoilt_values(value: bytes) -> tuple[bytes, ...]:
    if len(value) != _VOTE_BYTES:
        return (b"\1", value[:-1], value[: len(value) // 2])
    head, source, target = value[:32], value[32:72], value[72:]
    ahead, behind = _epochs_later(target, 1), _epochs_later(source, -1)
    return (
        head + behind + target,
        head + target + source,
        head + source + source,
        head + source + ahead,
        head + behind + source,
        value[:-1],
    )


def _epochs_later(checkpoint: bytes, epochs: int) -> bytes:
    epoch = max(0, int.from_bytes(checkpoint[:8], "little") + epochs)
    return epoch.to_bytes(8, "little") + checkpoint[8:]


def _flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :] if at < len(data) else b"\1"
