"""Virtual time: a queue of things to happen, and the moment that the last one happened at.

Pure. Nothing waits: time jumps to the next event. Events of the same moment happen in the order in
which they were asked for, so a run is the same each time.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

from sdk.errors import InvariantBroken


class Timeline:
    """What is going to happen, in order.

    Attributes:
        now_ms: since the chain's genesis; the moment of the event that is happening.
    """

    __slots__ = ("_asked", "_queue", "now_ms")

    def __init__(self, now_ms: int = 0) -> None:
        self.now_ms = now_ms
        self._asked = 0
        self._queue: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []

    def at(self, moment_ms: int, happen: Callable[..., None], *arguments: Any) -> None:
        """Let something happen then, or now if that moment has passed."""
        self._asked += 1
        moment = moment_ms if moment_ms > self.now_ms else self.now_ms
        heappush(self._queue, (moment, self._asked, happen, arguments))

    def after(self, delay_ms: int, happen: Callable[..., None], *arguments: Any) -> None:
        """Let something happen so much later, now for a delay below zero."""
        self._asked += 1
        moment = self.now_ms + delay_ms if delay_ms > 0 else self.now_ms
        heappush(self._queue, (moment, self._asked, happen, arguments))

    def run(self, until_ms: int, *, most_events: int) -> int:
        """Let everything happen that is due before `until_ms`; the number of events.

        Raises:
            InvariantBroken: more than `most_events`, which means that somebody answers himself.
        """
        queue, happened = self._queue, 0
        while queue and queue[0][0] < until_ms:
            self.now_ms, _, happen, arguments = heappop(queue)
            happen(*arguments)
            happened += 1
            if happened > most_events:
                raise InvariantBroken(
                    f"{most_events} events by {self.now_ms} ms, and more to come: {happen}"
                )
        self.now_ms = max(self.now_ms, until_ms)
        return happened

    def forget(self) -> None:
        """Nothing more is going to happen."""
        self._queue.clear()
