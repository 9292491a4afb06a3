from __future__ import annotations

import pytest

from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.ssz_lists import (
    read_byte_lists,
    read_uint64s,
    write_byte_lists,
    write_uint64s,
)


def offsets(*values: int) -> bytes:
    return b"".join(value.to_bytes(4, "little") for value in values)


def read(data: bytes) -> tuple[bytes, ...]:
    return read_byte_lists(data, max_items=3, max_bytes=5, what="words")


@pytest.mark.parametrize("items", [(), (b"",), (b"five!",), (b"a", b"", b"ccccc"), (b"", b"", b"")])
def test_byte_lists_survive_a_round_trip(items: tuple[bytes, ...]) -> None:
    assert read(write_byte_lists(items)) == items


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\x04", id="less than an offset"),
        pytest.param(b"\x04\x00\x00", id="an offset but for a byte"),
        pytest.param(offsets(0), id="first offset zero"),
        pytest.param(offsets(3) + b"x", id="first offset inside itself"),
        pytest.param(offsets(5) + b"xx", id="first offset not a multiple of four"),
        pytest.param(offsets(8) + b"xxx", id="first offset behind the end"),
        pytest.param(offsets(16, 16, 16, 16), id="too many items"),
        pytest.param(offsets(4) + b"sixsix", id="the only item too long"),
        pytest.param(offsets(8, 14) + b"sixsix", id="the first item too long"),
        pytest.param(offsets(8, 8) + b"sixsix", id="the last item too long"),
        pytest.param(offsets(12, 14, 13) + b"xxx", id="decreasing offsets"),
        pytest.param(offsets(8, 7) + b"xxx", id="an offset inside the table"),
        pytest.param(offsets(8, 12) + b"xxx", id="an offset behind the end"),
    ],
)
def test_any_other_encoding_of_byte_lists_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolFault, match="words") as caught:
        read(data)
    assert caught.value.fault is Fault.MALFORMED


@pytest.mark.parametrize("numbers", [(), (0,), (1, 2**64 - 1, 3)])
def test_numbers_survive_a_round_trip(numbers: tuple[int, ...]) -> None:
    assert read_uint64s(write_uint64s(numbers), max_items=3, what="numbers") == numbers


@pytest.mark.parametrize("length", [1, 7, 9, 32])
def test_numbers_are_whole_and_limited(length: int) -> None:
    with pytest.raises(ProtocolFault, match="numbers") as caught:
        read_uint64s(bytes(length), max_items=3, what="numbers")
    assert caught.value.fault is Fault.MALFORMED
