"""What bytes can be: the types of SSZ as frozen values, with their layout worked out once.

Pure tables; nothing is read here. Every descriptor knows its `size` (bytes of any encoding, None
where that varies) and whether it `is_plain` (every byte string of that size is an encoding).

Source: consensus-specs, ssz/simple-serialize.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from struct import Struct
from typing import ClassVar, Final, TypeAlias

from sdk.errors import PeerError, UsageError
from sdk.ssz import CHUNK_BYTES, depth_of

OFFSET_BYTES: Final = 4
BITS_PER_BYTE: Final = 8
_UINT_BITS: Final = (8, 16, 32, 64, 128, 256)


class MalformedSsz(PeerError):
    """The bytes are no encoding of the type; the text says which type and why."""

    default_code = "ssz_malformed"


@dataclass(frozen=True, slots=True)
class Uint:
    """An unsigned integer of 8, 16, 32, 64, 128 or 256 bits; its value is an `int`."""

    bits: int
    size: int = field(init=False, repr=False, compare=False)
    is_plain: ClassVar[bool] = True
    depth: ClassVar[int] = 0

    def __post_init__(self) -> None:
        if self.bits not in _UINT_BITS:
            raise UsageError(f"SSZ has no integer of {self.bits} bits")
        _set(self, "size", self.bits // BITS_PER_BYTE)


@dataclass(frozen=True, slots=True)
class Boolean:
    """One byte, 0 or 1; its value is a `bool`."""

    size: ClassVar[int] = 1
    is_plain: ClassVar[bool] = False
    depth: ClassVar[int] = 0


@dataclass(frozen=True, slots=True)
class ByteVector:
    """Exactly `length` bytes, such as Root, BLSPubkey, BLSSignature; its value is `bytes`."""

    length: int
    size: int = field(init=False, repr=False, compare=False)
    depth: int = field(init=False, repr=False, compare=False)
    is_plain: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _require_positive(self, self.length)
        _set(self, "size", self.length)
        _set(self, "depth", depth_of_bytes(self.length))


@dataclass(frozen=True, slots=True)
class ByteList:
    """Up to `limit` bytes; its value is `bytes`."""

    limit: int
    depth: int = field(init=False, repr=False, compare=False)
    size: ClassVar[None] = None
    is_plain: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _set(self, "depth", depth_of_bytes(self.limit))


@dataclass(frozen=True, slots=True)
class Bitvector:
    """Exactly `length` bits; its value is a tuple of `bool`."""

    length: int
    size: int = field(init=False, repr=False, compare=False)
    depth: int = field(init=False, repr=False, compare=False)
    is_plain: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _require_positive(self, self.length)
        _set(self, "size", -(-self.length // BITS_PER_BYTE))
        _set(self, "depth", depth_of_bytes(self.size))
        _set(self, "is_plain", self.length % BITS_PER_BYTE == 0)


@dataclass(frozen=True, slots=True)
class Bitlist:
    """Up to `limit` bits; its value is a tuple of `bool`."""

    limit: int
    depth: int = field(init=False, repr=False, compare=False)
    size: ClassVar[None] = None
    is_plain: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _set(self, "depth", depth_of_bytes(-(-self.limit // BITS_PER_BYTE)))


@dataclass(frozen=True, slots=True)
class Vector:
    """Exactly `length` items of one type; its value is a tuple.

    Attributes:
        is_packed: the items' bytes, one after the other, are the chunks of its tree.
    """

    item: Shape
    length: int
    size: int | None = field(init=False, repr=False, compare=False)
    depth: int = field(init=False, repr=False, compare=False)
    is_plain: bool = field(init=False, repr=False, compare=False)
    is_packed: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _require_positive(self, self.length)
        _set(self, "size", None if self.item.size is None else self.item.size * self.length)
        _set(self, "depth", _depth_of_items(self.item, self.length))
        _set(self, "is_plain", self.item.is_plain)
        _set(self, "is_packed", _is_packed(self.item))


@dataclass(frozen=True, slots=True)
class List:
    """Up to `limit` items of one type; its value is a tuple.

    Attributes:
        is_packed: the items' bytes, one after the other, are the chunks of its tree.
    """

    item: Shape
    limit: int
    depth: int = field(init=False, repr=False, compare=False)
    is_packed: bool = field(init=False, repr=False, compare=False)
    size: ClassVar[None] = None
    is_plain: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _set(self, "depth", _depth_of_items(self.item, self.limit))
        _set(self, "is_packed", _is_packed(self.item))


@dataclass(frozen=True, slots=True, repr=False)
class Container:
    """Named fields in the order of their declaration; its value is a dict.

    Attributes:
        head_bytes: size of the fixed part.
        spans: where each field lies in the fixed part; None for a field behind an offset.
        offsets: reads all offsets out of the fixed part at once.
        places: position of each field by name.
    """

    name: str
    fields: tuple[tuple[str, Shape], ...]
    size: int | None = field(init=False, compare=False)
    depth: int = field(init=False, compare=False)
    is_plain: bool = field(init=False, compare=False)
    head_bytes: int = field(init=False, compare=False)
    spans: tuple[slice | None, ...] = field(init=False, compare=False)
    offsets: Struct = field(init=False, compare=False)
    places: dict[str, int] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        _require_positive(self, len(self.fields))
        spans: list[slice | None] = []
        pattern = "<"
        at = 0
        for _, shape in self.fields:
            width = OFFSET_BYTES if shape.size is None else shape.size
            spans.append(None if shape.size is None else slice(at, at + width))
            pattern += "I" if shape.size is None else f"{width}x"
            at += width
        _set(self, "size", None if None in spans else at)
        _set(self, "depth", depth_of(len(self.fields)))
        _set(self, "is_plain", all(shape.is_plain for _, shape in self.fields))
        _set(self, "head_bytes", at)
        _set(self, "spans", tuple(spans))
        _set(self, "offsets", Struct(pattern))
        _set(self, "places", {name: place for place, (name, _) in enumerate(self.fields)})

    def __repr__(self) -> str:
        return self.name


Shape: TypeAlias = (
    Uint | Boolean | ByteVector | ByteList | Bitvector | Bitlist | Vector | List | Container
)


def depth_of_bytes(length: int) -> int:
    """Levels of the tree over so many bytes."""
    return depth_of(-(-length // CHUNK_BYTES))


def _depth_of_items(item: Shape, count: int) -> int:
    if _is_packed(item) and item.size is not None:
        return depth_of_bytes(item.size * count)
    return depth_of(count)


def _is_packed(item: Shape) -> bool:
    # 32 bytes are their own root, so that a list of roots is one run of chunks as numbers are.
    return isinstance(item, Uint | Boolean) or item == ByteVector(CHUNK_BYTES)


def _require_positive(shape: object, count: int) -> None:
    if count < 1:
        raise UsageError(f"SSZ has no empty {type(shape).__name__}")


def _set(shape: object, name: str, value: object) -> None:
    object.__setattr__(shape, name, value)
