"""Hash tree roots of the few SSZ shapes this project signs: integers, byte strings, containers.

Pure, with no type descriptors: a container's root is the root of its fields' roots, spelled out
where the container is used. Serialisation is not here.

Source: consensus-specs, ssz/simple-serialize.md and ssz/merkle-proofs.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from sdk.errors import UsageError

CHUNK_BYTES: Final = 32
UINT64_LIMIT: Final = 2**64
_MAX_DEPTH: Final = 64
"""Lists are limited by a 64-bit count."""


def _zero_roots() -> list[bytes]:
    roots = [bytes(CHUNK_BYTES)]
    for _ in range(_MAX_DEPTH):
        roots.append(_pair(roots[-1], roots[-1]))
    return roots


def _pair(left: bytes, right: bytes) -> bytes:
    return sha256(left + right).digest()


_ZERO_ROOTS: Final = _zero_roots()
"""`_ZERO_ROOTS[d]` is the root of a subtree of depth d that holds nothing."""


def merkleize(chunks: Sequence[bytes], limit: int | None = None) -> bytes:
    """The root of the tree over 32-byte chunks, padded with zero chunks to a power of two.

    Args:
        chunks: 32 bytes each.
        limit: chunks the tree is sized for; as many as given, unless stated.

    Raises:
        UsageError: more chunks than `limit`, or a chunk of another size.
    """
    room = len(chunks) if limit is None else limit
    if len(chunks) > room or any(len(chunk) != CHUNK_BYTES for chunk in chunks):
        raise UsageError(f"merkleize takes at most {room} chunks of 32 bytes, got {len(chunks)}")
    depth = max(room - 1, 0).bit_length()
    layer = list(chunks)
    for level in range(depth):
        if len(layer) % 2:
            layer.append(_ZERO_ROOTS[level])
        layer = [_pair(layer[at], layer[at + 1]) for at in range(0, len(layer), 2)]
    return layer[0] if layer else _ZERO_ROOTS[depth]


def mix_in_length(root: bytes, length: int) -> bytes:
    """The root of a list: the root of its content with its length."""
    return _pair(root, length.to_bytes(CHUNK_BYTES, "little"))


def root_of_uint64(value: int) -> bytes:
    """The root of an unsigned 64-bit integer.

    Raises:
        UsageError: out of range.
    """
    if not 0 <= value < UINT64_LIMIT:
        raise UsageError(f"{value} is no unsigned 64-bit integer")
    return value.to_bytes(CHUNK_BYTES, "little")


def root_of_bytes_vector(data: bytes) -> bytes:
    """The root of a byte string of fixed length, such as Bytes32, BLSPubkey, BLSSignature.

    Raises:
        UsageError: empty; SSZ has no vector of length 0.
    """
    if not data:
        raise UsageError("an SSZ byte vector has at least one byte")
    return merkleize(_chunks(data))


def root_of_byte_list(data: bytes, *, limit_bytes: int) -> bytes:
    """The root of a byte string of variable length.

    Raises:
        UsageError: longer than `limit_bytes`.
    """
    if len(data) > limit_bytes:
        raise UsageError(f"the list holds at most {limit_bytes} bytes, got {len(data)}")
    limit = (limit_bytes + CHUNK_BYTES - 1) // CHUNK_BYTES
    return mix_in_length(merkleize(_chunks(data), limit), len(data))


def root_of_container(*roots: bytes) -> bytes:
    """The root of a container from the roots of its fields, in the order of their declaration."""
    return merkleize(roots)


def _chunks(data: bytes) -> list[bytes]:
    padded = data.ljust(-(-len(data) // CHUNK_BYTES) * CHUNK_BYTES, b"\x00")
    return [padded[at : at + CHUNK_BYTES] for at in range(0, len(padded), CHUNK_BYTES)]
