"""Why this node may not say or sign anything at present: a twin was seen, or it only listens yet.

Asked before every duty; a duty that is silenced ends with its reason before it says a word. Once
the node speaks, it notes that its slashing record is in use here, so that an ordinary restart need
not listen again; with a twin around the next start must.

Source: docs/slashing.md, "Twins".
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import trio

from operator_node.clock import SlotClock
from operator_node.doppelganger import LastUse, StartWatch
from operator_node.duties import Reason
from operator_node.shares import Withholding

_log = logging.getLogger(__name__)


class Silence:
    """Whether to be silent."""

    def __init__(
        self,
        *,
        signer: Withholding,
        watch: StartWatch,
        last_use: LastUse,
        clock: SlotClock,
        hears: Callable[[], bool],
    ) -> None:
        """Begins with the watch of the start.

        Args:
            signer: knows of a twin.
            watch: how long to listen.
            last_use: the note for the next start.
            clock: of the chain.
            hears: whether any co-operator is connected.
        """
        self._signer = signer
        self._watch = watch
        self._last_use = last_use
        self._clock = clock
        self._hears = hears
        self._is_told = watch.slots == 0

    def of(self, slot: int) -> tuple[Reason, str] | None:
        """Why a duty of this slot must not begin, None if it may."""
        if self._signer.fenced_by:
            return Reason.FENCED, self._signer.fenced_by
        if not self.is_listening():
            return None
        if self._hears():
            self._watch.note_duty(slot)
        return Reason.START_WATCH, f"listening through {self._watch.slots} slots with duties"

    def is_listening(self) -> bool:
        """Whether the watch of the start goes on."""
        return not self._watch.is_over(self._clock.slot())

    async def keep_note(self) -> None:
        """Once per slot: brings the note for the next start up to date.

        Raises:
            StorageError: the disk refused.
        """
        if self._signer.fenced_by:
            await trio.to_thread.run_sync(self._last_use.forget)
        elif not self.is_listening():
            if not self._is_told:
                self._is_told = True
                _log.info("no other instance of this operator was heard: duties begin")
            await trio.to_thread.run_sync(self._last_use.note, self._clock.now_ms())
