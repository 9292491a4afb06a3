"""What a key signs: signing domains, and roots of signed objects spelled out for speed.

Pure. A domain keeps a signature of one kind, fork or chain from counting as another; which fork
version applies when is for `chain`. Each root function is one container's hash tree root as its
tree of SHA-256 pairs; tests compare every one with its descriptor in `operations`.

Source: consensus-specs, phase0/beacon-chain.md (compute_domain, compute_signing_root),
phase0/validator.md, altair/validator.md; builder-specs, specs/bellatrix/builder.md;
docs/protocol.md, "Signatures" and "Duties".
"""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from hashlib import sha256
from typing import Final

from operator_node.spec.containers import (
    AggregateAndProof,
    AttestationData,
    ContributionAndProof,
    SingleAttestation,
    SyncAggregatorSelectionData,
    SyncCommitteeMessage,
    ValidatorRegistration,
    VoluntaryExit,
)
from operator_node.spec.operations import attestation_shape, contribution_shape
from operator_node.spec.presets import Preset
from operator_node.spec.ssz import hash_tree_root
from sdk.networks import FORK_VERSION_BYTES

ZERO_ROOT: Final = bytes(32)
_ZERO_PAIR_ROOT: Final = sha256(bytes(64)).digest()
_VERSION_PADDING: Final = bytes(32 - FORK_VERSION_BYTES)
_DOMAIN_TAIL_BYTES: Final = 28
_DOMAINS_KEPT: Final = 256
"""Eleven kinds under the two or three fork versions around a fork, for a few chains."""


class SigningDomain(Enum):
    """What a signature is for; the value is the domain type, 4 bytes."""

    PROPOSER = bytes.fromhex("00000000")
    ATTESTER = bytes.fromhex("01000000")
    RANDAO = bytes.fromhex("02000000")
    DEPOSIT = bytes.fromhex("03000000")
    VOLUNTARY_EXIT = bytes.fromhex("04000000")
    SELECTION_PROOF = bytes.fromhex("05000000")
    AGGREGATE_AND_PROOF = bytes.fromhex("06000000")
    SYNC_COMMITTEE = bytes.fromhex("07000000")
    SYNC_SELECTION_PROOF = bytes.fromhex("08000000")
    CONTRIBUTION_AND_PROOF = bytes.fromhex("09000000")
    APPLICATION_BUILDER = bytes.fromhex("00000001")

    __hash__ = object.__hash__  # members are single; Enum hashes their names anew at each look-up


@lru_cache(maxsize=_DOMAINS_KEPT)
def compute_domain(
    kind: SigningDomain, *, fork_version: bytes, genesis_validators_root: bytes = ZERO_ROOT
) -> bytes:
    """The domain, 32 bytes: the domain type, then the head of the fork data root.

    Args:
        kind: what is signed.
        fork_version: 4 bytes.
        genesis_validators_root: 32 bytes; zero for what is valid on any chain of that version.
    """
    return kind.value + fork_data_root(fork_version, genesis_validators_root)[:_DOMAIN_TAIL_BYTES]


def fork_data_root(fork_version: bytes, genesis_validators_root: bytes) -> bytes:
    """hash_tree_root of ForkData, 32 bytes."""
    return sha256(fork_version + _VERSION_PADDING + genesis_validators_root).digest()


def signing_root(object_root: bytes, domain: bytes) -> bytes:
    """hash_tree_root of SigningData, 32 bytes: what a key signs.

    Args:
        object_root: hash tree root of the object, 32 bytes.
        domain: see `ChainSpec.domain`, 32 bytes.
    """
    return sha256(object_root + domain).digest()


def uint64_root(value: int) -> bytes:
    """The root of a uint64: of an epoch for randao, of a slot for a selection proof."""
    return value.to_bytes(32, "little")


def sync_message_root(beacon_block_root: bytes) -> bytes:
    """What a sync committee member signs: the root of a block root is that root itself."""
    return beacon_block_root


def attestation_data_root(data: AttestationData) -> bytes:
    """hash_tree_root of AttestationData: five fields, eight leaves."""
    source = sha256(data.source_epoch.to_bytes(32, "little") + data.source_root).digest()
    target = sha256(data.target_epoch.to_bytes(32, "little") + data.target_root).digest()
    numbers = _pair_of_uint64(data.slot, data.index)
    left = sha256(numbers + sha256(data.beacon_block_root + source).digest()).digest()
    right = sha256(sha256(target + ZERO_ROOT).digest() + _ZERO_PAIR_ROOT).digest()
    return sha256(left + right).digest()


