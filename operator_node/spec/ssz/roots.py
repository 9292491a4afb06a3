"""Hash tree roots straight from encodings.

Pure. The walk is as strict as `check`, so that bytes with a root are an encoding. Trees are sized
by the type's limit, memory by the bytes given: what is empty is a known root (`sdk.ssz`).

Source: consensus-specs, ssz/simple-serialize.md, "Merkleization".
"""

from __future__ import annotations

from typing import assert_never

from operator_node.spec.ssz.cuts import (
    check,
    count_bits,
    count_items,
    cut_container,
    cut_items,
    require_size,
)
from operator_node.spec.ssz.shapes import (
    BITS_PER_BYTE,
    Bitlist,
    Bitvector,
    Boolean,
    ByteList,
    ByteVector,
    Container,
    List,
    Shape,
    Uint,
    Vector,
)
from sdk.ssz import CHUNK_BYTES, mix_in_length, root_of_packed


def hash_tree_root(shape: Shape, data: bytes | memoryview) -> bytes:
    """The root of the value that `data` encodes, 32 bytes.

    Raises:
        MalformedSsz: `data` is no encoding of the type.
    """
    return _root(shape, memoryview(data))


def _root(shape: Shape, data: memoryview) -> bytes:
    match shape:
        case Container():
            parts = cut_container(shape, data)
            roots = [
                _root(inner, part) for (_, inner), part in zip(shape.fields, parts, strict=True)
            ]
            return root_of_packed(b"".join(roots), depth=shape.depth)
        case Uint() | ByteVector():
            require_size(shape, shape.size, data)
            if not shape.depth:
                return bytes(data).ljust(CHUNK_BYTES, b"\0")
            return root_of_packed(bytes(data), depth=shape.depth)
        case ByteList():
            check(shape, data)
            return mix_in_length(root_of_packed(bytes(data), depth=shape.depth), len(data))
        case List():
            return mix_in_length(_root_of_items(shape, data), count_items(shape, data))
        case Vector():
            return _root_of_items(shape, data)
        case Boolean() | Bitvector():
            check(shape, data)
            return root_of_packed(bytes(data), depth=shape.depth)
        case Bitlist():
            count = count_bits(shape, data)
            return mix_in_length(root_of_packed(_bits(data, count), depth=shape.depth), count)
        case _:
            assert_never(shape)


def _root_of_items(shape: Vector | List, data: memoryview) -> bytes:
    if shape.is_packed:
        check(shape, data)
        return root_of_packed(bytes(data), depth=shape.depth)
    layer = bytearray()  # a list of a million roots would take three times the memory
    for part in cut_items(shape, data):
        layer += _root(shape.item, part)
    return root_of_packed(bytes(layer), depth=shape.depth)


def _bits(data: memoryview, count: int) -> bytes:
    """The bytes of a bit list without the bit that marks its end."""
    whole, rest = divmod(count, BITS_PER_BYTE)
    if not rest:
        return bytes(data[:whole])
    return bytes(data[:whole]) + bytes([data[whole] & ~(1 << rest) & 0xFF])
