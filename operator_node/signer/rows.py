"""Guards as bytes in a database, in the order in which a trail keeps them.

Pure. Numbers are written big-endian, so that the database compares bytes and gets the order of
`Trail`: votes by target, source and root, blocks by slot and root. SQLite's integers are signed,
epochs and slots are not. Source: docs/slashing.md.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, TypeAlias

from operator_node.signer.rules import AttestationGuard, BlockGuard, Guard
from operator_node.signer.trail import Trail
from sdk.errors import StorageError
from sdk.types import Epoch, Slot

_NUMBER_BYTES: Final = 8
_ROOT_BYTES: Final = 32

AnyTrail: TypeAlias = Trail[AttestationGuard] | Trail[BlockGuard]


class Kind(IntEnum):
    """Which of a history's two trails; the number is in the database."""

    VOTE = 0
    BLOCK = 1


KINDS: Final = tuple(Kind)


def kind_of(guard: Guard) -> Kind:
    """Which trail a guard belongs to."""
    return Kind.VOTE if isinstance(guard, AttestationGuard) else Kind.BLOCK


def write_guard(guard: Guard) -> bytes:
    """16 bytes of a vote or 8 of a block, and 32 more of the signing root if there is one."""
    if isinstance(guard, AttestationGuard):
        numbers = _number(guard.target_epoch) + _number(guard.source_epoch)
    else:
        numbers = _number(guard.slot)
    return numbers + (guard.signing_root or b"")


def write_bound(guard: Guard | None) -> bytes | None:
    """As `write_guard`; None stays None, in the database NULL."""
    return None if guard is None else write_guard(guard)


def read_vote(data: bytes) -> AttestationGuard:
    """The vote.

    Raises:
        StorageError: `record_damaged`, no such number of bytes was ever written.
    """
    root = _root(data, 2 * _NUMBER_BYTES)
    target, source = data[:_NUMBER_BYTES], data[_NUMBER_BYTES : 2 * _NUMBER_BYTES]
    return AttestationGuard(
        Epoch(int.from_bytes(source, "big")), Epoch(int.from_bytes(target, "big")), root
    )


def read_block(data: bytes) -> BlockGuard:
    """The block; raises as `read_vote`."""
    root = _root(data, _NUMBER_BYTES)
    return BlockGuard(Slot(int.from_bytes(data[:_NUMBER_BYTES], "big")), root)


def read_vote_bound(data: bytes | None) -> AttestationGuard | None:
    """The bound of a vote trail, None for NULL."""
    return None if data is None else read_vote(data)


def read_block_bound(data: bytes | None) -> BlockGuard | None:
    """The bound of a block trail, None for NULL."""
    return None if data is None else read_block(data)


def _number(value: int) -> bytes:
    return value.to_bytes(_NUMBER_BYTES, "big")


def _root(data: bytes, start: int) -> bytes | None:
    if len(data) == start:
        return None
    if len(data) != start + _ROOT_BYTES:
        raise StorageError(
            f"an entry of the slashing record has {len(data)} bytes, "
            f"expected {start} or {start + _ROOT_BYTES}",
            code="record_damaged",
            hint="Restore the file from a backup, or set it aside; docs/slashing.md.",
        )
    return data[start:]
