"""The registry as its logs tell it, in memory, and back again when the chain is reorganised.

Pure, apart from the state that it keeps. It remembers what the blocks did that can still be undone,
and nothing older. Signatures of registrations are judged by whoever drives it.

Source: docs/architecture.md, "Journeys".
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from sdk.chain.follower import Extend, Point
from sdk.errors import InvariantBroken
from sdk.events import EVENT_ABIS, Event, Log, Undecodable, decode
from sdk.events.types import OperatorFeeDeclared
from sdk.registry import (
    Change,
    EventContext,
    NonceClaim,
    RegistryState,
    SignatureVerdict,
    apply,
    nonce_claims,
)
from sdk.types import BlockNumber

TIMED: Final = frozenset(abi.topic for abi in EVENT_ABIS if abi.event_class is OperatorFeeDeclared)
"""First topics of events whose block's time matters: a declared fee has a window."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A log that is an event of the registry."""

    log: Log
    event: Event


def entries(logs: Sequence[Log]) -> list[Entry]:
    """The events among the logs, in order; others are no business of the registry's."""
    decoded = [(log, decode(log.topics, log.data)) for log in logs]
    return [Entry(log, event) for log, event in decoded if not isinstance(event, Undecodable)]


@dataclass(frozen=True, slots=True)
class _Done:
    """What a block did."""

    block: BlockNumber
    changes: tuple[Change, ...]


class Book:
    """The registry as of the newest block read.

    Attributes:
        state: all records; a live view for whoever reads between two steps.
        tip: newest block applied.
        time_s: its time, UNIX seconds.
    """

    def __init__(self) -> None:
        self.state = RegistryState()
        self.tip: Point | None = None
        self.time_s = 0
        self._done: deque[_Done] = deque()

    def claims(self, found: Sequence[Entry]) -> list[NonceClaim | None]:
        """Signatures that the next step's registrations claim; None where there is none."""
        return nonce_claims(self.state, [each.event for each in found])

    def extend(
        self,
        step: Extend,
        found: Sequence[Entry],
        verdicts: Sequence[SignatureVerdict],
    ) -> tuple[Change, ...]:
        """Apply a step.

        Args:
            step: that follows on the last one.
            found: its events.
            verdicts: one per event; UNCHECKED takes a signature for good.

        Returns:
            All changes in order.
        """
        every: list[Change] = []
        judged = zip(found, verdicts, strict=True)
        for block, group in groupby(judged, key=lambda each: each[0].log.block_number):
            changes: list[Change] = []
            for entry, verdict in group:
                at = EventContext(entry.log.position, step.times.get(block))
                applied = apply(self.state, entry.event, at, verdict)
                self.state.commit(applied.changes)
                changes += applied.changes
            self._done.append(_Done(block, tuple(changes)))
            every += changes
        while self._done and self._done[0].block <= step.points[0].number:
            self._done.popleft()
        self.tip, self.time_s = step.tip.point, step.tip.timestamp_s
        return tuple(every)

    def roll_back(self, to: Point) -> tuple[Change, ...]:
        """Undo the blocks above `to`; the changes taken back, in their own order.

        Raises:
            InvariantBroken: `to` is above the newest block.
        """
        if self.tip is None or to.number > self.tip.number:
            raise InvariantBroken(f"block {to.number} was never read, so it cannot be gone back to")
        undone: list[tuple[Change, ...]] = []
        while self._done and self._done[-1].block > to.number:
            done = self._done.pop()
            self.state.undo(done.changes)
            undone.append(done.changes)
        self.tip = to
        return tuple(change for changes in reversed(undone) for change in changes)
