"""Strict codec for the few ABI types that the registry's events use.

Pure. Strict means canonical: it reads exactly what Solidity's encoder writes (tails in order
without gaps, zero padding, no unused high bits, nothing missing, nothing left over). Whatever
`decode` accepts, `encode` writes back byte for byte, so a log has one form only. It knows no
events; `sdk.events.decode` does. Source: Solidity documentation, Contract ABI Specification.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

from sdk.errors import InputError
from sdk.events.snapshot import ClusterSnapshot
from sdk.types import ADDRESS_BYTES, Wei

WORD_BYTES = 32
CLUSTER_TYPE = "(uint32,uint64,uint64,bool,uint256)"

Value = int | bool | bytes | tuple[int, ...] | tuple[bytes, ...] | ClusterSnapshot


class Reason(StrEnum):
    """Why a log is no canonical event of the registry; a closed list."""

    NO_TOPICS = "no_topics"
    UNKNOWN_EVENT = "unknown_event"
    WRONG_TOPIC_COUNT = "wrong_topic_count"
    BAD_TOPIC = "bad_topic"
    BAD_LENGTH = "bad_length"
    BAD_OFFSET = "bad_offset"
    BAD_PADDING = "bad_padding"
    TRAILING_BYTES = "trailing_bytes"
    VALUE_RANGE = "value_range"


class Malformed(InputError):
    """Bytes or values that are no canonical encoding; `reason` says why."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}", code=reason.value)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Codec:
    """How one ABI type is read and written.

    Attributes:
        is_dynamic: the head holds an offset and the value stands in the tail.
        head_bytes: bytes it takes in the head.
        read: (data, position) → (value, position behind it); raises `Malformed`.
        write: value → bytes; raises `Malformed` for a value outside the type.
    """

    is_dynamic: bool
    head_bytes: int
    read: Callable[[bytes, int], tuple[Any, int]]
    write: Callable[[Any], bytes]


def decode(types: tuple[str, ...], data: bytes) -> list[Any]:
    """Values of an argument list, in order.

    Args:
        types: canonical type names, keys of `CODECS`.
        data: the whole encoding.

    Raises:
        Malformed: `data` is not what the encoder would have written for any values.
    """
    codecs, tail = _layout(types)
    if len(data) < tail:
        raise Malformed(Reason.BAD_LENGTH, f"{len(data)} bytes, the head alone has {tail}")
    values: list[Any] = []
    head = 0
    for codec in codecs:
        if codec.is_dynamic:
            offset = int.from_bytes(data[head : head + WORD_BYTES], "big")
            if offset != tail:
                raise Malformed(Reason.BAD_OFFSET, f"offset {offset} at byte {head}, not {tail}")
            value, tail = codec.read(data, tail)
            head += WORD_BYTES
        else:
            value, head = codec.read(data, head)
        values.append(value)
    if tail != len(data):
        raise Malformed(Reason.TRAILING_BYTES, f"{len(data) - tail} bytes after the last value")
    return values


def encode(types: tuple[str, ...], values: Iterable[Value]) -> bytes:
    """The one canonical encoding of an argument list.

    Raises:
        Malformed: `value_range`, a value does not fit its type.
    """
    codecs, head_bytes = _layout(types)
    head = bytearray()
    tail = bytearray()
    for codec, value in zip(codecs, values, strict=True):
        if codec.is_dynamic:
            head += (head_bytes + len(tail)).to_bytes(WORD_BYTES, "big")
            tail += codec.write(value)
        else:
            head += codec.write(value)
    return bytes(head + tail)


@lru_cache(maxsize=64)  # one entry per argument list; the registry has fewer
def _layout(types: tuple[str, ...]) -> tuple[tuple[Codec, ...], int]:
    codecs = tuple(CODECS[name] for name in types)
    return codecs, sum(codec.head_bytes for codec in codecs)


def _uint(bits: int) -> Codec:
    limit = 1 << bits

    def read(data: bytes, at: int) -> tuple[int, int]:
        end = at + WORD_BYTES
        value = int.from_bytes(data[at:end], "big")
        if value >= limit:
            raise Malformed(Reason.VALUE_RANGE, f"{value} at byte {at} has over {bits} bits")
        return value, end

    def write(value: int) -> bytes:
        if not 0 <= value < limit:
            raise Malformed(Reason.VALUE_RANGE, f"{value} does not fit uint{bits}")
        return value.to_bytes(WORD_BYTES, "big")

    return Codec(is_dynamic=False, head_bytes=WORD_BYTES, read=read, write=write)


def _read_bool(data: bytes, at: int) -> tuple[bool, int]:
    value, end = _BIT.read(data, at)
    return bool(value), end


