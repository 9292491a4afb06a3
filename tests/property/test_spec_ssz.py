"""Any type, any value, any bytes: as an independent SSZ implementation has them, and strict."""

from __future__ import annotations

from typing import Any, assert_never

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operator_node.spec import BlockKind, MalformedSsz, Preset, find_block, ssz
from operator_node.spec.block_shapes import blinded_block_shape, block_contents_shape
from tests.unit.operator_node.spec.reference import (
    FEW_BYTES,
    block_types,
    library_type,
    random_bytes,
)

LIMITS = (1, 3, 31, 32, 33, 64, 300, 2**20, 2**40)
SIZES = (1, 4, 7, 8, 9, 31, 32, 33, 48, 96)
FEW = 4

leaves = st.one_of(
    st.sampled_from([8, 16, 32, 64, 128, 256]).map(ssz.Uint),
    st.just(ssz.Boolean()),
    st.sampled_from(SIZES).map(ssz.ByteVector),
    st.sampled_from(LIMITS).map(ssz.ByteList),
    st.sampled_from(SIZES).map(ssz.Bitvector),
    st.sampled_from(LIMITS).map(ssz.Bitlist),
)


def _nest(inner: st.SearchStrategy[ssz.Shape]) -> st.SearchStrategy[ssz.Shape]:
    return st.one_of(
        st.builds(ssz.Vector, inner, st.integers(1, FEW)),
        st.builds(ssz.List, inner, st.sampled_from(LIMITS)),
        st.lists(inner, min_size=1, max_size=5).map(
            lambda shapes: ssz.Container(
                "Drawn", tuple((f"f{place}", shape) for place, shape in enumerate(shapes))
            )
        ),
    )


shapes: st.SearchStrategy[ssz.Shape] = st.recursive(leaves, _nest, max_leaves=8)


def values(shape: ssz.Shape) -> st.SearchStrategy[Any]:
    match shape:
        case ssz.Uint(bits):
            return st.integers(0, 2**bits - 1)
        case ssz.Boolean():
            return st.booleans()
        case ssz.ByteVector(length):
            return st.binary(min_size=length, max_size=length)
        case ssz.ByteList(limit):
            return st.binary(max_size=min(limit, FEW_BYTES))
        case ssz.Bitvector(length):
            return st.tuples(*[st.booleans()] * length)
        case ssz.Bitlist(limit):
            return st.lists(st.booleans(), max_size=min(limit, FEW_BYTES)).map(tuple)
        case ssz.Vector(item, length):
            return st.tuples(*[values(item)] * length)
        case ssz.List(item, limit):
            return st.lists(values(item), max_size=min(limit, FEW)).map(tuple)
        case ssz.Container():
            return st.fixed_dictionaries({name: values(inner) for name, inner in shape.fields})
        case _:
            assert_never(shape)


typed_values = shapes.flatmap(lambda shape: st.tuples(st.just(shape), values(shape)))


@given(typed_values)
def test_encoding_and_root_are_those_of_another_implementation(case: tuple[Any, Any]) -> None:
    shape, value = case
    data = ssz.encode(shape, value)
    expected = library_type(shape).decode_bytes(data)
    assert bytes(expected.encode_bytes()) == data
    assert ssz.hash_tree_root(shape, data) == bytes(expected.hash_tree_root())


@given(typed_values)
def test_a_value_survives_encoding(case: tuple[Any, Any]) -> None:
    shape, value = case
    data = ssz.encode(shape, value)
    ssz.check(shape, data)
    assert ssz.decode(shape, data) == value


@st.composite
def damaged(draw: st.DrawFn) -> tuple[ssz.Shape, bytes]:
    """An encoding with a few bytes replaced, inserted or cut off."""
    shape, value = draw(typed_values)
    data = bytearray(ssz.encode(shape, value))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 2))] = draw(st.binary(max_size=2))
    return shape, bytes(data)


@given(st.one_of(damaged(), st.tuples(shapes, st.binary(max_size=80))))
def test_bytes_are_refused_or_the_one_encoding_of_their_value(case: tuple[Any, bytes]) -> None:
    shape, data = case
    try:
        value = ssz.decode(shape, data)
    except ssz.MalformedSsz:
        with pytest.raises(ssz.MalformedSsz):
            ssz.hash_tree_root(shape, data)
        return
    assert ssz.encode(shape, value) == data
    expected = library_type(shape).decode_bytes(data)
    assert ssz.hash_tree_root(shape, data) == bytes(expected.hash_tree_root())


@given(typed_values, st.data())
def test_a_field_is_the_encoding_of_that_part(case: tuple[Any, Any], data: st.DataObject) -> None:
    shape, value = case
    encoded = ssz.encode(shape, value)
    path: list[str | int] = []
    while isinstance(shape, ssz.Container | ssz.Vector | ssz.List):
        steps = list(value) if isinstance(shape, ssz.Container) else list(range(len(value)))
        if not steps:
            break
        step = data.draw(st.sampled_from(steps))
        path.append(step)
        shape = dict(shape.fields)[step] if isinstance(shape, ssz.Container) else shape.item
        value = value[step]
    assert ssz.field(case[0], encoded, *path) == ssz.encode(shape, value)


BLOCKS = 30
"""Examples of whole blocks; each takes the other library some 20 ms."""
presets = st.sampled_from(Preset)
seeds = st.integers(0, 2**32)


@settings(max_examples=BLOCKS)
@given(st.integers(4, 7), presets, seeds)
def test_a_blinded_block_has_the_root_of_the_reference(
    version: int, preset: Preset, seed: int
) -> None:
    data = random_bytes(blinded_block_shape(version, preset), seed)
    found = find_block(version, data, preset)
    expected = block_types(version, preset)["BlindedBeaconBlock"].decode_bytes(data)
    assert found.kind is BlockKind.BLINDED
    assert found.root == bytes(expected.hash_tree_root())


@given(st.integers(5, 7), st.lists(st.tuples(seeds, st.binary(max_size=4)), max_size=4), seeds)
def test_a_damaged_proposal_is_found_or_malformed(
    version: int, damage: list[tuple[int, bytes]], seed: int
) -> None:
    shape = block_contents_shape(version, Preset.MINIMAL)
    data = bytearray(random_bytes(shape, seed)[:8_000])  # some have blobs, which are cut off
    for place, content in damage:
        at = place % (len(data) + 1)
        data[at : at + len(content)] = content
    try:
        found = find_block(version, bytes(data), Preset.MINIMAL)
    except MalformedSsz:
        with pytest.raises(MalformedSsz):
            ssz.decode(shape, bytes(data))
        return
    assert found.data == bytes(data)
    assert ssz.encode(shape, ssz.decode(shape, bytes(data))) == bytes(data)
