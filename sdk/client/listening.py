"""Listening on the beacon chain for signs of life of some validators.

Shell around `silence` and `beacon`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sdk.client.beacon import BeaconChain, BeaconNode
from sdk.client.silence import Silence
from sdk.types import Epoch, PublicKey

SLOTS_PER_LOOK: Final = 4
"""Between two questions while waiting; an epoch has 32, so each is asked about several times."""
MOST_WAIT_S: Final = 24 * 3600
"""Longer than finality or a handful of epochs ever take on a healthy chain."""
_ACTIVE: Final = ("active_ongoing", "active_exiting", "active_slashed")


@dataclass(frozen=True, slots=True)
class Heard:
    """One look.

    Attributes:
        silence: after it.
        live: indices of validators with a sign of life.
        epoch: in which; meaningless without any.
    """

    silence: Silence
    live: tuple[int, ...]
    epoch: int


class Listener:
    """Listens through one beacon node, which must be synchronised and tell of liveness.

    Args:
        beacon: the node.
        keys: validators.
        pause: waits so many seconds.

    Raises:
        BeaconError: `beacon_not_synced`, `beacon_liveness_unsupported`.
    """

    def __init__(
        self,
        beacon: BeaconNode,
        keys: Sequence[PublicKey],
        *,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._beacon = beacon
        self._keys = tuple(keys)
        self._pause = pause
        self._indices: dict[PublicKey, int] = {}
        self.chain: BeaconChain = beacon.chain()
        self._unheard_active = 0
        self._try()

    @property
    def unheard_active(self) -> int:
        """Active validators that the node did not see sign in the last whole epoch, at the start.

        They are offline, or the node does not watch closely; then its silence proves little.
        """
        return self._unheard_active

    def finalized_epoch(self) -> Epoch:
        """The beacon chain's newest finalised epoch."""
        return self._beacon.finalized_epoch()

    def looks(self) -> Iterator[None]:
        """One for every look within `MOST_WAIT_S`, with a pause before all but the first."""
        pause_s = SLOTS_PER_LOOK * self.chain.seconds_per_slot
        yield
        for _ in range(MOST_WAIT_S // pause_s):
            self._pause(pause_s)
            yield

    def look(self, silence: Silence) -> Heard:
        """What the node tells now.

        Raises:
            BeaconError: it is not synchronised, or tells nothing.
        """
        head_slot = self._beacon.synced_head()
        indices = self._known_indices()
        for epoch in silence.epochs_to_ask(self.chain.epoch_of_slot(head_slot)):
            live = self._live(epoch, indices)
            if live:
                return Heard(silence.heard(epoch), live, epoch)
            silence = silence.unheard(
                epoch, head_slot=head_slot, slots_per_epoch=self.chain.slots_per_epoch
            )
        return Heard(silence, (), 0)

    def _try(self) -> None:
        """Asks everything once that will be asked later."""
        epoch = self.chain.epoch_of_slot(self._beacon.synced_head())
        found = self._beacon.validators(self._keys)
        self._indices = {key: each.index for key, each in found.items()}
        # Asked even without an index, so that a missing route shows before anything is removed.
        # Validator 0 exists on every chain.
        live = self._beacon.liveness(max(0, epoch - 1), self._known_indices() or [0])
        active = [each.index for each in found.values() if each.status in _ACTIVE]
        self._unheard_active = sum(not live[index] for index in active)

    def _live(self, epoch: int, indices: Sequence[int]) -> tuple[int, ...]:
        if not indices:
            return ()
        return tuple(
            index for index, is_live in self._beacon.liveness(epoch, indices).items() if is_live
        )

    def _known_indices(self) -> list[int]:
        """Indices of the validators; one that the beacon chain does not know cannot sign yet."""
        unknown = [key for key in self._keys if key not in self._indices]
        for key, found in self._beacon.validators(unknown).items():
            self._indices[key] = found.index
        return sorted(self._indices.values())
