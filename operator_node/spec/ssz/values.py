"""Encodings to plain values and back, for what we build ourselves and for tests.

Pure. Numbers are `int`, byte strings `bytes`, bits and items tuples, containers dicts by field
name. Where bytes are only passed on or hashed, `check`, `field` and `hash_tree_root` do without.

Source: consensus-specs, ssz/simple-serialize.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias, assert_never

from operator_node.spec.ssz.cuts import check, count_bits, cut_container, cut_items
from operator_node.spec.ssz.shapes import (
    BITS_PER_BYTE,
    OFFSET_BYTES,
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
from sdk.errors import UsageError

Value: TypeAlias = "int | bool | bytes | Sequence[Value] | Mapping[str, Value]"
"""What an encoding says."""


def decode(shape: Shape, data: bytes | memoryview) -> Value:
    """The value that `data` encodes.

    Raises:
        MalformedSsz: `data` is no encoding of the type.
    """
    check(shape, data)
    return _decode(shape, memoryview(data))


def encode(shape: Shape, value: Value) -> bytes:
    """The encoding of a value.

    Raises:
        UsageError: the value is not of the type.
    """
    match shape, value:
        case Uint(bits), int() if 0 <= value < 1 << bits:
            return value.to_bytes(bits // BITS_PER_BYTE, "little")
        case Boolean(), bool():
            return bytes([value])
        case ByteVector(length), bytes() if len(value) == length:
            return value
        case ByteList(limit), bytes() if len(value) <= limit:
            return value
        case Bitvector(length), tuple() | list() if len(value) == length:
            return _encode_bits(value).to_bytes(shape.size, "little")
        case Bitlist(limit), tuple() | list() if len(value) <= limit:
            marked = _encode_bits(value) | 1 << len(value)
            return marked.to_bytes(len(value) // BITS_PER_BYTE + 1, "little")
        case Vector(item, length), tuple() | list() if len(value) == length:
            return _join((item, inner) for inner in value)
        case List(item, limit), tuple() | list() if len(value) <= limit:
            return _join((item, inner) for inner in value)
        case Container(), Mapping() if value.keys() == shape.places.keys():
            return _join((inner, value[name]) for name, inner in shape.fields)
        case _:
            raise UsageError(f"a {type(value).__name__} given for {shape!r} does not fit it")


def _join(parts: Iterable[tuple[Shape, Value]]) -> bytes:
    """The parts' encodings one after the other, those of varying size behind offsets."""
    encoded = [(shape.size is None, encode(shape, value)) for shape, value in parts]
    at = sum(OFFSET_BYTES if varies else len(part) for varies, part in encoded)
    head, tail = [], []
    for varies, part in encoded:
        if varies:
            head.append(at.to_bytes(OFFSET_BYTES, "little"))
            tail.append(part)
            at += len(part)
        else:
            head.append(part)
    return b"".join(head + tail)


def _encode_bits(bits: Sequence[Value]) -> int:
    return int("0" + "".join("1" if bit else "0" for bit in reversed(bits)), base=2)


def _decode(shape: Shape, data: memoryview) -> Value:
    match shape:
        case Uint():
            return int.from_bytes(data, "little")
        case Boolean():
            return bool(data[0])
        case ByteVector() | ByteList():
            return bytes(data)
        case Bitvector(length):
            return _decode_bits(data, length)
        case Bitlist():
            return _decode_bits(data, count_bits(shape, data))
        case Vector() | List():
            return tuple(_decode(shape.item, part) for part in cut_items(shape, data))
        case Container():
            parts = zip(shape.fields, cut_container(shape, data), strict=True)
            return {name: _decode(inner, part) for (name, inner), part in parts}
        case _:
            assert_never(shape)


def _decode_bits(data: memoryview, count: int) -> tuple[bool, ...]:
    return tuple(
        bool(data[place // BITS_PER_BYTE] >> place % BITS_PER_BYTE & 1) for place in range(count)
    )
