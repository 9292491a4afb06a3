"""Duty records on their way to the disk: counted for metrics, and read for signs of life.

Source: docs/metrics.md; docs/slashing.md.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from operator_node.api import Metrics
from operator_node.duties.types import Step
from operator_node.engine import DutyRecord, Ending, History
from operator_node.wire.ids import RunnerRole
from sdk.types import Slot

TOLD_KEPT: Final = 20_000
"""Duties whose record may come once more: those of 34 slots and 500 committees."""
NOTES_KEPT: Final = 256
"""Proposals whose payment was looked up; a record comes for the last time 34 slots after it."""


class Journal(History):
    """The history, which counts what it takes.

    Attributes:
        on_votes: called with the slot and the validator indexes of a committee duty that was done.
        on_proposal: called with the record of a proposal that was done.
        facts_of: what else is known of a duty, as details of its record.
    """

    def __init__(
        self, path: Path | None, *, kept_slots: int, most_bytes: int, metrics: Metrics
    ) -> None:
        """Opens the file, or makes it.

        Raises:
            StorageError: see `History`.
        """
        super().__init__(path, kept_slots=kept_slots, most_bytes=most_bytes)
        self.on_votes: Callable[[Slot, tuple[int, ...]], None] = _nothing
        self.on_proposal: Callable[[DutyRecord], None] = _nothing
        self.facts_of: Callable[[DutyRecord], Mapping[str, object]] = lambda record: {}
        self._notes: OrderedDict[str, Mapping[str, object]] = OrderedDict()
        self._metrics = metrics
        self._told: OrderedDict[str, None] = OrderedDict()

    def add(self, record: DutyRecord) -> None:
        """Remembers a record; the first one of a duty is counted."""
        more = {**self.facts_of(record), **self._notes.get(record.id, {})}
        if more:
            record = replace(record, detail={**record.detail, **more})
        super().add(record)
        if record.id in self._told or record.reason is None:
            return
        self._told[record.id] = None
        if len(self._told) > TOLD_KEPT:
            self._told.popitem(last=False)
        self._count(record)
        if record.role is RunnerRole.COMMITTEE and record.outcome is not Ending.MISSED:
            self.on_votes(record.slot, record.submitted)
        if record.role is RunnerRole.PROPOSER and record.outcome is Ending.DONE:
            self.on_proposal(record)

    def note(self, record: DutyRecord, facts: Mapping[str, object]) -> None:
        """Adds what became known of a duty after its end to its record."""
        self._notes[record.id] = facts
        if len(self._notes) > NOTES_KEPT:
            self._notes.popitem(last=False)
        self.add(record)

    def _count(self, record: DutyRecord) -> None:
        if record.reason is not None:
            self._metrics.duty_ended(record.role, record.outcome.value, record.reason)
        seen: set[Step] = set()
        for step, at_ms in record.steps:
            if step not in seen:  # data is fetched anew in every round
                seen.add(step)
                self._metrics.step_reached(record.role, step, at_ms)
        for heard in record.heard:
            self._metrics.heard(heard.operator, heard.first_ms)


def _nothing(*told: object) -> None:
    """Nobody asked to be told."""
