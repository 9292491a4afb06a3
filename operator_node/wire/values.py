"""What consensus decides on: the values that travel as full data, and the duties inside them.

Pure; codecs are in `value_codec`. Source: docs/protocol.md, "Consensus values".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from sdk.types import Epoch, PublicKey, Slot


class DataVersion(IntEnum):
    """Fork of a beacon object inside a value."""

    UNKNOWN = 0
    PHASE0 = 1
    ALTAIR = 2
    BELLATRIX = 3
    CAPELLA = 4
    DENEB = 5
    ELECTRA = 6
    FULU = 7


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """An epoch's first block, as the beacon chain's finality votes name it."""

    epoch: Epoch
    root: bytes


@dataclass(frozen=True, slots=True)
class BeaconVote:
    """What a committee's validators attest to, 112 bytes encoded."""

    block_root: bytes
    source: Checkpoint
    target: Checkpoint


@dataclass(frozen=True, slots=True)
class ValidatorDuty:
    """One validator's assignment in one slot; `role` is a `BeaconRole` number, unchecked."""

    role: int
    public_key: PublicKey
    slot: Slot
    validator_index: int
    committee_index: int = 0
    committee_length: int = 0
    committees_at_slot: int = 0
    validator_committee_index: int = 0
    sync_committee_indices: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ValidatorValue:
    """`ProposerConsensusData` of Boole and `ValidatorConsensusData` of Alan: a duty and its object.

    `version` is a `DataVersion` number, unchecked; `data` is SSZ of what the duty's role signs.
    """

    duty: ValidatorDuty
    version: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Assigned:
    """A validator chosen by its selection proof; a contributor's index is that of its subnet."""

    validator_index: int
    selection_proof: bytes
    committee_index: int


@dataclass(frozen=True, slots=True)
class AggregatorCommitteeValue:
    """`AggregatorCommitteeConsensusData`, Boole.

    `attestations[i]` is SSZ of the aggregate for `committee_indexes[i]`; `contributions` are SSZ of
    `SyncCommitteeContribution`.
    """

    version: int
    aggregators: tuple[Assigned, ...]
    committee_indexes: tuple[int, ...]
    attestations: tuple[bytes, ...]
    contributors: tuple[Assigned, ...]
    contributions: tuple[bytes, ...]
