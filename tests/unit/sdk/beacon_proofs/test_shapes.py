"""Every shape hashes as remerkleable hashes it; damaged bytes are named, not guessed at.

Annotations are values here: remerkleable reads a container's fields from them.
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from remerkleable.basic import byte, uint64
from remerkleable.byte_arrays import ByteList, Bytes32, ByteVector
from remerkleable.complex import Container as Reference
from remerkleable.complex import List as ReferenceList
from remerkleable.complex import Vector

from sdk.beacon_proofs import MAINNET, MINIMAL, Fork, fork_named
from sdk.beacon_proofs.shapes import (
    Bytes,
    Container,
    ItemList,
    Items,
    PackedList,
    cut_container,
    fixed_bytes,
    root_of,
)
from sdk.beacon_proofs.state_shape import VALIDATOR, state_shape
from sdk.errors import BeaconError

INNER = Container("Inner", (("key", Bytes(48)), ("amount", Bytes(8)), ("flag", Bytes(1))))
OUTER = Container(
    "Outer",
    (
        ("number", Bytes(8)),
        ("extra", PackedList(1, 32)),
        ("inner", INNER),
        ("items", ItemList(INNER, 1000)),
    ),
)


class ReferenceInner(Reference):  # type: ignore[misc]
    key: ByteVector[48]
    amount: uint64
    flag: byte


class ReferenceOuter(Reference):  # type: ignore[misc]
    number: uint64
    extra: ByteList[32]
    inner: ReferenceInner
    items: ReferenceList[ReferenceInner, 1000]


def equal(shape: Any, value: Any) -> bool:
    data = memoryview(value.encode_bytes())
    return root_of(shape, data, path="value") == bytes(value.hash_tree_root())


@given(data=st.binary(min_size=100, max_size=100))
def test_byte_vectors(data: bytes) -> None:
    assert equal(Bytes(100), ByteVector[100](data))


@given(numbers=st.lists(st.integers(0, 2**64 - 1), max_size=20))
def test_lists_of_numbers(numbers: list[int]) -> None:
    assert equal(PackedList(8, 2**40), ReferenceList[uint64, 2**40](*numbers))


@given(numbers=st.lists(st.integers(0, 2**64 - 1), min_size=9, max_size=9))
def test_vectors_of_numbers_hash_as_bytes(numbers: list[int]) -> None:
    assert equal(Bytes(72), Vector[uint64, 9](*numbers))


@given(roots=st.lists(st.binary(min_size=32, max_size=32), max_size=9))
def test_lists_of_roots(roots: list[bytes]) -> None:
    assert equal(PackedList(32, 2**24), ReferenceList[Bytes32, 2**24](*roots))


@given(keys=st.lists(st.binary(min_size=48, max_size=48), min_size=5, max_size=5))
def test_vectors_of_keys(keys: list[bytes]) -> None:
    assert equal(Items(Bytes(48), 5), Vector[ByteVector[48], 5](*keys))


inner = st.builds(
    ReferenceInner,
    key=st.binary(min_size=48, max_size=48).map(ByteVector[48]),
    amount=st.integers(0, 2**64 - 1),
    flag=st.integers(0, 1),
)


@given(
    number=st.integers(0, 2**64 - 1),
    extra=st.binary(max_size=32),
    middle=inner,
    items=st.lists(inner, max_size=9),
)
def test_containers(number: int, extra: bytes, middle: Any, items: list[Any]) -> None:
    value = ReferenceOuter(number=number, extra=ByteList[32](extra), inner=middle, items=items)
    assert equal(OUTER, value)


def outer(*, offsets: tuple[int, int] = (73, 73), tail: bytes = b"") -> memoryview:
    first, second = (each.to_bytes(4, "little") for each in offsets)
    return memoryview(bytes(8) + first + bytes(57) + second + tail)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (outer()[:72], "fixed part alone 73"),
        (outer(offsets=(72, 73)), "skips bytes"),
        (outer(offsets=(74, 74), tail=b"a"), "skips bytes"),
        (outer(offsets=(73, 72)), "out of order at extra"),
        (outer(offsets=(73, 74)), "out of order at extra"),
        (outer(offsets=(73, 2**32 - 1)), "out of order"),
        (outer(tail=bytes(56)), "no multiple of 57"),
        (outer(offsets=(73, 106), tail=bytes(33)), "its limit is 32"),
    ],
)
def test_damaged_containers_are_refused(data: memoryview, problem: str) -> None:
    with pytest.raises(BeaconError, match=problem) as raised:
        root_of(OUTER, data, path="outer")
    assert raised.value.code == "beacon_state_malformed"


def test_a_fixed_container_has_its_exact_size() -> None:
    with pytest.raises(BeaconError):
        cut_container(INNER, memoryview(bytes(58)), path="inner")
    with pytest.raises(BeaconError):
        root_of(Bytes(8), memoryview(bytes(7)), path="number")
    with pytest.raises(BeaconError):
        root_of(Items(INNER, 2), memoryview(bytes(57)), path="items")


def test_tables_with_varying_items_are_a_mistake_of_ours() -> None:
    with pytest.raises(TypeError):
        root_of(ItemList(OUTER, 2), outer(), path="items")
    nested = Container("Nested", (("inner", INNER),))
    with pytest.raises(TypeError):
        root_of(ItemList(nested, 2), memoryview(bytes(57)), path="items")


@pytest.mark.parametrize("preset", [MAINNET, MINIMAL])
def test_fulu_adds_one_field_to_electra(preset: Any) -> None:
    electra = state_shape(Fork.ELECTRA, preset).fields
    fulu = state_shape(Fork.FULU, preset).fields
    assert fulu[:-1] == electra
    assert fulu[-1][0] == "proposer_lookahead"
    assert fixed_bytes(VALIDATOR) == 121


def test_an_unknown_fork_is_refused() -> None:
    assert fork_named("electra") is Fork.ELECTRA
    with pytest.raises(BeaconError, match="'deneb' cannot be proven") as raised:
        fork_named("deneb")
    assert raised.value.code == "beacon_fork_unsupported"
