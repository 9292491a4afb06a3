"""When duties of a slot start, when their data can be asked for, and when they are given up.

Pure. Times are milliseconds after the start of the duty's slot, and fractions of the slot are of
the chain's own slot length. Round times are not here: `operator_node.qbft.rounds` has them.

Source: docs/protocol.md, "Timing" and "Duties"; consensus-specs, phase0/validator.md and
gloas/validator.md (due times in basis points of a slot).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from operator_node.spec.chain import ChainSpec
from operator_node.spec.versions import FULU
from operator_node.validation.timing import EXIT_SLOTS
from operator_node.wire.ids import RunnerRole

ATTESTATION_DUE_BPS: Final = 3_333
AGGREGATE_DUE_BPS: Final = 6_667
ATTESTATION_DUE_BPS_GLOAS: Final = 2_500
AGGREGATE_DUE_BPS_GLOAS: Final = 5_000
_BASIS_POINTS: Final = 10_000

HEAD_SETTLE_MS: Final = 300
"""From a head event to the start of the committee's duty: other members hear of the block then."""
LATE_BLOCK_GRACE_MS: Final = 400
"""How long a block that was seen in time may take to become the head."""
MOST_GRACE_MS: Final = 1_000

LIVES_SLOTS: Final[Mapping[RunnerRole, int]] = {
    # Peers accept these messages for 34 slots, and the chain takes the votes nearly as long.
    RunnerRole.COMMITTEE: 32,
    RunnerRole.AGGREGATOR: 32,
    RunnerRole.AGGREGATOR_COMMITTEE: 32,
    RunnerRole.PROPOSER: 1,
    RunnerRole.SYNC_CONTRIBUTION: 2,
    # Builders want the newest; whoever is late by an epoch joins the next registration.
    RunnerRole.VALIDATOR_REGISTRATION: 32,
    # Members prove the request at different times, and it is tried once.
    RunnerRole.VOLUNTARY_EXIT: EXIT_SLOTS,
}
"""Slots from the start of a duty's slot to its end (DUT-7)."""

EVENT_DELAY_SLOTS: Final = 4
"""From the block of a registry event to the slot of the duty that it asks for. Members see the
block at different moments; they all count from the block."""


@dataclass(frozen=True, slots=True)
class Timing:
    """The slot plan of one chain.

    Attributes:
        chain: its forks and slot length.
        late_block_grace_ms: 0 switches the grace off.
        head_settle_ms: from a head event to the start of the committee's duty.
        proposer_delay_ms: from slot start until a block is asked for, at the earliest (DUT-5).
        ignores_delay: whether the clock is too far off to be late on purpose (TIM-3).
    """

    chain: ChainSpec
    late_block_grace_ms: int = LATE_BLOCK_GRACE_MS
    head_settle_ms: int = HEAD_SETTLE_MS
    proposer_delay_ms: int = 0
    ignores_delay: Callable[[], bool] = field(default=lambda: False, compare=False)

    @property
    def slot_ms(self) -> int:
        """Length of a slot."""
        return self.chain.seconds_per_slot * 1000

    def start_ms(self, slot: int) -> int:
        """Unix milliseconds at which the slot begins."""
        return self.chain.slot_start(slot) * 1000

    def attestation_due_ms(self, slot: int) -> int:
        """When attestations and sync committee messages are due, head or no head."""
        is_gloas = self.chain.version_at(slot) > FULU
        return self._fraction(ATTESTATION_DUE_BPS_GLOAS if is_gloas else ATTESTATION_DUE_BPS)

    def aggregate_due_ms(self, slot: int) -> int:
        """When aggregates and contributions are due; earlier a beacon node has less of them."""
        is_gloas = self.chain.version_at(slot) > FULU
        return self._fraction(AGGREGATE_DUE_BPS_GLOAS if is_gloas else AGGREGATE_DUE_BPS)

    def data_ms(self, role: RunnerRole, slot: int) -> int:
        """When the data of a duty can be asked for at the earliest; 0 for those that need none."""
        match role:
            case (
                RunnerRole.AGGREGATOR
                | RunnerRole.SYNC_CONTRIBUTION
                | RunnerRole.AGGREGATOR_COMMITTEE
            ):
                return self.aggregate_due_ms(slot)
            case RunnerRole.PROPOSER:
                return 0 if self.ignores_delay() else self.proposer_delay_ms
        return 0

    def committee_start_ms(
        self, slot: int, *, head_ms: int | None = None, block_ms: int | None = None
    ) -> int:
        """When a committee starts, as far as is known so far (DUT-6).

        Args:
            slot: the duty's.
            head_ms: when the first head event for this slot came, after slot start.
            block_ms: when a block of this slot was first seen, after slot start.
        """
        due_ms = self.attestation_due_ms(slot)
        if head_ms is not None and head_ms <= due_ms:
            return min(max(head_ms, 0) + self.head_settle_ms, due_ms)
        if block_ms is None or block_ms > due_ms:
            return due_ms
        given_up_ms = due_ms + min(self.late_block_grace_ms, MOST_GRACE_MS)
        return given_up_ms if head_ms is None else min(head_ms, given_up_ms)

    def deadline_ms(self, role: RunnerRole, slot: int) -> int:
        """Unix milliseconds at which a duty is given up."""
        return self.start_ms(slot + LIVES_SLOTS[role])

    def _fraction(self, basis_points: int) -> int:
        return self.slot_ms * basis_points // _BASIS_POINTS
