"""SSZ encodings to the JSON of the Beacon API and back, by the descriptors of `spec.ssz`.

Pure. The API names fields as the specification does, writes integers as decimal texts, and bytes
and bits as hex of their encoding. Strict both ways: a field too many means another fork, whose
object would have another root than the one that is signed.

Source: Ethereum Beacon APIs, types/primitive.yaml; consensus-specs, ssz/simple-serialize.md,
"JSON mapping".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, assert_never

from operator_node.spec.ssz import (
    Bitlist,
    Bitvector,
    Boolean,
    ByteList,
    ByteVector,
    Container,
    List,
    MalformedSsz,
    Shape,
    Uint,
    Vector,
    check,
)
from operator_node.spec.ssz.cuts import cut_container, cut_items
from operator_node.spec.ssz.shapes import OFFSET_BYTES
from sdk.errors import InputError
from sdk.types import parse_hex

_MAX_DIGITS: Final = 78
"""Of the largest unsigned 256-bit integer."""


def to_json(shape: Shape, data: bytes | memoryview) -> object:
    """The value that `data` encodes, as JSON has it.

    Raises:
        MalformedSsz: `data` is no encoding of the type.
    """
    check(shape, data)
    return _document(shape, memoryview(data))


def from_json(shape: Shape, document: object) -> bytes:
    """The encoding of what a JSON document says.

    Raises:
        MalformedSsz: the document is not of the type.
    """
    return _encoding(shape, document, "the document")


def _document(shape: Shape, data: memoryview) -> object:
    match shape:
        case Uint():
            return str(int.from_bytes(data, "little"))
        case Boolean():
            return bool(data[0])
        case ByteVector() | ByteList() | Bitvector() | Bitlist():
            return f"0x{data.hex()}"
        case Vector() | List():
            return [_document(shape.item, part) for part in cut_items(shape, data)]
        case Container():
            parts = zip(shape.fields, cut_container(shape, data), strict=True)
            return {name: _document(inner, part) for (name, inner), part in parts}
        case _:
            assert_never(shape)


def _encoding(shape: Shape, document: object, at: str) -> bytes:
    match shape:
        case Uint():
            return _number(shape, document, at)
        case Boolean():
            if not isinstance(document, bool):
                raise _mismatch(document, "true or false", at)
            return bytes([document])
        case ByteVector() | ByteList() | Bitvector() | Bitlist():
            data = _bytes(document, at)
            check(shape, data)
            return data
        case Vector() | List():
            if not isinstance(document, list):
                raise _mismatch(document, "a list", at)
            least, most = (0, shape.limit) if isinstance(shape, List) else (shape.length,) * 2
            if not least <= len(document) <= most:
                raise MalformedSsz(f"{at} has {len(document)} items")
            return _join((shape.item, _encoding(shape.item, each, at)) for each in document)
        case Container():
            if not isinstance(document, dict) or document.keys() != shape.places.keys():
                raise _mismatch(document, f"an object with the fields of {shape!r}", at)
            fields = shape.fields
            return _join((inner, _encoding(inner, document[name], name)) for name, inner in fields)
        case _:
            assert_never(shape)


def _join(parts: Iterable[tuple[Shape, bytes]]) -> bytes:
    """The encodings one after the other, those of varying size behind offsets."""
    encoded = [(shape.size is None, data) for shape, data in parts]
    at = sum(OFFSET_BYTES if varies else len(data) for varies, data in encoded)
    head, tail = [], []
    for varies, data in encoded:
        if varies:
            head.append(at.to_bytes(OFFSET_BYTES, "little"))
            tail.append(data)
            at += len(data)
        else:
            head.append(data)
    return b"".join(head + tail)


def _number(shape: Uint, document: object, at: str) -> bytes:
    text = document if isinstance(document, str) else ""
    if not (text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS):
        raise _mismatch(document, "a number as text", at)
    number = int(text)
    if number >> shape.bits:
        raise MalformedSsz(f"{at} has more than {shape.bits} bits")
    return number.to_bytes(shape.size, "little")


def _bytes(document: object, at: str) -> bytes:
    if not isinstance(document, str) or not document.startswith("0x"):
        raise _mismatch(document, "hex as text", at)
    try:
        return parse_hex(document, what=at)
    except InputError as problem:
        raise MalformedSsz(problem.message) from problem


def _mismatch(document: object, expected: str, at: str) -> MalformedSsz:
    return MalformedSsz(f"{at} is a {type(document).__name__}, not {expected}")
