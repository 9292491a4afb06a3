"""What is signed: domain types, and roots against published ones and an independent library."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operator_node.spec import MalformedSsz, Preset, SigningDomain, UnknownVersion, signing, ssz
from operator_node.spec import block_shapes as blocks
from operator_node.spec import containers as values
from operator_node.spec import operations as ops
from tests.unit.operator_node.spec.reference import PRESETS, VERSIONS, random_bytes, small_types

uint64s = st.integers(0, 2**64 - 1)
roots = st.binary(min_size=32, max_size=32)
signatures = st.binary(min_size=96, max_size=96)
REFERENCE = small_types(6, Preset.MAINNET)

EMPTY_BODY_ROOT = "ccb62460692be0ec813b56be97f68a82cf57abc102e27bf49ebf4190ff22eedd"
GENESIS_BLOCKS = {
    # state root and block root of the genesis blocks, as the networks publish them
    "mainnet": (
        "7e76880eb67bbdc86250aa578958e9d0675e64e714337855204fb5abaaf82c2b",
        "4d611d5b93fdab69013a7f0a2f961caca0c853f87cfe9595fe50038163079360",
    ),
    "sepolia": (
        "fb9afe32150fa39f4b346be2519a67e2a4f5efcd50a1dc192c3f6b3d013d2798",
        "fb9b64fe445f76696407e1e3cc390371edff147bf712db86db6197d4b31ede43",
    ),
    "no state yet": (
        "00" * 32,
        "eade62f0457b2fdf48e7d3fc4b60736688286be7c7a3ac4c9a16a5e0600bd9e4",
    ),
}


def reference_root(name: str, **fields: Any) -> bytes:
    """The root of a container as the library has it."""
    return bytes(REFERENCE[name](**fields).hash_tree_root())


def test_domain_types_are_those_of_the_specification() -> None:
    assert {kind.name: kind.value.hex() for kind in SigningDomain} == {
        "PROPOSER": "00000000",
        "ATTESTER": "01000000",
        "RANDAO": "02000000",
        "DEPOSIT": "03000000",
        "VOLUNTARY_EXIT": "04000000",
        "SELECTION_PROOF": "05000000",
        "AGGREGATE_AND_PROOF": "06000000",
        "SYNC_COMMITTEE": "07000000",
        "SYNC_SELECTION_PROOF": "08000000",
        "CONTRIBUTION_AND_PROOF": "09000000",
        "APPLICATION_BUILDER": "00000001",
    }


@given(st.binary(min_size=4, max_size=4), roots)
def test_a_domain_is_its_type_and_the_head_of_the_fork_data(version: bytes, root: bytes) -> None:
    fork_data = reference_root("ForkData", current_version=version, genesis_validators_root=root)
    assert signing.fork_data_root(version, root) == fork_data
    domain = signing.compute_domain(
        SigningDomain.RANDAO, fork_version=version, genesis_validators_root=root
    )
    assert domain == bytes.fromhex("02000000") + fork_data[:28]


@given(roots, roots)
def test_a_signing_root_binds_object_and_domain(root: bytes, domain: bytes) -> None:
    expected = reference_root("SigningData", object_root=root, domain=domain)
    assert signing.signing_root(root, domain) == expected


@pytest.mark.parametrize("name", GENESIS_BLOCKS)
def test_genesis_blocks_have_their_published_roots(name: str) -> None:
    state_root, block_root = GENESIS_BLOCKS[name]
    root = signing.block_header_root(
        slot=0,
        proposer_index=0,
        parent_root=bytes(32),
        state_root=bytes.fromhex(state_root),
        body_root=bytes.fromhex(EMPTY_BODY_ROOT),
    )
    assert root.hex() == block_root


def test_an_empty_body_has_its_published_root() -> None:
    shape = blocks.block_shape(1, Preset.MAINNET)
    value: dict[str, ssz.Value] = {
        "randao_reveal": bytes(96),
        "eth1_data": {"deposit_root": bytes(32), "deposit_count": 0, "block_hash": bytes(32)},
        "graffiti": bytes(32),
    }
    (body,) = (inner for name, inner in shape.fields if name == "body")
    assert isinstance(body, ssz.Container)
    value |= {name: () for name, _ in body.fields if name not in value}
    assert ssz.hash_tree_root(body, ssz.encode(body, value)).hex() == EMPTY_BODY_ROOT


@given(uint64s, uint64s, roots, uint64s, roots, uint64s, roots)
def test_attestation_data(
    slot: int,
    index: int,
    head: bytes,
    source: int,
    source_root: bytes,
    target: int,
    target_root: bytes,
) -> None:
    data = values.AttestationData(
        slot=slot,
        index=index,
        beacon_block_root=head,
        source_epoch=source,
        source_root=source_root,
        target_epoch=target,
        target_root=target_root,
    )
    expected = REFERENCE["AttestationData"].decode_bytes(data.encode())
    assert int(expected.target.epoch) == target
    assert bytes(expected.source.root) == source_root
    assert signing.attestation_data_root(data) == bytes(expected.hash_tree_root())


@given(uint64s, uint64s, st.binary(min_size=128, max_size=128), signatures)
def test_single_attestation(committee: int, attester: int, data: bytes, signature: bytes) -> None:
    value = values.SingleAttestation(committee, attester, data, signature)
    data_root = ssz.hash_tree_root(ops.ATTESTATION_DATA, data)
    expected = REFERENCE["SingleAttestation"].decode_bytes(value.encode())
    assert signing.single_attestation_root(value, data_root) == bytes(expected.hash_tree_root())


@given(uint64s)
def test_a_number_is_its_own_leaf(number: int) -> None:
    assert signing.uint64_root(number) == number.to_bytes(8, "little") + bytes(24)


@given(roots)
def test_a_sync_message_signs_the_block_root_itself(root: bytes) -> None:
    assert signing.sync_message_root(root) == root


@given(uint64s, roots, uint64s, signatures)
def test_sync_committee_message(slot: int, head: bytes, index: int, signature: bytes) -> None:
    value = values.SyncCommitteeMessage(slot, head, index, signature)
    expected = ssz.hash_tree_root(ops.SYNC_COMMITTEE_MESSAGE, value.encode())
    assert signing.sync_committee_message_root(value) == expected


@given(uint64s, uint64s, signatures)
def test_an_object_beside_its_signature(epoch: int, index: int, signature: bytes) -> None:
    value = values.VoluntaryExit(epoch, index)
    signed = values.SignedVoluntaryExit(value, signature)
    expected = ssz.hash_tree_root(ops.SIGNED_VOLUNTARY_EXIT, signed.encode())
    root = signing.voluntary_exit_root(value)
    assert signing.signed_object_root(root, signature) == expected


@given(uint64s, uint64s)
def test_sync_selection_data(slot: int, subcommittee: int) -> None:
    value = values.SyncAggregatorSelectionData(slot, subcommittee)
    expected = reference_root(
        "SyncAggregatorSelectionData", slot=slot, subcommittee_index=subcommittee
    )
    assert signing.sync_selection_data_root(value) == expected


@given(st.binary(min_size=20, max_size=20), uint64s, uint64s, st.binary(min_size=48, max_size=48))
def test_validator_registration(recipient: bytes, gas: int, timestamp: int, key: bytes) -> None:
    value = values.ValidatorRegistration(recipient, gas, timestamp, key)
    expected = reference_root(
        "ValidatorRegistrationV1",
        fee_recipient=recipient,
        gas_limit=gas,
        timestamp=timestamp,
        pubkey=key,
    )
    assert signing.validator_registration_root(value) == expected


@given(uint64s, uint64s)
def test_voluntary_exit(epoch: int, index: int) -> None:
    value = values.VoluntaryExit(epoch, index)
    expected = reference_root("VoluntaryExit", epoch=epoch, validator_index=index)
    assert signing.voluntary_exit_root(value) == expected


@given(uint64s, uint64s, roots, roots, roots)
def test_block_header(slot: int, index: int, parent: bytes, state: bytes, body: bytes) -> None:
    fields: dict[str, Any] = {
        "slot": slot,
        "proposer_index": index,
        "parent_root": parent,
        "state_root": state,
        "body_root": body,
    }
    assert signing.block_header_root(**fields) == reference_root("BeaconBlockHeader", **fields)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("version", VERSIONS)
def test_aggregate_and_proof_of_every_fork(version: int, preset: Preset) -> None:
    aggregate = random_bytes(ops.attestation_shape(version, preset), seed=version)
    value = values.AggregateAndProof(2**40, aggregate, bytes(range(96)))
    expected = small_types(version, preset)["AggregateAndProof"].decode_bytes(value.encode())
    root = signing.aggregate_and_proof_root(value, version=version, preset=preset)
    assert root == bytes(expected.hash_tree_root())


@pytest.mark.parametrize("preset", PRESETS)
def test_contribution_and_proof(preset: Preset) -> None:
    contribution = random_bytes(ops.contribution_shape(preset), seed=1)
    value = values.ContributionAndProof(2**40, contribution, bytes(range(96)))
    expected = small_types(2, preset)["ContributionAndProof"].decode_bytes(value.encode())
    root = signing.contribution_and_proof_root(value, preset=preset)
    assert root == bytes(expected.hash_tree_root())


def test_an_aggregate_of_another_fork_is_refused() -> None:
    aggregate = random_bytes(ops.attestation_shape(5, Preset.MAINNET), seed=1)
    value = values.AggregateAndProof(1, aggregate, bytes(96))
    with pytest.raises(MalformedSsz):
        signing.aggregate_and_proof_root(value, version=6)
    with pytest.raises(UnknownVersion):
        signing.aggregate_and_proof_root(value, version=8)


def test_a_contribution_of_another_preset_is_refused() -> None:
    contribution = random_bytes(ops.contribution_shape(Preset.MINIMAL), seed=1)
    value = values.ContributionAndProof(1, contribution, bytes(96))
    with pytest.raises(MalformedSsz):
        signing.contribution_and_proof_root(value)
