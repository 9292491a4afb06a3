"""Cuts encodings into their parts, strictly, without copying them or making values of them.

Pure. A first offset that does not end the fixed part, offsets out of order, items over a limit,
bytes left over and bits outside a value are all refused: a reader that repairs its input lets a
peer make two nodes disagree about the same bytes.

Source: consensus-specs, ssz/simple-serialize.md; docs/protocol.md, "Structural checks".
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, pairwise
from struct import Struct
from typing import Final, assert_never

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
    MalformedSsz,
    Shape,
    Uint,
    Vector,
)
from sdk.errors import UsageError

_EACH_OFFSET: Final = Struct("<I").iter_unpack


def check(shape: Shape, data: bytes | memoryview) -> None:
    """Passes if `data` is an encoding of the type.

    Raises:
        MalformedSsz: it is not.
    """
    _check(shape, memoryview(data))


def field(shape: Shape, data: bytes | memoryview, *path: str | int) -> memoryview:
    """The bytes of a nested part.

    Checks only the framing on the way to it; call `check` first on bytes of a peer.

    Args:
        shape: what `data` is.
        data: a whole encoding.
        path: names of container fields and indexes into lists and vectors, outermost first.

    Raises:
        MalformedSsz: the framing is wrong, or a list is shorter than the path asks for.
        UsageError: the type has no such part.
    """
    part = memoryview(data)
    for step in path:
        match shape:
            case Container() if step in shape.places:
                place = shape.places[str(step)]
                part, shape = cut_container(shape, part)[place], shape.fields[place][1]
            case Vector() | List() if isinstance(step, int) and step >= 0:
                found = next(islice(cut_items(shape, part), step, None), None)
                if found is None:
                    raise MalformedSsz(f"{shape!r} has no item {step}")
                part, shape = found, shape.item
            case _:
                raise UsageError(f"{shape!r} has no part {step!r}")
    return part


def cut_container(shape: Container, data: memoryview) -> list[memoryview]:
    """The bytes of each field, in order; their content is not checked.

    Raises:
        MalformedSsz: too short, too long, or offsets that do not follow each other.
    """
    if shape.size is not None:
        require_size(shape, shape.size, data)
        return [data[span] for span in shape.spans if span is not None]
    if len(data) < shape.head_bytes:
        raise MalformedSsz(f"{shape!r} has {len(data)} bytes, its fixed part {shape.head_bytes}")
    starts: tuple[int, ...] = shape.offsets.unpack_from(data)
    if starts[0] != shape.head_bytes:
        raise MalformedSsz(
            f"{shape!r} begins its first variable part at {starts[0]}, not {shape.head_bytes}"
        )
    bounds = pairwise((*starts, len(data)))
    return [
        data[span] if span is not None else _between(shape, data, *next(bounds))
        for span in shape.spans
    ]


def cut_items(shape: Vector | List, data: memoryview) -> Iterator[memoryview]:
    """The bytes of each item, one at a time; their content is not checked.

    One at a time, because millions of empty items fit into a value that a peer may send.

    Raises:
        MalformedSsz: another count than the type allows, or offsets out of order.
    """
    if shape.item.size is not None:
        size = shape.item.size
        count_items(shape, data)
        return (data[at : at + size] for at in range(0, len(data), size))
    return _cut_variable_items(shape, data)


def count_items(shape: Vector | List, data: bytes | memoryview) -> int:
    """How many items the bytes hold; the items themselves are not looked at.

    Raises:
        MalformedSsz: a part of an item or of an offset is left over, or a count not allowed.
    """
    size = shape.item.size
    if size is not None:
        count, rest = divmod(len(data), size)
    elif len(data) < OFFSET_BYTES:
        count, rest = 0, len(data)
    else:
        head = int.from_bytes(data[:OFFSET_BYTES], "little")
        count, rest = divmod(head, OFFSET_BYTES)
        if not 0 < head <= len(data):
            raise MalformedSsz(f"{shape!r} of {len(data)} bytes begins its first item at {head}")
    if rest:
        raise MalformedSsz(f"{shape!r} has {rest} bytes more than {count} whole items")
    if count > shape.limit if isinstance(shape, List) else count != shape.length:
        raise MalformedSsz(f"{shape!r} holds {count} items")
    return count


def count_bits(shape: Bitlist, data: memoryview) -> int:
    """How many bits a bit list holds; its highest set bit only marks the end.

    Raises:
        MalformedSsz: no such mark, or more bits than the limit.
    """
    if not data or not data[-1]:
        raise MalformedSsz(f"{shape!r} does not end in a set bit")
    count = (len(data) - 1) * BITS_PER_BYTE + data[-1].bit_length() - 1
    if count > shape.limit:
        raise MalformedSsz(f"{shape!r} holds {count} bits")
    return count


def require_size(shape: Shape, size: int, data: memoryview) -> None:
    """Passes if there are `size` bytes.

    Raises:
        MalformedSsz: there are not.
    """
    if len(data) != size:
        raise MalformedSsz(f"{shape!r} has {len(data)} bytes instead of {size}")


def _check(shape: Shape, data: memoryview) -> None:
    if shape.size is not None:
        require_size(shape, shape.size, data)
        if shape.is_plain:
            return
    match shape:
        case Container():
            for (_, inner), part in zip(shape.fields, cut_container(shape, data), strict=True):
                _check(inner, part)
        case List() | Vector() if shape.item.is_plain:
            count_items(shape, data)
        case List() | Vector():
            for part in cut_items(shape, data):
                _check(shape.item, part)
        case ByteList(limit):
            if len(data) > limit:
                raise MalformedSsz(f"{shape!r} has {len(data)} bytes")
        case Bitlist():
            count_bits(shape, data)
        case Bitvector(length):
            if data[-1] >> ((length - 1) % BITS_PER_BYTE + 1):
                raise MalformedSsz(f"{shape!r} has set bits beyond its length")
        case Boolean():
            if data[0] > 1:
                raise MalformedSsz(f"a Boolean is 0 or 1, got {data[0]}")
        case Uint() | ByteVector():
            pass  # of the right size, checked above
        case _:
            assert_never(shape)


def _cut_variable_items(shape: Vector | List, data: memoryview) -> Iterator[memoryview]:
    count = count_items(shape, data)
    if not count:
        return
    offsets = _EACH_OFFSET(data[: count * OFFSET_BYTES])
    (start,) = next(offsets)
    for (end,) in offsets:
        yield _between(shape, data, start, end)
        start = end
    yield _between(shape, data, start, len(data))


def _between(shape: Shape, data: memoryview, start: int, end: int) -> memoryview:
    if not start <= end <= len(data):
        raise MalformedSsz(f"{shape!r} has a part from {start} to {end} of {len(data)} bytes")
    return data[start:end]