def _read_address(data: bytes, at: int) -> tuple[bytes, int]:
    start, end = at + WORD_BYTES - ADDRESS_BYTES, at + WORD_BYTES
    if data[at:start] != _ADDRESS_PADDING:
        raise Malformed(Reason.BAD_PADDING, f"address at byte {at} has bytes before it")
    return data[start:end], end


def _write_address(value: bytes) -> bytes:
    if len(value) != ADDRESS_BYTES:
        raise Malformed(Reason.VALUE_RANGE, f"an address of {len(value)} bytes")
    return _ADDRESS_PADDING + value


def _read_word(data: bytes, at: int) -> tuple[bytes, int]:
    return data[at : at + WORD_BYTES], at + WORD_BYTES


def _write_word(value: bytes) -> bytes:
    if len(value) != WORD_BYTES:
        raise Malformed(Reason.VALUE_RANGE, f"bytes32 of {len(value)} bytes")
    return value


def _read_length(data: bytes, at: int) -> tuple[int, int]:
    start = at + WORD_BYTES
    length = int.from_bytes(data[at:start], "big")
    # Any element takes at least one byte, so this bounds the work by the size of the data.
    if length > len(data) - start:
        raise Malformed(Reason.BAD_LENGTH, f"length {length} at byte {at} runs past the end")
    return length, start


def _read_bytes(data: bytes, at: int) -> tuple[bytes, int]:
    length, start = _read_length(data, at)
    end = start + length
    padded_end = end + -length % WORD_BYTES
    if padded_end > len(data):
        raise Malformed(Reason.BAD_LENGTH, f"padding of the bytes at {at} is missing")
    if any(data[end:padded_end]):
        raise Malformed(Reason.BAD_PADDING, f"bytes at {at} are not padded with zeros")
    return data[start:end], padded_end


def _write_bytes(value: bytes) -> bytes:
    return len(value).to_bytes(WORD_BYTES, "big") + value + bytes(-len(value) % WORD_BYTES)


def _array(element: Codec) -> Codec:
    read_element = element.read

    def read(data: bytes, at: int) -> tuple[tuple[Any, ...], int]:
        length, at = _read_length(data, at)
        if length * WORD_BYTES > len(data) - at:
            raise Malformed(Reason.BAD_LENGTH, f"array of {length} at byte {at} is cut off")
        values = []
        for _ in range(length):
            value, at = read_element(data, at)
            values.append(value)
        return tuple(values), at

    def write(values: tuple[Any, ...]) -> bytes:
        return len(values).to_bytes(WORD_BYTES, "big") + b"".join(map(element.write, values))

    return Codec(is_dynamic=True, head_bytes=WORD_BYTES, read=read, write=write)


def _read_cluster(data: bytes, at: int) -> tuple[ClusterSnapshot, int]:
    count, at = _UINT32.read(data, at)
    network_fee_index, at = _UINT64.read(data, at)
    index, at = _UINT64.read(data, at)
    active, at = _read_bool(data, at)
    balance, at = _UINT256.read(data, at)
    return ClusterSnapshot(count, network_fee_index, index, active, Wei(balance)), at


def _write_cluster(value: ClusterSnapshot) -> bytes:
    return b"".join(
        (
            _UINT32.write(value.validator_count),
            _UINT64.write(value.network_fee_index),
            _UINT64.write(value.index),
            _BIT.write(value.active),
            _UINT256.write(value.balance_wei),
        )
    )


_ADDRESS_PADDING = bytes(WORD_BYTES - ADDRESS_BYTES)
_BIT, _UINT32, _UINT64, _UINT256 = _uint(1), _uint(32), _uint(64), _uint(256)
_ADDRESS = Codec(is_dynamic=False, head_bytes=WORD_BYTES, read=_read_address, write=_write_address)

CODECS: dict[str, Codec] = {
    "uint32": _UINT32,
    "uint64": _UINT64,
    "uint256": _UINT256,
    "bool": Codec(is_dynamic=False, head_bytes=WORD_BYTES, read=_read_bool, write=_BIT.write),
    "address": _ADDRESS,
    "bytes32": Codec(is_dynamic=False, head_bytes=WORD_BYTES, read=_read_word, write=_write_word),
    "bytes": Codec(is_dynamic=True, head_bytes=WORD_BYTES, read=_read_bytes, write=_write_bytes),
    "uint64[]": _array(_UINT64),
    "address[]": _array(_ADDRESS),
    CLUSTER_TYPE: Codec(
        is_dynamic=False, head_bytes=5 * WORD_BYTES, read=_read_cluster, write=_write_cluster
    ),
}
"""Every type of the registry's events; a type outside this list does not occur there."""
