"""When removed validators count as silent: no sign of life in several whole epochs in a row.

Pure. Epochs are asked about while they are the one before the head's, the last for which nodes
answer, and not before half of the next one has passed: what validators sign in an epoch is still
included in the next.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from sdk.errors import InputError

DEFAULT_QUIET_EPOCHS: Final = 3
LEAST_QUIET_EPOCHS: Final = 2
"""One epoch alone may be missed by operators that are merely restarting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """What is known of the validators' silence.

    Attributes:
        first_epoch: first one that counts, the whole of it after the removal.
        needed: epochs in a row.
        quiet: epochs in a row without a sign of life, all so far.
    """

    first_epoch: int
    needed: int = DEFAULT_QUIET_EPOCHS
    quiet: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.needed < LEAST_QUIET_EPOCHS:
            raise InputError(
                f"{self.needed} silent epochs prove nothing, {LEAST_QUIET_EPOCHS} are the least",
                code="quiet_epochs",
            )

    @property
    def is_proven(self) -> bool:
        """Whether it has lasted long enough."""
        return len(self.quiet) >= self.needed

    def epochs_to_ask(self, head_epoch: int) -> tuple[int, ...]:
        """Epochs that nodes can tell about and that matter: the one before the head's, and its."""
        return tuple(epoch for epoch in (head_epoch - 1, head_epoch) if epoch >= self.first_epoch)

    def heard(self, epoch: int) -> Silence:
        """After a sign of life in `epoch`: counting begins anew after it."""
        return replace(self, first_epoch=max(self.first_epoch, epoch + 1), quiet=())

    def unheard(self, epoch: int, *, head_slot: int, slots_per_epoch: int) -> Silence:
        """After no sign of life in `epoch`, as known when the head was at `head_slot`."""
        head_epoch, slots_into = divmod(head_slot, slots_per_epoch)
        is_over = epoch == head_epoch - 1 and 2 * slots_into >= slots_per_epoch
        if not is_over or epoch < self.first_epoch or epoch in self.quiet:
            return self
        follows = not self.quiet or epoch == self.quiet[-1] + 1
        # An epoch that nobody asked about in time may have had signs of life.
        return replace(self, quiet=(*self.quiet, epoch) if follows else (epoch,))
