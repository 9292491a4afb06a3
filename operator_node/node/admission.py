"""What has to happen before a validator that joins, or comes back, can be signed for.

Its share is armed: what this operator signed for it before, elsewhere, is unknown. It is watched:
its former committee may not have seen yet that it moved. The registry waits for both, until they
are on the disk, before it shows the validator to anybody; a process that ends in between is asked
again by the next one's registry.

Source: docs/slashing.md, "Arming".
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

import trio

from operator_node.clock import SlotClock
from operator_node.doppelganger import Doppelganger
from operator_node.node.learners import Learners
from operator_node.shares import Arming
from sdk.errors import StorageError, UsageError
from sdk.types import PublicKey

AGAIN_SECONDS: Final = 1.0
"""After a disk failed: no validator comes in before its bounds and its watch are written."""

_log = logging.getLogger(__name__)


class Admission:
    """Lets validators in.

    Attributes:
        learners: what is known of validators, as soon as there is anything.
    """

    def __init__(self, signer: Arming, clock: SlotClock, doppelganger: Doppelganger | None) -> None:
        """Has let in nobody.

        Args:
            signer: has the shares already.
            clock: of the chain.
            doppelganger: None if nobody is watched.
        """
        self.learners: Learners | None = None
        self._doppelganger = doppelganger
        self._signer = signer
        self._clock = clock

    async def admit(self, keys: Sequence[PublicKey]) -> None:
        """Returns when all of them may be seen."""
        for key in keys:
            self._watch(key)
            await self._arm(key)
        if self._doppelganger is not None:
            # An event would not do: only another try tells whether the disk takes it.
            while not await self._doppelganger.write():  # noqa: ASYNC110
                await trio.sleep(AGAIN_SECONDS)

    def _watch(self, key: PublicKey) -> None:
        if self._doppelganger is None:
            return
        states = {} if self.learners is None else self.learners.states
        state = states.get(key)
        # Not known means perhaps active: the longer watch.
        is_active = state is None or state.activation_epoch <= self._clock.epoch()
        self._doppelganger.watch_again(key, is_active=is_active)

    async def _arm(self, key: PublicKey) -> None:
        while True:
            try:
                await trio.to_thread.run_sync(self._signer.arm, key)
            except StorageError as problem:
                _log.error("validator %s waits to be armed: %s", key.hex(), problem)
                await trio.sleep(AGAIN_SECONDS)
            except UsageError as problem:
                # Armed for another validator: its record refuses every signature for this one.
                _log.error("validator %s is not signed for: %s", key.hex(), problem)
                return
            else:
                return
