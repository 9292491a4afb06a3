"""Blocks of every fork have the fields, sizes and limits of the specification."""

from __future__ import annotations

import pytest

from operator_node.spec import Preset, UnknownVersion, ssz
from operator_node.spec import block_shapes as blocks
from tests.unit.operator_node.spec.reference import (
    PRESETS,
    VERSIONS,
    block_types,
    layout,
    library_type,
    random_bytes,
)


def shapes_of(version: int, preset: Preset) -> dict[str, ssz.Container]:
    """The kinds of block that the fork has, by their names."""
    shapes = [blocks.block_shape(version, preset)]
    if version >= 3:
        shapes.append(blocks.blinded_block_shape(version, preset))
    if version >= 5:
        shapes.append(blocks.block_contents_shape(version, preset))
        shapes.append(blocks.signed_block_contents_shape(version, preset))
    return {shape.name: shape for shape in shapes}


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("version", VERSIONS)
def test_fields_and_limits_are_those_of_the_specification(version: int, preset: Preset) -> None:
    reference = block_types(version, preset)
    ours = shapes_of(version, preset)
    assert ours.keys() == reference.keys()
    for name, shape in ours.items():
        assert layout(library_type(shape)) == layout(reference[name]), name


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("version", VERSIONS)
def test_roots_are_those_of_the_reference(version: int, preset: Preset) -> None:
    reference = block_types(version, preset)
    for seed, (name, shape) in enumerate(shapes_of(version, preset).items()):
        data = random_bytes(shape, seed)
        expected = reference[name].decode_bytes(data).hash_tree_root()
        assert ssz.hash_tree_root(shape, data) == bytes(expected), name


def test_fulu_changed_nothing_but_the_proofs() -> None:
    for preset in PRESETS:
        assert blocks.block_shape(7, preset) == blocks.block_shape(6, preset)
        assert blocks.blinded_block_shape(7, preset) == blocks.blinded_block_shape(6, preset)
        assert blocks.block_contents_shape(7, preset) != blocks.block_contents_shape(6, preset)


@pytest.mark.parametrize("version", [0, 8, 2**64 - 1])
def test_a_fork_nobody_knows_has_no_blocks(version: int) -> None:
    for shape in (blocks.block_shape, blocks.blinded_block_shape, blocks.block_contents_shape):
        with pytest.raises(UnknownVersion):
            shape(version, Preset.MAINNET)


def test_blinded_blocks_begin_with_bellatrix() -> None:
    with pytest.raises(UnknownVersion):
        blocks.blinded_block_shape(2, Preset.MAINNET)


def test_contents_begin_with_deneb() -> None:
    with pytest.raises(UnknownVersion):
        blocks.block_contents_shape(4, Preset.MAINNET)
