"""Where slow steps run: threads beside the event loop, few, with a lane of their own for blocks.

What is computed here does not hold the interpreter for longer than half a millisecond at a time
(pyblst), so that the loop keeps turning. A step that began is never abandoned: what it recorded is
recorded, and its thread would run on anyway.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final, TypeVar

import trio

LANE_THREADS: Final = 2
"""Per lane. More would only take the interpreter from each other."""
SWITCH_SECONDS: Final = 0.0005
"""As long as the longest single call of the BLS library."""
_Result = TypeVar("_Result")


class Threads:
    """Two lanes: proposals never wait behind what can wait (DUT-8)."""

    def __init__(self) -> None:
        """Idle."""
        self._usual = trio.CapacityLimiter(LANE_THREADS)
        self._urgent = trio.CapacityLimiter(LANE_THREADS)

    async def __call__(self, step: Callable[[], _Result], /, *, urgent: bool) -> _Result:
        """The step's result, or what it raised."""
        lane = self._urgent if urgent else self._usual
        return await trio.to_thread.run_sync(step, limiter=lane)


def turn_often() -> None:
    """Lets the event loop have the interpreter ten times as often as usual, in the whole process.

    While a thread recovers signatures, the loop waits for its turn at every step. With Python's
    5 ms it is 5.6 ms late (median, two cores under load), with this 0.3 ms; the recovery itself
    takes about a fifth longer.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
