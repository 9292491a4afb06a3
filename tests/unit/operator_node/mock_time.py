"""A slot clock on trio's mock clock, whose wall can be made to jump."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import trio
from trio.testing import MockClock

from operator_node.clock import SlotClock

GENESIS: Final = 1_700_000_000
SLOT_MS: Final = 12_000
SLOTS_PER_EPOCH: Final = 8


class Wall:
    """Wall and monotonic time, both driven by trio's mock clock.

    Attributes:
        ahead_s: what the wall has gained on the monotonic clock; add to it for a jump.
    """

    def __init__(self, *, slot: float = 0) -> None:
        """The clock shows this slot when trio's clock shows 0."""
        self.ahead_s = 0.0
        self._start_s = GENESIS + slot * SLOT_MS / 1000

    def wall(self) -> float:
        return self._start_s + trio.current_time() + self.ahead_s

    def monotonic(self) -> float:
        return trio.current_time()

    def slot_clock(self) -> SlotClock:
        return SlotClock(
            genesis_time=GENESIS,
            slot_ms=SLOT_MS,
            slots_per_epoch=SLOTS_PER_EPOCH,
            wall=self.wall,
            monotonic=self.monotonic,
        )


def run(main: Callable[[], Awaitable[None]]) -> None:
    """Run a test; time jumps whenever nothing is left to do."""
    trio.run(main, clock=MockClock(autojump_threshold=0))
