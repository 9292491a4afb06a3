"""SSZ lists of byte strings and of numbers, read strictly.

Pure. Every list has one encoding: offsets start right behind the offset table, never decrease and
end at the last byte. Anything else is malformed; input is never repaired, because two nodes that
repair differently disagree about the same bytes.

Source: consensus-specs, ssz/simple-serialize.md; docs/protocol.md, "Structural checks".
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Final, ParamSpec

from operator_node.wire.faults import Fault, ProtocolFault
from sdk.errors import UsageError

_Arguments = ParamSpec("_Arguments")

OFFSET_BYTES: Final = 4
UINT64_BYTES: Final = 8
_ONE_ITEM: Final = OFFSET_BYTES.to_bytes(OFFSET_BYTES, "little")
"""The offset table of a list with one item."""
_UINT64: Final = struct.Struct("<Q")
TOO_LARGE: Final = (struct.error, OverflowError)
"""What encoding a number raises that does not fit its field."""


def malformed(what: str) -> ProtocolFault:
    """The fault of bytes that are no strict encoding; the text says what they should be."""
    return ProtocolFault(Fault.MALFORMED, what)


def writes_ssz(encode: Callable[_Arguments, bytes]) -> Callable[_Arguments, bytes]:
    """An encoder whose error for a number that does not fit its field is `UsageError`.

    Encoders that every message passes catch `TOO_LARGE` themselves, which saves a call.
    """

    @wraps(encode)
    def checked(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> bytes:
        try:
            return encode(*args, **kwargs)
        except TOO_LARGE as problem:
            raise does_not_fit(problem) from None

    return checked


def does_not_fit(problem: Exception) -> UsageError:
    """The error for a number that is out of its field's range, as `TOO_LARGE` has told."""
    return UsageError(f"a number does not fit its field: {problem}")


def fixed(data: bytes, length: int, what: str) -> bytes:
    """The bytes as they are, for a field of fixed length.

    Raises:
        UsageError: of another length; padding or cutting would give two values one encoding.
    """
    if len(data) != length:
        raise UsageError(f"{what} has {length} bytes, got {len(data)}")
    return data


def read_byte_lists(data: bytes, *, max_items: int, max_bytes: int, what: str) -> tuple[bytes, ...]:
    """The items of a List[ByteList[max_bytes], max_items].

    Raises:
        ProtocolFault: not the strict encoding of such a list.
    """
    size = len(data)
    if not size:
        return ()
    first = int.from_bytes(data[:OFFSET_BYTES], "little")
    if first == OFFSET_BYTES <= size <= OFFSET_BYTES + max_bytes:
        return (data[OFFSET_BYTES:],)  # one item: the signature of nearly every message
    count = first // OFFSET_BYTES
    if first % OFFSET_BYTES or not 0 < first <= size or count > max_items:
        raise malformed(
            f"{what}: {size} bytes with first offset {first}, at most {max_items} items"
        )
    offsets = struct.unpack_from(f"<{count}I", data)
    items = []
    start = first
    for end in (*offsets[1:], size):
        if not 0 <= end - start <= max_bytes:
            raise malformed(f"{what}: an item from byte {start} to {end}, at most {max_bytes} long")
        items.append(data[start:end])
        start = end
    return tuple(items)


def write_byte_lists(items: Sequence[bytes]) -> bytes:
    """The encoding of a list of byte strings."""
    if not items:
        return b""
    if len(items) == 1:
        return _ONE_ITEM + items[0]
    offsets = []
    at = len(items) * OFFSET_BYTES
    for item in items:
        offsets.append(at)
        at += len(item)
    return struct.pack(f"<{len(items)}I", *offsets) + b"".join(items)


def read_uint64s(data: bytes, *, max_items: int, what: str) -> tuple[Any, ...]:
    """The items of a List[uint64, max_items]; the caller names their type.

    Raises:
        ProtocolFault: not the strict encoding of such a list.
    """
    if len(data) == UINT64_BYTES:
        return (int.from_bytes(data, "little"),)  # the signer of nearly every message
    count = len(data) // UINT64_BYTES
    if len(data) % UINT64_BYTES or count > max_items:
        raise malformed(f"{what}: {len(data)} bytes, at most {max_items} numbers of 8 bytes")
    return struct.unpack(f"<{count}Q", data)


def write_uint64s(numbers: Sequence[int]) -> bytes:
    """The encoding of a list of numbers; for encoders under `writes_ssz`."""
    if len(numbers) == 1:
        return _UINT64.pack(numbers[0])  # the signer of nearly every message
    return struct.pack(f"<{len(numbers)}Q", *numbers)
