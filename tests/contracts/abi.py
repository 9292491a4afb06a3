"""A small ABI codec for the fuzzing runs, many times faster than the library's.

It trusts its input and the compiler; a test compares it with the library. `sdk.events.abi` is the
strict one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sdk.events import ClusterSnapshot

WORD = 32


@dataclass(frozen=True, slots=True)
class Codec:
    """How one type is written and read.

    Attributes:
        is_dynamic: the head holds an offset.
        head_bytes: bytes in the head.
        write: value → bytes.
        read: (data, place) → value.
    """

    is_dynamic: bool
    head_bytes: int
    write: Callable[[Any], bytes]
    read: Callable[[bytes, int], Any]


def encode(types: Sequence[str], values: Sequence[Any]) -> bytes:
    """The encoding of an argument list."""
    return _write_all([codec(name) for name in types], values)


def decode(types: Sequence[str], data: bytes) -> tuple[Any, ...]:
    """Values of an argument list. Addresses are bytes, arrays and tuples are tuples."""
    return _read_all([codec(name) for name in types], data, 0)


@cache
def codec(name: str) -> Codec:
    """The codec of a type by its canonical name."""
    if name.endswith("[]"):
        return _array(codec(name[:-2]))
    if name.startswith("("):
        return _tuple([codec(part) for part in _parts(name)])
    if name.startswith("uint"):
        return Codec(False, WORD, _write_uint, _read_uint)
    if name == "bool":
        return Codec(False, WORD, _write_uint, lambda data, at: bool(_read_uint(data, at)))
    if name == "address":
        return Codec(
            False,
            WORD,
            lambda value: value.rjust(WORD, b"\0"),
            lambda data, at: data[at + 12 : at + WORD],
        )
    if name == "bytes":
        return Codec(True, WORD, _write_bytes, _read_bytes)
    if name == "string":
        return Codec(
            True,
            WORD,
            lambda value: _write_bytes(value.encode()),
            lambda data, at: _read_bytes(data, at).decode(),
        )
    if name.startswith("bytes"):
        size = int(name.removeprefix("bytes"))
        return Codec(
            False,
            WORD,
            lambda value: value.ljust(WORD, b"\0"),
            lambda data, at: data[at : at + size],
        )
    raise ValueError(f"no codec for {name}")


def _write_uint(value: int) -> bytes:
    return value.to_bytes(WORD, "big")


def _read_uint(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + WORD], "big")


def _write_bytes(value: bytes) -> bytes:
    return _write_uint(len(value)) + value + bytes(-len(value) % WORD)


def _read_bytes(data: bytes, at: int) -> bytes:
    return data[at + WORD : at + WORD + _read_uint(data, at)]


def _array(element: Codec) -> Codec:
    def write(values: Sequence[Any]) -> bytes:
        return _write_uint(len(values)) + _write_all([element] * len(values), values)

    def read(data: bytes, at: int) -> tuple[Any, ...]:
        return _read_all([element] * _read_uint(data, at), data, at + WORD)

    return Codec(True, WORD, write, read)


def _tuple(parts: list[Codec]) -> Codec:
    is_dynamic = any(part.is_dynamic for part in parts)
    head_bytes = WORD if is_dynamic else sum(part.head_bytes for part in parts)

    def write(value: Any) -> bytes:
        return _write_all(parts, _plain(value))

    return Codec(is_dynamic, head_bytes, write, lambda data, at: _read_all(parts, data, at))


def _write_all(codecs: Sequence[Codec], values: Sequence[Any]) -> bytes:
    offset = sum([part.head_bytes for part in codecs])
    heads, tails = [], []
    for part, value in zip(codecs, values, strict=True):
        written = part.write(value)
        if part.is_dynamic:
            heads.append(_write_uint(offset))
            tails.append(written)
            offset += len(written)
        else:
            heads.append(written)
    return b"".join(heads) + b"".join(tails)


def _read_all(codecs: Sequence[Codec], data: bytes, start: int) -> tuple[Any, ...]:
    values = []
    at = start
    for part in codecs:
        place = start + _read_uint(data, at) if part.is_dynamic else at
        values.append(part.read(data, place))
        at += part.head_bytes
    return tuple(values)


def _plain(value: Any) -> Sequence[Any]:
    if isinstance(value, ClusterSnapshot):
        return (
            value.validator_count,
            value.network_fee_index,
            value.index,
            value.active,
            value.balance_wei,
        )
    return value  # type: ignore[no-any-return]


def _parts(name: str) -> list[str]:
    """Types inside a tuple's parentheses."""
    parts, depth, start = [], 0, 1
    for place, char in enumerate(name):
        depth += (char == "(") - (char == ")")
        if depth == int(char != ")") and char in ",)" and place:
            parts.append(name[start:place])
            start = place + 1
    return parts
