"""Who aggregates: the lottery that a selection proof draws, and the subnets of the sync committee.

Pure. Source: consensus-specs, phase0/validator.md (is_aggregator) and altair/validator.md
(is_sync_committee_aggregator, compute_subnets_for_sync_committee); docs/protocol.md, "Duties".
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from operator_node.spec.presets import (
    TARGET_AGGREGATORS_PER_COMMITTEE,
    TARGET_AGGREGATORS_PER_SYNC_SUBCOMMITTEE,
    Preset,
)

_DRAWN_BYTES: Final = 8


def is_aggregator(selection_proof: bytes, committee_length: int) -> bool:
    """Whether the attester with this proof aggregates for its committee, some 16 of them do.

    Args:
        selection_proof: the validator's signature over the slot, 96 bytes.
        committee_length: validators in the beacon committee.
    """
    return _is_drawn(selection_proof, committee_length // TARGET_AGGREGATORS_PER_COMMITTEE)


def is_sync_aggregator(selection_proof: bytes, preset: Preset = Preset.MAINNET) -> bool:
    """Whether the sync committee member with this proof aggregates for its subcommittee.

    Args:
        selection_proof: the validator's signature over the selection data, 96 bytes.
        preset: sizes the subcommittee; one in eight is drawn in the mainnet preset.
    """
    members = preset.sizes.sync_subcommittee_size
    return _is_drawn(selection_proof, members // TARGET_AGGREGATORS_PER_SYNC_SUBCOMMITTEE)


def subnet_of(position: int, preset: Preset = Preset.MAINNET) -> int:
    """The subcommittee, which is the subnet, of a position in the sync committee."""
    return position // preset.sizes.sync_subcommittee_size


def _is_drawn(selection_proof: bytes, one_in: int) -> bool:
    drawn = int.from_bytes(sha256(selection_proof).digest()[:_DRAWN_BYTES], "little")
    return drawn % max(1, one_in) == 0
