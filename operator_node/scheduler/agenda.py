"""What of a slot's plan is to be begun now, what was begun before, and when to look again.

Pure. A duty is begun once: not again when its page of the book changes, and a validator that
attested is not sent to a second slot of the same epoch by a re-org. Nothing is begun before it is
due or after its end.

Source: docs/protocol.md, "Duties" and "Gossip validation" (numbers of duties in an epoch).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from operator_node.duties.types import CommitteeDuty
from operator_node.scheduler.plan import urgency
from operator_node.scheduler.timing import Timing
from operator_node.scheduler.types import DutyDue
from operator_node.wire.ids import BeaconRole, RunnerRole
from operator_node.wire.values import ValidatorDuty
from sdk.types import Slot

ONCE_AN_EPOCH: Final = frozenset({BeaconRole.ATTESTER, BeaconRole.AGGREGATOR})
REGISTRATIONS_AN_EPOCH: Final = 2
"""Of one validator; peers ignore more."""
KEPT_SLOTS: Final = 64
"""How long a slot's facts are kept: longer than any registration lives."""


@dataclass(frozen=True, slots=True)
class Due:
    """What to begin now, most urgent first, and when the next duty of the plan starts, if any."""

    now: tuple[DutyDue, ...]
    next_ms: int | None


@dataclass(slots=True)
class _Parts:
    """What validators began in an epoch, and how often each began a role."""

    parts: set[tuple[int, int, int]] = field(default_factory=set)
    times: Counter[tuple[int, int]] = field(default_factory=Counter)


class Agenda:
    """Remembers what was begun."""

    def __init__(self, timing: Timing) -> None:
        """Nothing was begun.

        Args:
            timing: of the chain.
        """
        self._timing = timing
        self._heads: dict[Slot, int] = {}
        self._blocks: dict[Slot, int] = {}
        self._committees: dict[Slot, set[tuple[RunnerRole, tuple[int, ...]]]] = {}
        self._parts: dict[int, _Parts] = {}
        """By epoch."""

    def note_head(self, slot: Slot, at_ms: int) -> None:
        """A block of the slot became the head; the first time counts."""
        self._heads.setdefault(slot, at_ms)

    def note_block(self, slot: Slot, at_ms: int) -> None:
        """A block of the slot was seen; the first time counts."""
        self._blocks.setdefault(slot, at_ms)

    def look(self, planned: Iterable[DutyDue], now_ms: int) -> Due:
        """What of a slot's plan starts now; it counts as begun from here on."""
        open_duties = [self._timed(each) for each in planned if not self._is_begun(each)]
        started: list[DutyDue] = []
        later: list[int] = []
        for due in sorted(open_duties, key=urgency):
            if due.at_ms > now_ms:
                later.append(due.at_ms)
            elif now_ms < due.deadline_ms and (left := self._without_begun(due)) is not None:
                self._note_begun(left)
                started.append(left)
        return Due(tuple(started), min(later, default=None))

    def turn_to(self, slot: Slot) -> None:
        """Forget facts of slots long past."""
        oldest = slot - KEPT_SLOTS
        _drop_before(self._heads, oldest)
        _drop_before(self._blocks, oldest)
        _drop_before(self._committees, oldest)
        _drop_before(self._parts, self._epoch(oldest))

    def _timed(self, due: DutyDue) -> DutyDue:
        if due.role is not RunnerRole.COMMITTEE:
            return due
        start_ms = self._timing.start_ms(due.slot)
        head_ms, block_ms = self._heads.get(due.slot), self._blocks.get(due.slot)
        at_ms = start_ms + self._timing.committee_start_ms(
            due.slot,
            head_ms=None if head_ms is None else head_ms - start_ms,
            block_ms=None if block_ms is None else block_ms - start_ms,
        )
        return replace(due, at_ms=at_ms, data_at_ms=at_ms)

    def _is_begun(self, due: DutyDue) -> bool:
        key = (due.role, due.committee.operators)
        return isinstance(due.duty, CommitteeDuty) and key in self._committees.get(due.slot, ())

    def _without_begun(self, due: DutyDue) -> DutyDue | None:
        if not isinstance(due.duty, CommitteeDuty):
            return None if self._is_part_begun(due.duty) else due
        parts = tuple(each for each in due.duty.duties if not self._is_part_begun(each))
        if not parts:
            return None
        return replace(due, duty=CommitteeDuty(due.slot, parts))

    def _is_part_begun(self, part: ValidatorDuty) -> bool:
        begun = self._parts.get(self._epoch(part.slot))
        if begun is None:
            return False
        if _name(part) in begun.parts:
            return True
        in_epoch = begun.times[part.role, part.validator_index]
        if part.role == BeaconRole.VALIDATOR_REGISTRATION:
            return in_epoch >= REGISTRATIONS_AN_EPOCH
        return part.role in ONCE_AN_EPOCH and in_epoch > 0

    def _note_begun(self, due: DutyDue) -> None:
        if isinstance(due.duty, CommitteeDuty):
            self._committees.setdefault(due.slot, set()).add((due.role, due.committee.operators))
        begun = self._parts.setdefault(self._epoch(due.slot), _Parts())
        for part in due.parts:
            begun.parts.add(_name(part))
            begun.times[part.role, part.validator_index] += 1

    def _epoch(self, slot: int) -> int:
        return self._timing.chain.epoch_of(slot)


def _name(part: ValidatorDuty) -> tuple[int, int, int]:
    return part.role, part.validator_index, part.slot


def _drop_before(facts: dict[Any, Any], first: int) -> None:
    for old in [each for each in facts if each < first]:
        del facts[old]
