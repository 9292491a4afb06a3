"""What is told of a duty: its name, steps with times, who said how much and when, how it ended.

Pure values, and the draft that grows while a duty runs. Times are milliseconds into the duty's
slot; whoever reads the clock hands them in. Writing them down is `history`'s.

Source: docs/failure-reasons.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from operator_node.duties.reasons import Reason
from operator_node.duties.types import DutyOutcome, Step
from operator_node.wire.ids import RunnerRole
from sdk.types import OperatorId, Slot

STEPS_KEPT: Final = 32
"""Eight steps; data is fetched anew in each of twelve rounds, quorums come in batches."""


class Ending(StrEnum):
    """The outcome in one word."""

    RUNNING = "running"
    DONE = "done"
    PARTLY = "partly"
    """Some validators' objects were accepted, others not."""
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Heard:
    """What came from one operator for a duty; late ones may never have counted.

    Attributes:
        messages: how many.
        first_ms: arrival of the first one, into the slot.
        last_ms: arrival of the last one.
    """

    operator: OperatorId
    messages: int
    first_ms: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class DutyRecord:
    """One duty.

    Attributes:
        id: `COMMITTEE-1_2_3_4-e5-s160` or `PROPOSER-e5-s160-v17`.
        validators: indexes that it was for.
        started_ms: into the slot.
        steps: in the order in which they were reached, with milliseconds into the slot.
        round: that consensus ended in, 0 without consensus.
        leader: of that round.
        sent: messages of this node.
        heard: by operator, this one left out.
        reason: None while it runs.
        submitted: indexes of validators whose object a beacon node took.
        detail: facts of the reason.
    """

    id: str
    role: RunnerRole
    slot: Slot
    committee: tuple[OperatorId, ...]
    validators: tuple[int, ...]
    started_ms: int
    steps: tuple[tuple[Step, int], ...] = ()
    round: int = 0
    leader: OperatorId | None = None
    sent: int = 0
    heard: tuple[Heard, ...] = ()
    reason: Reason | None = None
    submitted: tuple[int, ...] = ()
    detail: Mapping[str, object] = field(default_factory=dict)

    @property
    def outcome(self) -> Ending:
        """The outcome in one word."""
        if self.reason is None:
            return Ending.RUNNING
        if self.reason in (Reason.DONE, Reason.NOTHING_SELECTED):
            return Ending.DONE
        return Ending.PARTLY if self.submitted else Ending.MISSED

    @property
    def line(self) -> str:
        """For the log: one line per duty."""
        last, at_ms = self.steps[-1] if self.steps else ("none", self.started_ms)
        facts = "".join(f" {name}={value!r}" for name, value in self.detail.items())
        return (
            f"duty={self.id} outcome={self.outcome} reason={self.reason or 'none'} "
            f"round={self.round} last_step={last} at_ms={at_ms} "
            f"submitted={len(self.submitted)} due={len(self.validators)}{facts}"
        )


class Tally:
    """Messages of one duty by operator; outlives the wait for the duty to begin."""

    __slots__ = ("_heard",)

    def __init__(self) -> None:
        """Nothing heard."""
        self._heard: dict[OperatorId, Heard] = {}

    def note(self, operator: OperatorId, into_slot_ms: int) -> None:
        """A message came. Operators are members of the committee, so these are few."""
        known = self._heard.get(operator)
        if known is None:
            self._heard[operator] = Heard(operator, 1, into_slot_ms, into_slot_ms)
        else:
            count, first = known.messages + 1, known.first_ms
            self._heard[operator] = Heard(operator, count, first, into_slot_ms)

    @property
    def heard(self) -> tuple[Heard, ...]:
        """By operator, in ascending order."""
        return tuple(self._heard[operator] for operator in sorted(self._heard))


@dataclass(slots=True)
class Draft:
    """The record of a duty that runs."""

    id: str
    role: RunnerRole
    slot: Slot
    committee: tuple[OperatorId, ...]
    validators: tuple[int, ...]
    started_ms: int
    tally: Tally = field(default_factory=Tally)
    sent: int = 0
    _steps: list[tuple[Step, int]] = field(default_factory=list)
    _reason: Reason | None = None
    _outcome: DutyOutcome | None = None
    _detail: Mapping[str, object] = field(default_factory=dict)

    def reach(self, step: Step, into_slot_ms: int) -> None:
        """A step is done."""
        if len(self._steps) < STEPS_KEPT:
            self._steps.append((step, into_slot_ms))

    def end(self, outcome: DutyOutcome) -> None:
        """The duty ended by itself, or with its time."""
        self._outcome, self._reason, self._detail = outcome, outcome.reason, outcome.detail

    def abandon(self, reason: Reason, detail: Mapping[str, object]) -> None:
        """This node gave the duty up."""
        self._reason, self._detail = reason, detail

    def record(self, *, round_number: int, leader: OperatorId | None) -> DutyRecord:
        """As it stands now."""
        return DutyRecord(
            id=self.id,
            role=self.role,
            slot=self.slot,
            committee=self.committee,
            validators=self.validators,
            started_ms=self.started_ms,
            steps=tuple(self._steps),
            round=round_number,
            leader=leader,
            sent=self.sent,
            heard=self.tally.heard,
            reason=self._reason,
            submitted=() if self._outcome is None else self._outcome.submitted,
            detail=dict(self._detail),
        )
