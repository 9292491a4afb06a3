"""The sizes that differ between Ethereum's presets, and those that are the same in all of them.

Pure tables; names are those of the specification in lower case.

Source: consensus-specs, presets/mainnet and presets/minimal, phase0.yaml to fulu.yaml;
phase0/validator.md and altair/validator.md for the aggregators wanted.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

TARGET_AGGREGATORS_PER_COMMITTEE: Final = 16  # phase0/validator.md
TARGET_AGGREGATORS_PER_SYNC_SUBCOMMITTEE: Final = 16  # altair/validator.md
SYNC_COMMITTEE_SUBNET_COUNT: Final = 4  # altair/validator.md
MAX_VALIDATORS_PER_COMMITTEE: Final = 2048  # phase0.yaml, both presets


@dataclass(frozen=True, slots=True)
class Sizes:
    """What a preset fixes, as far as blocks and duties depend on it."""

    slots_per_epoch: int
    max_committees_per_slot: int
    sync_committee_size: int
    max_withdrawals_per_payload: int

    @property
    def sync_subcommittee_size(self) -> int:
        """Positions in the sync committee that share a subnet."""
        return self.sync_committee_size // SYNC_COMMITTEE_SUBNET_COUNT

    @property
    def contribution_bytes(self) -> int:
        """An encoded `SyncCommitteeContribution`: slot, root, subcommittee, bits, signature."""
        return 8 + 32 + 8 + self.sync_subcommittee_size // 8 + 96


class Preset(Enum):
    """Mainnet and the public test networks use the first, small local networks the second."""

    MAINNET = "mainnet"
    MINIMAL = "minimal"

    __hash__ = object.__hash__  # members are single; Enum hashes their names anew at each look-up

    @property
    def sizes(self) -> Sizes:
        """The preset's sizes."""
        return _SIZES[self]


_SIZES: Final = {
    Preset.MAINNET: Sizes(
        slots_per_epoch=32,
        max_committees_per_slot=64,
        sync_committee_size=512,
        max_withdrawals_per_payload=16,
    ),
    Preset.MINIMAL: Sizes(
        slots_per_epoch=8,
        max_committees_per_slot=4,
        sync_committee_size=32,
        max_withdrawals_per_payload=4,
    ),
}
