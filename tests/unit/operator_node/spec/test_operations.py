"""Containers outside blocks have the fields, sizes and limits of the specification."""

from __future__ import annotations

import pytest

from operator_node.spec import Preset, UnknownVersion, ssz
from operator_node.spec import operations as ops
from tests.unit.operator_node.spec.reference import (
    PRESETS,
    VERSIONS,
    layout,
    library_type,
    random_bytes,
    small_types,
)


def shapes_of(version: int, preset: Preset) -> tuple[ssz.Container, ...]:
    """Every container that is not part of blocks alone."""
    return (
        ops.ATTESTATION_DATA,
        ops.SINGLE_ATTESTATION,
        ops.SYNC_COMMITTEE_MESSAGE,
        ops.SYNC_AGGREGATOR_SELECTION_DATA,
        ops.VALIDATOR_REGISTRATION,
        ops.SIGNED_VALIDATOR_REGISTRATION,
        ops.VOLUNTARY_EXIT,
        ops.SIGNED_VOLUNTARY_EXIT,
        ops.BEACON_BLOCK_HEADER,
        ops.attestation_shape(version, preset),
        ops.indexed_attestation_shape(version, preset),
        ops.aggregate_and_proof_shape(version, preset),
        ops.signed_aggregate_and_proof_shape(version, preset),
        ops.contribution_shape(preset),
        ops.contribution_and_proof_shape(preset),
        ops.signed_contribution_and_proof_shape(preset),
    )


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("version", VERSIONS)
def test_fields_and_limits_are_those_of_the_specification(version: int, preset: Preset) -> None:
    reference = small_types(version, preset)
    for shape in shapes_of(version, preset):
        assert layout(library_type(shape)) == layout(reference[shape.name]), shape


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("version", VERSIONS)
def test_roots_are_those_of_the_reference(version: int, preset: Preset) -> None:
    reference = small_types(version, preset)
    for seed, shape in enumerate(shapes_of(version, preset)):
        data = random_bytes(shape, seed)
        expected = reference[shape.name].decode_bytes(data).hash_tree_root()
        assert ssz.hash_tree_root(shape, data) == bytes(expected), shape


@pytest.mark.parametrize("version", [0, 8, 2**64 - 1])
def test_a_fork_nobody_knows_has_no_attestations(version: int) -> None:
    for shape in (
        ops.attestation_shape,
        ops.indexed_attestation_shape,
        ops.aggregate_and_proof_shape,
        ops.signed_aggregate_and_proof_shape,
    ):
        with pytest.raises(UnknownVersion):
            shape(version, Preset.MAINNET)


@pytest.mark.parametrize("preset", Preset)
def test_a_contribution_has_the_size_of_its_preset(preset: Preset) -> None:
    contribution = random_bytes(ops.contribution_shape(preset), seed=1)
    assert len(contribution) == preset.sizes.contribution_bytes
