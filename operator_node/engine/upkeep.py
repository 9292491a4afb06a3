"""What the engine does beside duties: forget what is long over, write records down.

Source: docs/protocol.md, "Generations".
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import trio

from operator_node.engine.counts import Counts
from operator_node.engine.desk import Desk
from operator_node.engine.history import History
from operator_node.engine.types import Clock, Work

TIDY_INTO_SLOT: Final = 11 / 12
"""Late in a slot is the quietest time."""
FLUSH_MS: Final = 1_000
"""What a crash may cost of the duty records."""
PRUNE_SLOTS: Final = 32
"""Between two looks for records that are too old."""
RESTART_SECONDS: Final = 1.0
"""Before a task of the engine that failed begins again."""

_log = logging.getLogger(__name__)


class Upkeep:
    """The two tasks of it."""

    def __init__(self, desk: Desk, history: History, clock: Clock, work: Work) -> None:
        """Idle.

        Args:
            desk: tidied up.
            history: written down and pruned.
            clock: of the process.
            work: where the disk is waited for.
        """
        self._desk = desk
        self._history = history
        self._clock = clock
        self._work = work

    async def tidy(self, slot_now: Callable[[], int], slot_ms: int) -> None:
        """Once per slot, for good: messages that came after a duty's end are written down too."""
        into_slot_ms = int(slot_ms * TIDY_INTO_SLOT)
        slot = slot_now()
        while True:
            await self._clock.sleep_until(self._clock.start_ms(slot) + into_slot_ms)
            slot = slot_now()
            for job in self._desk.tidy(slot):
                record = job.record()
                if record != job.told:
                    self._history.add(record)
            if slot % PRUNE_SLOTS == 0:
                await self._work(partial(self._history.prune, slot), urgent=False)
            slot += 1

    async def write(self) -> None:
        """Every second, for good."""
        while True:
            await self._clock.sleep_until(self._clock.now_ms() + FLUSH_MS)
            if not self._history.is_written:
                await self._work(self._history.flush, urgent=False)


async def keep_going(task: Callable[[], Awaitable[None]], counts: Counts) -> None:
    """The outer boundary of a long task: count, log, begin again."""
    while True:
        try:
            await task()
        except Exception:
            counts.failures += 1
            _log.exception("a task of the engine failed and begins again")
        await trio.sleep(RESTART_SECONDS)
