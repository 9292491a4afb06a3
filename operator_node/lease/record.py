"""The slashing record as the lease needs it, in one process with it.

Nothing is recorded without a permit that is valid: before the transaction, and at its end.

Source: docs/slashing.md, "Two instances and a lease".
"""

from __future__ import annotations

from typing import Final

from operator_node.clock import SlotClock
from operator_node.lease.lease import machine_clocks
from operator_node.lease.permit import Clocks, Permit
from operator_node.lease.terms import Taken
from operator_node.signer.standing import Standing
from operator_node.signer.store import SlashingStore
from sdk.types import Epoch, Slot

CLOCKS_APART_MS: Final = 2_000
"""Another instance's clock may be ahead; with a quarter of this error its messages are ignored."""


class LeasedRecord:
    """A record of this process under a lease."""

    def __init__(
        self, store: SlashingStore, clock: SlotClock, *, clocks: Clocks = machine_clocks
    ) -> None:
        """From now on the record takes nothing without a permit.

        Args:
            store: the record.
            clock: of the chain.
            clocks: other ones only in tests.
        """
        self._store = store
        self._clock = clock
        self._clocks = clocks
        self._permit: Permit | None = None
        store.guard_by(self.permitted_term)

    def standing(self) -> Standing:
        """What the record is complete up to."""
        return self._store.standing()

    def take_term(self, taken: Taken) -> None:
        """Stores the fencing number; arms every share if others may have signed.

        Raises:
            StorageError: `record_ahead`, the record was written to under a higher number.
        """
        unknown_ms, arm_at = taken.unknown_until_ms, None
        if unknown_ms is not None:
            # Whichever clock is ahead: bounds that are too high cost an epoch, others the stake.
            latest_ms = max(unknown_ms, self._clock.now_ms() + CLOCKS_APART_MS)
            slot = max(self._clock.slot_at(latest_ms), 0)
            # Blocks may be signed for one slot ahead, votes for the running epoch at most.
            arm_at = (Epoch(slot // self._clock.slots_per_epoch), Slot(slot + 1))
        self._store.take_term(taken.term, arm_at=arm_at)

    def permit(self, permit: Permit | None) -> None:
        """Signatures may be recorded until the permit ends; without one none may."""
        self._permit = permit

    def permitted_term(self) -> int | None:
        """The fencing number under which signatures may be recorded now, None if they may not."""
        permit = self._permit
        return None if permit is None or permit.is_over(self._clocks()) else permit.term
