"""Who of a committee's validators aggregates, asked once its selection proof is known.

Pure. Source: docs/protocol.md, "Duties" (aggregator, contribution); consensus-specs,
phase0/validator.md and altair/validator.md (aggregation selection).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from operator_node.spec.presets import Preset
from operator_node.spec.selection import is_aggregator, is_sync_aggregator
from operator_node.wire.values import ValidatorDuty


class SelectionRule(Protocol):
    """Whether a selection proof chooses its validator."""

    def is_aggregator(self, duty: ValidatorDuty, proof: bytes) -> bool:
        """Of an attester's committee; `proof` is the validator's signature over the slot."""

    def is_contributor(self, duty: ValidatorDuty, proof: bytes, preset: Preset) -> bool:
        """Of a sync committee's subnet; `proof` is the signature over the selection data."""


@dataclass(frozen=True, slots=True)
class ProofLottery:
    """The chain's rule: the proof's hash draws the aggregators."""

    def is_aggregator(self, duty: ValidatorDuty, proof: bytes) -> bool:
        """See `SelectionRule`."""
        return is_aggregator(proof, duty.committee_length)

    def is_contributor(self, duty: ValidatorDuty, proof: bytes, preset: Preset) -> bool:
        """See `SelectionRule`."""
        return is_sync_aggregator(proof, preset)
