"""What SSZ refuses, by name; what it accepts is compared with another library elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

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
    Value,
    Vector,
    check,
    count_items,
    decode,
    encode,
    field,
    hash_tree_root,
)
from sdk.errors import PeerError, UsageError

PAIR = Container("Pair", (("number", Uint(64)), ("flag", Boolean())))
TEXTS = List(ByteList(4), 3)
MIXED = Container(
    "Mixed", (("head", Uint(16)), ("first", ByteList(8)), ("pair", PAIR), ("second", TEXTS))
)
MIXED_HEAD = 2 + 4 + 9 + 4
MIXED_VALUE: dict[str, Value] = {
    "head": 258,
    "first": b"abc",
    "pair": {"number": 7, "flag": True},
    "second": (b"", b"xy"),
}


def offsets(*values: int) -> bytes:
    return b"".join(value.to_bytes(4, "little") for value in values)


@pytest.mark.parametrize(
    ("shape", "data"),
    [
        pytest.param(Uint(64), bytes(7), id="a number is as long as its bits"),
        pytest.param(Uint(64), bytes(9), id="bytes are left over"),
        pytest.param(Boolean(), b"\x02", id="a boolean is 0 or 1"),
        pytest.param(Boolean(), b"", id="a boolean is one byte"),
        pytest.param(ByteVector(32), bytes(31), id="a vector has its length"),
        pytest.param(ByteList(4), bytes(5), id="a byte list keeps its limit"),
        pytest.param(Bitvector(3), b"\x08", id="no bit is set beyond a bit vector"),
        pytest.param(
            Bitvector(9), b"\xff\x02", id="no bit is set beyond a bit vector of two bytes"
        ),
        pytest.param(Bitvector(9), b"\xff", id="a bit vector has its bytes"),
        pytest.param(Bitlist(8), b"", id="a bit list has the bit that ends it"),
        pytest.param(Bitlist(8), b"\x01\x00", id="that bit is in the last byte"),
        pytest.param(Bitlist(8), b"\x00\x02", id="a bit list keeps its limit"),
        pytest.param(Vector(Uint(16), 2), bytes(3), id="a vector of numbers has its length"),
        pytest.param(Vector(Boolean(), 2), b"\x00\x02", id="items of a vector are checked"),
        pytest.param(List(Uint(16), 2), bytes(3), id="a part of an item is left over"),
        pytest.param(List(Uint(16), 2), bytes(6), id="a list keeps its limit"),
        pytest.param(List(Boolean(), 2), b"\x03", id="items of a list are checked"),
        pytest.param(List(PAIR, 2), bytes(8) + b"\x02", id="items that are containers are checked"),
        pytest.param(PAIR, bytes(8), id="a container of fixed size has that size"),
        pytest.param(
            PAIR, bytes(8) + b"\x02", id="fields of a container of fixed size are checked"
        ),
        pytest.param(TEXTS, b"\x04", id="an offset is whole"),
        pytest.param(TEXTS, offsets(0), id="no offset is zero"),
        pytest.param(TEXTS, offsets(8), id="the first offset is within the bytes"),
        pytest.param(TEXTS, offsets(5) + b"a", id="the first offset ends whole offsets"),
        pytest.param(TEXTS, offsets(8, 7) + b"a", id="offsets do not go back"),
        pytest.param(TEXTS, offsets(8, 10) + b"a", id="offsets stay within the bytes"),
        pytest.param(TEXTS, offsets(16, 16, 16, 16), id="a list of varying items keeps its limit"),
        pytest.param(TEXTS, offsets(4) + b"abcde", id="items of varying size are checked"),
        pytest.param(
            Vector(ByteList(1), 2), offsets(4), id="a vector of varying items has its length"
        ),
        pytest.param(Vector(ByteList(1), 2), b"", id="a vector is never empty"),
    ],
)
def test_bytes_that_break_a_rule_are_refused(shape: Shape, data: bytes) -> None:
    for read in (check, decode, hash_tree_root):
        with pytest.raises(MalformedSsz):
            read(shape, data)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (MIXED_HEAD + 1, MIXED_HEAD + 3),  # skips a byte
        (MIXED_HEAD - 1, MIXED_HEAD + 3),  # begins in the fixed part
        (MIXED_HEAD, MIXED_HEAD - 1),  # goes back
        (MIXED_HEAD, 2**32 - 1),  # leaves the bytes
    ],
)
def test_offsets_of_a_container_cover_it_in_order(first: int, second: int) -> None:
    good = encode(MIXED, MIXED_VALUE)
    bad = good[:2] + offsets(first) + good[6:15] + offsets(second) + good[19:]
    assert good != bad
    for read in (check, decode, hash_tree_root):
        with pytest.raises(MalformedSsz):
            read(MIXED, bad)


def test_a_container_shorter_than_its_fixed_part_is_refused() -> None:
    for length in range(MIXED_HEAD):
        with pytest.raises(MalformedSsz):
            check(MIXED, encode(MIXED, MIXED_VALUE)[:length])


def test_a_refusal_blames_the_peer() -> None:
    with pytest.raises(PeerError) as refused:
        check(PAIR, b"")
    assert refused.value.code == "ssz_malformed"
    assert str(refused.value) == "Pair has 0 bytes instead of 9"


def test_an_empty_list_of_varying_items_has_no_offsets() -> None:
    assert encode(TEXTS, ()) == b""
    assert decode(TEXTS, b"") == ()


def test_a_huge_limit_costs_nothing() -> None:
    shape = List(ByteList(2**40), 2**40)
    assert decode(shape, encode(shape, (b"a", b""))) == (b"a", b"")
    assert len(hash_tree_root(shape, b"")) == 32


def test_many_empty_items_are_counted_without_being_held() -> None:
    shape = List(ByteList(1), 2**20)
    count = 50_000
    data = offsets(4 * count) * count
    assert count_items(shape, data) == count
    check(shape, data)


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ((), encode(MIXED, MIXED_VALUE)),
        (("head",), b"\x02\x01"),
        (("first",), b"abc"),
        (("pair", "number"), b"\x07" + bytes(7)),
        (("pair", "flag"), b"\x01"),
        (("second", 0), b""),
        (("second", 1), b"xy"),
    ],
)
def test_a_field_is_found_by_its_path(path: tuple[str | int, ...], part: bytes) -> None:
    assert field(MIXED, encode(MIXED, MIXED_VALUE), *path) == part


def test_a_field_is_a_view_and_no_copy() -> None:
    data = encode(MIXED, MIXED_VALUE)
    assert field(MIXED, data, "first").obj is data


def test_an_item_that_a_list_does_not_have_is_the_peers_fault() -> None:
    with pytest.raises(MalformedSsz, match="no item 2"):
        field(MIXED, encode(MIXED, MIXED_VALUE), "second", 2)


@pytest.mark.parametrize("path", [("third",), ("pair", 0), ("second", -1), ("second", "x"), (0,)])
def test_a_part_that_the_type_does_not_have_is_our_fault(path: tuple[str | int, ...]) -> None:
    with pytest.raises(UsageError):
        field(MIXED, encode(MIXED, MIXED_VALUE), *path)


@pytest.mark.parametrize(
    ("shape", "value"),
    [
        (Uint(8), 256),
        (Uint(8), -1),
        (Uint(8), "1"),
        (Boolean(), 1),
        (ByteVector(2), b"a"),
        (ByteList(2), b"abc"),
        (Bitvector(2), (True,)),
        (Bitlist(2), (True, True, True)),
        (Vector(Uint(8), 2), (1,)),
        (List(Uint(8), 2), (1, 2, 3)),
        (PAIR, {"number": 1}),
        (PAIR, {"number": 1, "flag": True, "more": 1}),
        (PAIR, (1, True)),
    ],
)
def test_a_value_that_does_not_fit_is_not_encoded(shape: Shape, value: Any) -> None:
    with pytest.raises(UsageError):
        encode(shape, value)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Uint(7),
        lambda: ByteVector(0),
        lambda: Bitvector(0),
        lambda: Vector(Uint(8), 0),
        lambda: Container("Nothing", ()),
    ],
)
def test_types_that_ssz_does_not_have_are_refused(make: Any) -> None:
    with pytest.raises(UsageError):
        make()
