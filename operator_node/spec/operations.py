"""Descriptors of what validators sign and publish beside blocks, by fork and preset.

Pure tables. `version` is the number of a fork, see `versions`.

Source: consensus-specs, phase0/beacon-chain.md, phase0/validator.md, altair/validator.md,
electra/beacon-chain.md; builder-specs, specs/bellatrix/builder.md.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from operator_node.spec.presets import MAX_VALIDATORS_PER_COMMITTEE, Preset
from operator_node.spec.ssz import Bitlist, Bitvector, ByteVector, Container, List, Shape, Uint
from operator_node.spec.versions import ELECTRA, require_known

UINT64: Final = Uint(64)
ROOT: Final = ByteVector(32)
ADDRESS: Final = ByteVector(20)
PUBLIC_KEY: Final = ByteVector(48)
SIGNATURE: Final = ByteVector(96)


def container(name: str, **fields: Shape) -> Container:
    """A container of the given fields, in that order."""
    return Container(name, tuple(fields.items()))


def signed(message: Container) -> Container:
    """The container of a message and its signature."""
    return container(f"Signed{message.name}", message=message, signature=SIGNATURE)


CHECKPOINT: Final = container("Checkpoint", epoch=UINT64, root=ROOT)
ATTESTATION_DATA: Final = container(
    "AttestationData",
    slot=UINT64,
    index=UINT64,
    beacon_block_root=ROOT,
    source=CHECKPOINT,
    target=CHECKPOINT,
)
SINGLE_ATTESTATION: Final = container(
    "SingleAttestation",
    committee_index=UINT64,
    attester_index=UINT64,
    data=ATTESTATION_DATA,
    signature=SIGNATURE,
)
SYNC_COMMITTEE_MESSAGE: Final = container(
    "SyncCommitteeMessage",
    slot=UINT64,
    beacon_block_root=ROOT,
    validator_index=UINT64,
    signature=SIGNATURE,
)
SYNC_AGGREGATOR_SELECTION_DATA: Final = container(
    "SyncAggregatorSelectionData", slot=UINT64, subcommittee_index=UINT64
)
VALIDATOR_REGISTRATION: Final = container(
    "ValidatorRegistrationV1",
    fee_recipient=ADDRESS,
    gas_limit=UINT64,
    timestamp=UINT64,
    pubkey=PUBLIC_KEY,
)
SIGNED_VALIDATOR_REGISTRATION: Final = signed(VALIDATOR_REGISTRATION)
VOLUNTARY_EXIT: Final = container("VoluntaryExit", epoch=UINT64, validator_index=UINT64)
SIGNED_VOLUNTARY_EXIT: Final = signed(VOLUNTARY_EXIT)
BEACON_BLOCK_HEADER: Final = container(
    "BeaconBlockHeader",
    slot=UINT64,
    proposer_index=UINT64,
    parent_root=ROOT,
    state_root=ROOT,
    body_root=ROOT,
)


def attesters_limit(version: int, preset: Preset) -> int:
    """Most validators that one attestation can name; they are of one committee before Electra.

    Raises:
        UnknownVersion: no fork from phase0 to fulu. So it is for every function here.
    """
    require_known(version)
    if version < ELECTRA:
        return MAX_VALIDATORS_PER_COMMITTEE
    return MAX_VALIDATORS_PER_COMMITTEE * preset.sizes.max_committees_per_slot


@cache
def attestation_shape(version: int, preset: Preset) -> Container:
    """`Attestation` of the fork."""
    fields: dict[str, Shape] = {
        "aggregation_bits": Bitlist(attesters_limit(version, preset)),
        "data": ATTESTATION_DATA,
        "signature": SIGNATURE,
    }
    if version >= ELECTRA:
        fields["committee_bits"] = Bitvector(preset.sizes.max_committees_per_slot)
    return container("Attestation", **fields)


@cache
def indexed_attestation_shape(version: int, preset: Preset) -> Container:
    """`IndexedAttestation` of the fork."""
    return container(
        "IndexedAttestation",
        attesting_indices=List(UINT64, attesters_limit(version, preset)),
        data=ATTESTATION_DATA,
        signature=SIGNATURE,
    )


@cache
def aggregate_and_proof_shape(version: int, preset: Preset) -> Container:
    """`AggregateAndProof` of the fork."""
    return container(
        "AggregateAndProof",
        aggregator_index=UINT64,
        aggregate=attestation_shape(version, preset),
        selection_proof=SIGNATURE,
    )


@cache
def signed_aggregate_and_proof_shape(version: int, preset: Preset) -> Container:
    """`SignedAggregateAndProof` of the fork."""
    return signed(aggregate_and_proof_shape(version, preset))


@cache
def contribution_shape(preset: Preset) -> Container:
    """`SyncCommitteeContribution`, the same in every fork from Altair on."""
    return container(
        "SyncCommitteeContribution",
        slot=UINT64,
        beacon_block_root=ROOT,
        subcommittee_index=UINT64,
        aggregation_bits=Bitvector(preset.sizes.sync_subcommittee_size),
        signature=SIGNATURE,
    )


@cache
def contribution_and_proof_shape(preset: Preset) -> Container:
    """`ContributionAndProof`."""
    return container(
        "ContributionAndProof",
        aggregator_index=UINT64,
        contribution=contribution_shape(preset),
        selection_proof=SIGNATURE,
    )


@cache
def signed_contribution_and_proof_shape(preset: Preset) -> Container:
    """`SignedContributionAndProof`."""
    return signed(contribution_and_proof_shape(preset))