def single_attestation_root(value: SingleAttestation, data_root: bytes) -> bytes:
    """hash_tree_root of SingleAttestation.

    Args:
        value: as it is published.
        data_root: hash tree root of its data, which many attestations share.
    """
    numbers = _pair_of_uint64(value.committee_index, value.attester_index)
    return sha256(numbers + sha256(data_root + _signature_root(value.signature)).digest()).digest()


def aggregate_and_proof_root(
    value: AggregateAndProof, *, version: int, preset: Preset = Preset.MAINNET
) -> bytes:
    """hash_tree_root of AggregateAndProof.

    Args:
        value: the proof with its encoded aggregate.
        version: number of the fork; the aggregate has another form from Electra (6) on.
        preset: bounds the aggregate's bits.

    Raises:
        MalformedSsz: the aggregate is no attestation of that fork.
        UnknownVersion: no fork from phase0 to fulu.
    """
    aggregate = hash_tree_root(attestation_shape(version, preset), value.aggregate)
    return _root_with_proof(value.aggregator_index, aggregate, value.selection_proof)


def contribution_and_proof_root(
    value: ContributionAndProof, *, preset: Preset = Preset.MAINNET
) -> bytes:
    """hash_tree_root of ContributionAndProof.

    Raises:
        MalformedSsz: the contribution is none of the preset.
    """
    contribution = hash_tree_root(contribution_shape(preset), value.contribution)
    return _root_with_proof(value.aggregator_index, contribution, value.selection_proof)


def sync_committee_message_root(value: SyncCommitteeMessage) -> bytes:
    """hash_tree_root of SyncCommitteeMessage."""
    slot, index = uint64_root(value.slot), uint64_root(value.validator_index)
    left = sha256(slot + value.beacon_block_root).digest()
    return sha256(left + sha256(index + _signature_root(value.signature)).digest()).digest()


def signed_object_root(object_root: bytes, signature: bytes) -> bytes:
    """hash_tree_root of an object beside its signature, as most are published."""
    return sha256(object_root + _signature_root(signature)).digest()


def sync_selection_data_root(value: SyncAggregatorSelectionData) -> bytes:
    """hash_tree_root of SyncAggregatorSelectionData."""
    return _pair_of_uint64(value.slot, value.subcommittee_index)


def validator_registration_root(value: ValidatorRegistration) -> bytes:
    """hash_tree_root of ValidatorRegistrationV1."""
    left = sha256(
        value.fee_recipient.ljust(32, b"\0") + value.gas_limit.to_bytes(32, "little")
    ).digest()
    key = sha256(value.public_key.ljust(64, b"\0")).digest()
    right = sha256(value.timestamp.to_bytes(32, "little") + key).digest()
    return sha256(left + right).digest()


def voluntary_exit_root(value: VoluntaryExit) -> bytes:
    """hash_tree_root of VoluntaryExit."""
    return _pair_of_uint64(value.epoch, value.validator_index)


def block_header_root(
    *, slot: int, proposer_index: int, parent_root: bytes, state_root: bytes, body_root: bytes
) -> bytes:
    """hash_tree_root of BeaconBlockHeader, which is also that of the block with this body."""
    numbers = _pair_of_uint64(slot, proposer_index)
    left = sha256(numbers + sha256(parent_root + state_root).digest()).digest()
    right = sha256(sha256(body_root + ZERO_ROOT).digest() + _ZERO_PAIR_ROOT).digest()
    return sha256(left + right).digest()


def _root_with_proof(aggregator_index: int, object_root: bytes, selection_proof: bytes) -> bytes:
    """The root that AggregateAndProof and ContributionAndProof have in common; three fields."""
    left = sha256(aggregator_index.to_bytes(32, "little") + object_root).digest()
    proof = _signature_root(selection_proof)
    return sha256(left + sha256(proof + ZERO_ROOT).digest()).digest()


def _signature_root(signature: bytes) -> bytes:
    """96 bytes are three leaves of four."""
    head = sha256(signature[:64]).digest()
    return sha256(head + sha256(signature[64:] + ZERO_ROOT).digest()).digest()


def _pair_of_uint64(left: int, right: int) -> bytes:
    return sha256(left.to_bytes(32, "little") + right.to_bytes(32, "little")).digest()
