"""SHA-256 trees over contiguous buffers: the hashing that millions of chunks go through.

Pure. `sdk.ssz` is the same rule over a handful of chunks, written for reading; this one is for
speed, and a property test compares the two. A layer is one `bytes` of 32-byte nodes; level 0 is
that of the leaves.

Source: consensus-specs, ssz/simple-serialize.md and ssz/merkle-proofs.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from sdk.errors import InvariantBroken

NODE_BYTES: Final = 32
PAIR_BYTES: Final = 64
_DEEPEST: Final = 64
"""Lists are limited by a 64-bit count."""
_PIECE_DEPTH: Final = 11
"""Leaves are hashed 64 KiB at a time, so that layers stay small and runs of zeros cost nothing."""
_PIECE_BYTES: Final = NODE_BYTES << _PIECE_DEPTH
_ZERO_PIECE: Final = bytes(_PIECE_BYTES)


def _zero_roots() -> list[bytes]:
    roots = [bytes(NODE_BYTES)]
    for _ in range(_DEEPEST):
        roots.append(sha256(roots[-1] * 2).digest())
    return roots


ZERO_ROOTS: Final = _zero_roots()
"""`ZERO_ROOTS[d]` is the root of a subtree of depth d that holds nothing."""


@dataclass(frozen=True, slots=True)
class Climb:
    """The root that a layer leads to, and for each position asked for the siblings on its way."""

    root: bytes
    branches: tuple[tuple[bytes, ...], ...]


def climb(layer: bytes, *, level: int, height: int, positions: Sequence[int] = ()) -> Climb:
    """Hash a layer up to the root of its tree.

    Args:
        layer: nodes of the left part of the level; what is right of them is empty subtrees.
        level: how many levels of the tree lie below the layer.
        height: level of the root.
        positions: places in the layer whose siblings are wanted, lowest sibling first.
    """
    if len(layer) > NODE_BYTES << (height - level):
        raise InvariantBroken(f"{len(layer)} bytes at level {level} of a tree of height {height}")
    branches: list[list[bytes]] = [[] for _ in positions]
    places = list(positions)
    for depth in range(level, height):
        empty = ZERO_ROOTS[depth]
        for number, place in enumerate(places):
            at = (place ^ 1) * NODE_BYTES
            branches[number].append(layer[at : at + NODE_BYTES] or empty)
            places[number] = place >> 1
        if not layer:
            continue
        if len(layer) % PAIR_BYTES:
            layer += empty
        layer = hash_pairs(layer)
    return Climb(layer or ZERO_ROOTS[height], tuple(map(tuple, branches)))


def hash_pairs(layer: bytes) -> bytes:
    """The layer above one of an even number of nodes."""
    return b"".join(
        [sha256(layer[at : at + PAIR_BYTES]).digest() for at in range(0, len(layer), PAIR_BYTES)]
    )


def root_of_chunks(data: memoryview, *, depth: int) -> bytes:
    """The root of a tree of 2**depth leaves that begins with `data`, zero bytes after it.

    Args:
        data: any length up to the tree's; the last leaf is filled with zeros.
        depth: levels between leaves and root.
    """
    if depth <= _PIECE_DEPTH:
        return climb(_whole_nodes(bytes(data)), level=0, height=depth).root
    roots = []
    for at in range(0, len(data), _PIECE_BYTES):
        piece = bytes(data[at : at + _PIECE_BYTES])
        roots.append(
            ZERO_ROOTS[_PIECE_DEPTH]
            if piece == _ZERO_PIECE
            else climb(_whole_nodes(piece), level=0, height=_PIECE_DEPTH).root
        )
    return climb(b"".join(roots), level=_PIECE_DEPTH, height=depth).root


def with_length(root: bytes, length: int) -> bytes:
    """The root of a list: the root of its content with its length."""
    return sha256(root + length.to_bytes(NODE_BYTES, "little")).digest()


def depth_of(leaves: int) -> int:
    """Levels of the smallest tree that has room for so many leaves."""
    return max(leaves - 1, 0).bit_length()


def _whole_nodes(data: bytes) -> bytes:
    return data + bytes(-len(data) % NODE_BYTES)
