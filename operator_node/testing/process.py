"""Whether a simulated operator's process runs, and what happens to its pending events when not.

Events of a paused process wait and happen at once, in order, when it goes on; those of a process
that was restarted never happen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from operator_node.testing.clock import Timeline


class Process:
    """The life of one operator's process.

    Attributes:
        is_new: stopped for good; the next life begins with `resume`.
    """

    __slots__ = ("_backlog", "_is_stopped", "_life", "_timeline", "is_new")

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._life = 0
        self._is_stopped = False
        self._backlog: list[tuple[Callable[..., None], tuple[Any, ...]]] = []
        self.is_new = False

    @property
    def runs(self) -> bool:
        """Whether events happen now."""
        return not self._is_stopped

    def at(self, moment_ms: int, happen: Callable[..., None], *arguments: Any) -> None:
        """Let something happen at a moment of the timeline, in this life."""
        self._timeline.at(moment_ms, self._happen, self._life, happen, arguments)

    def after(self, delay_ms: int, happen: Callable[..., None], *arguments: Any) -> None:
        """Let something happen so much later, in this life."""
        self._timeline.after(delay_ms, self._happen, self._life, happen, arguments)

    def stop(self, *, keeps_state: bool) -> None:
        """Stand still; with `keeps_state` pending events wait, otherwise they are gone."""
        self._is_stopped = True
        if not keeps_state:
            self._life += 1
            self._backlog = []
            self.is_new = True

    def resume(self) -> None:
        """Go on. What became due in between happens now."""
        self._is_stopped = self.is_new = False
        backlog, self._backlog = self._backlog, []
        for happen, arguments in backlog:
            self.after(0, happen, *arguments)

    def _happen(self, life: int, happen: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        if life != self._life:
            return
        if self._is_stopped:
            self._backlog.append((happen, arguments))
        else:
            happen(*arguments)
