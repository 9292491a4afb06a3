"""The few SSZ shapes that a beacon state consists of: how their bytes are cut and how they hash.

Pure. It reads only what is needed to hash: no values are made of the bytes. Vectors of numbers or
of 32-byte roots hash as one byte string, so `Bytes` stands for them too.

Source: consensus-specs, ssz/simple-serialize.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias, assert_never

from sdk.beacon_proofs.merkle import (
    NODE_BYTES,
    climb,
    depth_of,
    hash_pairs,
    root_of_chunks,
    with_length,
)
from sdk.errors import BeaconError

OFFSET_BYTES: Final = 4


@dataclass(frozen=True, slots=True)
class Bytes:
    """A number, a byte string, a bit vector, or a vector of numbers or roots: `length` bytes."""

    length: int


@dataclass(frozen=True, slots=True)
class PackedList:
    """A list of up to `limit` numbers or roots of `item_bytes` each, packed into chunks."""

    item_bytes: int
    limit: int


@dataclass(frozen=True, slots=True)
class Items:
    """A vector of `count` equal shapes of fixed size, each hashed by itself."""

    item: Bytes | Container
    count: int


@dataclass(frozen=True, slots=True)
class ItemList:
    """A list of up to `limit` equal shapes of fixed size, each hashed by itself."""

    item: Bytes | Container
    limit: int


@dataclass(frozen=True, slots=True)
class Container:
    """Named fields in the order of their declaration."""

    name: str
    fields: tuple[tuple[str, Shape], ...]


Shape: TypeAlias = Bytes | PackedList | Items | ItemList | Container


def fixed_bytes(shape: Shape) -> int | None:
    """Bytes that every value of the shape has; None if they vary."""
    match shape:
        case Bytes(length):
            return length
        case Items(item, count):
            return _fixed_item(item) * count
        case PackedList() | ItemList():
            return None
        case Container(_, fields):
            sizes = [fixed_bytes(field) for _, field in fields]
            known = [size for size in sizes if size is not None]
            return sum(known) if len(known) == len(sizes) else None
        case _:
            assert_never(shape)


def root_of(shape: Shape, data: memoryview, *, path: str) -> bytes:
    """The hash tree root of a serialised value.

    Args:
        shape: what the bytes are.
        data: exactly the value's bytes.
        path: name of the value, for the error.

    Raises:
        BeaconError: the bytes are not of the shape.
    """
    match shape:
        case Bytes(length):
            _require(len(data) == length, path, f"has {len(data)} bytes instead of {length}")
            return root_of_chunks(data, depth=depth_of(-(-length // NODE_BYTES)))
        case PackedList(item_bytes, limit):
            count = count_items(data, item_bytes=item_bytes, limit=limit, path=path)
            depth = depth_of(-(-item_bytes * limit // NODE_BYTES))
            return with_length(root_of_chunks(data, depth=depth), count)
        case Items(item, count):
            size = _fixed_item(item)
            _require(len(data) == size * count, path, f"has {len(data)} bytes")
            return _root_of_items(item, data, depth=depth_of(count))
        case ItemList(item, limit):
            count = count_items(data, item_bytes=_fixed_item(item), limit=limit, path=path)
            return with_length(_root_of_items(item, data, depth=depth_of(limit)), count)
        case Container(_, fields):
            parts = cut_container(shape, data, path=path)
            roots = [root_of(field, parts[name], path=f"{path}.{name}") for name, field in fields]
            return climb(b"".join(roots), level=0, height=depth_of(len(fields))).root
        case _:
            assert_never(shape)


def cut_container(shape: Container, data: memoryview, *, path: str) -> dict[str, memoryview]:
    """The bytes of each field, without copying them.

    Raises:
        BeaconError: too short, too long, or offsets that do not follow each other.
    """
    sizes = [fixed_bytes(field) for _, field in shape.fields]
    head = sum(OFFSET_BYTES if size is None else size for size in sizes)
    varies = None in sizes
    fits = len(data) >= head if varies else len(data) == head
    _require(fits, path, f"has {len(data)} bytes, its fixed part alone {head}")
    parts: dict[str, memoryview] = {}
    starts: list[tuple[str, int]] = []
    at = 0
    for (name, _), size in zip(shape.fields, sizes, strict=True):
        if size is None:
            starts.append((name, int.from_bytes(data[at : at + OFFSET_BYTES], "little")))
            at += OFFSET_BYTES
        else:
            parts[name] = data[at : at + size]
            at += size
    if not starts:
        return parts
    ends = [start for _, start in starts[1:]] + [len(data)]
    _require(starts[0][1] == head, path, "has a first offset that skips bytes")
    for (name, start), end in zip(starts, ends, strict=True):
        _require(start <= end <= len(data), path, f"has offsets out of order at {name}")
        parts[name] = data[start:end]
    return parts


def count_items(data: memoryview, *, item_bytes: int, limit: int, path: str) -> int:
    """How many items of fixed size the bytes of a list hold.

    Raises:
        BeaconError: a part of an item is left over, or there are more than `limit`.
    """
    count, rest = divmod(len(data), item_bytes)
    _require(rest == 0, path, f"has {len(data)} bytes, no multiple of {item_bytes}")
    _require(count <= limit, path, f"holds {count} items, its limit is {limit}")
    return count


def _root_of_items(item: Bytes | Container, data: memoryview, *, depth: int) -> bytes:
    """The root over items of fixed size; `data` is a whole number of them."""
    size = _fixed_item(item)
    columns = [
        _column(data, item_bytes=size, start=start, end=end) for start, end in _leaves_of(item)
    ]
    width = 1 << depth_of(len(columns))
    empty = bytes(NODE_BYTES) * (width - len(columns))
    leaves = b"".join(
        [
            node
            for at in range(0, len(data) // size * NODE_BYTES, NODE_BYTES)
            for node in (*[column[at : at + NODE_BYTES] for column in columns], empty)
        ]
    )
    return climb(_fold(leaves, width=width), level=0, height=depth).root


def _column(data: memoryview, *, item_bytes: int, start: int, end: int) -> bytes:
    """The roots of one field of every item, one after the other."""
    width = 1 << depth_of(-(-(end - start) // NODE_BYTES))
    padding = bytes(width * NODE_BYTES - (end - start))
    whole = bytes(data)
    padded = [whole[at + start : at + end] + padding for at in range(0, len(whole), item_bytes)]
    return _fold(b"".join(padded), width=width)


def _fold(layer: bytes, *, width: int) -> bytes:
    """The roots of trees of `width` leaves that stand side by side in one layer."""
    for _ in range(depth_of(width)):
        layer = hash_pairs(layer)
    return layer


def _leaves_of(item: Bytes | Container) -> list[tuple[int, int]]:
    """Where each leaf of an item begins and ends: the fields of a container, or the item itself.

    Every item in a beacon state is a byte string or a container of nothing but byte strings.
    """
    if isinstance(item, Bytes):
        return [(0, item.length)]
    cuts = []
    at = 0
    for name, field in item.fields:
        if not isinstance(field, Bytes):
            raise TypeError(f"field {name} of {item.name} is no byte string")
        cuts.append((at, at + field.length))
        at += field.length
    return cuts


def _fixed_item(item: Bytes | Container) -> int:
    size = fixed_bytes(item)
    if size is None:
        raise TypeError(f"items of {item} vary in size")  # a mistake in our tables, not in data
    return size


def _require(holds: bool, path: str, problem: str) -> None:
    if not holds:
        raise BeaconError(
            f"{path} {problem}",
            code="beacon_state_malformed",
            hint="Ask the beacon node again; the answer was cut off or is of another fork.",
            data={"path": path},
        )
