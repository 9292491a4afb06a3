"""The fast hashing equals the plain one of `sdk.ssz`, and its branches lead to its roots."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdk import ssz
from sdk.beacon_proofs.merkle import (
    ZERO_ROOTS,
    climb,
    depth_of,
    hash_pairs,
    root_of_chunks,
    with_length,
)
from sdk.beacon_proofs.verify import root_from_branch
from sdk.errors import InvariantBroken

NODES = st.lists(st.binary(min_size=32, max_size=32), max_size=40)


@given(nodes=NODES, spare=st.integers(0, 4))
def test_climb_is_merkleize(nodes: list[bytes], spare: int) -> None:
    height = depth_of(len(nodes)) + spare
    assert climb(b"".join(nodes), level=0, height=height).root == ssz.merkleize(
        nodes, limit=1 << height
    )


@given(nodes=NODES.filter(bool), data=st.data())
def test_branches_lead_to_the_root(nodes: list[bytes], data: st.DataObject) -> None:
    height = depth_of(len(nodes)) + 3
    places = data.draw(st.lists(st.integers(0, len(nodes) - 1), max_size=5))
    found = climb(b"".join(nodes), level=0, height=height, positions=places)
    for place, branch in zip(places, found.branches, strict=True):
        assert len(branch) == height
        index = (1 << height) + place
        assert root_from_branch(nodes[place], branch, index=index) == found.root


@given(nodes=NODES)
def test_a_climb_may_begin_half_way(nodes: list[bytes]) -> None:
    layer = b"".join(nodes) + bytes(32) * (len(nodes) % 2)
    whole = climb(layer, level=0, height=10).root
    assert climb(hash_pairs(layer), level=1, height=10).root == whole


@given(data=st.binary(max_size=700), depth=st.integers(5, 9))
def test_chunks_are_filled_with_zeros(data: bytes, depth: int) -> None:
    padded = data + bytes(-len(data) % 32)
    chunks = [padded[at : at + 32] for at in range(0, len(padded), 32)]
    assert root_of_chunks(memoryview(data), depth=depth) == ssz.merkleize(chunks, 1 << depth)


@pytest.mark.parametrize("size", [0, 65_535, 65_536, 65_537, 200_000])
@pytest.mark.parametrize("depth", [13, 40])
def test_pieces_join(size: int, depth: int) -> None:
    """Several pieces of 64 KiB, one of them nothing but zeros."""
    data = bytes(at % 251 for at in range(size))
    data = data[:65_536] + bytes(len(data[65_536:131_072])) + data[131_072:]
    padded = data + bytes(-len(data) % 32)
    chunks = [padded[at : at + 32] for at in range(0, len(padded), 32)]
    assert root_of_chunks(memoryview(data), depth=depth) == ssz.merkleize(chunks, 1 << depth)


def test_nothing_has_the_zero_root() -> None:
    assert climb(b"", level=0, height=7).root == ZERO_ROOTS[7]
    assert climb(b"", level=3, height=7, positions=[0]).branches == (tuple(ZERO_ROOTS[3:7]),)


def test_length_is_mixed_in_on_the_right() -> None:
    assert with_length(bytes(32), 5) == ssz.mix_in_length(bytes(32), 5)


def test_too_many_nodes_are_refused() -> None:
    with pytest.raises(InvariantBroken):
        climb(bytes(96), level=0, height=1)
