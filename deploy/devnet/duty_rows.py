"""What several operators tell of the same duties, as one row for each duty that has ended.

Pure. Rows follow from the operators' own records; what the chain says is `inclusion`'s. A duty is
shown once, when two looks in a row found it ended and unchanged, or when it is too old to wait for.

Source: docs/node-api.md, `/v2/duties`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sdk.types import OperatorId

PATIENCE_SLOTS: Final = 8
"""A duty that still runs this much later is shown as it is."""
KEPT_SLOTS: Final = 64
"""How long it is remembered that a duty was shown; none is asked for after `PATIENCE_SLOTS`."""
NAMES: Final = {
    "committee": "votes",
    "aggregator_committee": "aggregates",
    "aggregator": "aggregate",
    "proposer": "block",
    "sync_contribution": "contribution",
    "validator_registration": "registration",
    "voluntary_exit": "exit",
}
"""Roles, short. Votes are attestations and sync committee messages."""

Record = Mapping[str, Any]
"""One duty as a node tells it."""
Told = Mapping[OperatorId, Sequence[Record] | None]
"""Records by operator; None if the operator's node does not answer."""


@dataclass(frozen=True, slots=True)
class Row:
    """One duty as the operators ended it, or several alike ones of one slot and role.

    Attributes:
        done_by: operators that have done it.
        operators: of its committee.
        outcome: the best of the operators': `done`, `partly`, `running` or `missed`. One operator
            is enough to bring a duty to the chain.
        reason: why not all have done it, empty if they have.
        at_ms: into the slot: the first operator's submission, or the last thing that happened.
    """

    slot: int
    role: str
    validators: tuple[int, ...]
    done_by: int
    operators: int
    outcome: str
    reason: str
    at_ms: int | None


class Rows:
    """Gathers what is told, and says what is new."""

    def __init__(self) -> None:
        self._waiting: dict[str, Row] = {}
        self._shown: dict[str, int] = {}

    def first_slot(self, slot_now: int) -> int:
        """From which slot on records are wanted."""
        return min((row.slot for row in self._waiting.values()), default=max(0, slot_now - 1))

    def take(self, told: Told, *, slot_now: int) -> list[Row]:
        """Duties that can be shown now, in the order of their slots.

        Args:
            told: of duties from `first_slot` on.
            slot_now: by the clock.
        """
        found: list[Row] = []
        for name, records in _by_duty(told).items():
            if name in self._shown:
                continue
            row = _row(records, told)
            has_ended = all(record["outcome"] != "running" for record in records.values())
            is_settled = has_ended and self._waiting.get(name) == row
            if is_settled or row.slot <= slot_now - PATIENCE_SLOTS:
                self._waiting.pop(name, None)
                self._shown[name] = row.slot
                found.append(row)
            else:
                self._waiting[name] = row
        self._forget(slot_now)
        return _alike_as_one(found)

    def rest(self) -> list[Row]:
        """What was not shown yet, as it is."""
        rows = _alike_as_one(self._waiting.values())
        self._waiting.clear()
        return rows

    def _forget(self, slot_now: int) -> None:
        oldest = slot_now - KEPT_SLOTS
        self._shown = {name: slot for name, slot in self._shown.items() if slot >= oldest}
        self._waiting = {name: row for name, row in self._waiting.items() if row.slot >= oldest}


def rows_of(told: Told) -> list[Row]:
    """One row for each duty that anybody tells of, as it is now."""
    return [_row(records, told) for records in _by_duty(told).values()]


def _by_duty(told: Told) -> dict[str, dict[OperatorId, Record]]:
    duties: dict[str, dict[OperatorId, Record]] = {}
    for operator, records in told.items():
        for record in records or ():
            duties.setdefault(record["id"], {})[operator] = record
    return duties


def _row(records: Mapping[OperatorId, Record], told: Told) -> Row:
    any_record = next(iter(records.values()))
    outcomes = {record["outcome"] for record in records.values()}
    done = [operator for operator, record in records.items() if record["outcome"] == "done"]
    return Row(
        slot=any_record["slot"],
        role=any_record["role"],
        validators=tuple(sorted({v for each in records.values() for v in each["validators"]})),
        done_by=len(done),
        operators=len(any_record["committee"]),
        outcome=next(best for best in ("done", "partly", "running", "missed") if best in outcomes),
        reason=_reason(records, told, any_record["committee"]),
        at_ms=_at_ms(records.values()),
    )


def _reason(
    records: Mapping[OperatorId, Record], told: Told, committee: Sequence[OperatorId]
) -> str:
    """The most frequent one of those that have not done it; else who said nothing."""
    words = [record["reason"] for record in records.values() if record["outcome"] != "done"]
    if words := [word for word in words if word]:
        return str(Counter(words).most_common(1)[0][0])
    for what, operators in (
        ("silent", [each for each in committee if told.get(each) is None]),
        ("without it", [each for each in committee if each not in records]),
    ):
        if operators:
            who = f"operator {operators[0]}" if len(operators) == 1 else f"{len(operators)}"
            return f"{who} {what}"
    found = {record["reason"] for record in records.values()} - {None, "done"}
    return "" if not found else str(min(found))


def _at_ms(records: Iterable[Record]) -> int | None:
    steps = [step for record in records for step in record["steps"]]
    submitted = [int(step["ms"]) for step in steps if step["step"] == "submitted"]
    return min(submitted) if submitted else max((int(s["ms"]) for s in steps), default=None)


def _alike_as_one(rows: Iterable[Row]) -> list[Row]:
    """Rows that differ in validators and time alone become one, with the latest time."""
    alike: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        key = (row.slot, row.role, row.done_by, row.operators, row.outcome, row.reason)
        alike.setdefault(key, []).append(row)
    return [
        Row(
            slot=same[0].slot,
            role=same[0].role,
            validators=tuple(sorted({v for row in same for v in row.validators})),
            done_by=same[0].done_by,
            operators=same[0].operators,
            outcome=same[0].outcome,
            reason=same[0].reason,
            at_ms=max((row.at_ms for row in same if row.at_ms is not None), default=None),
        )
        for same in (alike[key] for key in sorted(alike))
    ]


HEADING: Final = "slot  duty          validators  operators  outcome    ms  reason"
LEGEND: Final = (
    "Rows are duties: votes (attestations, sync messages), blocks, aggregates.\n"
    "operators: how many have done it; ms: into the slot, the first submission."
)


def text_of(row: Row) -> tuple[str, str, str]:
    """The row's line under `HEADING`: what is before the outcome, the outcome, what is after."""
    who = f"index {row.validators[0]}" if len(row.validators) == 1 else str(len(row.validators))
    by = f"{row.done_by} of {row.operators}"
    ms = "" if row.at_ms is None else str(row.at_ms)
    before = f"{row.slot:>4}  {NAMES.get(row.role, row.role):<12}  {who:<10}  {by:<9}  "
    return before, f"{row.outcome:<7}", f" {ms:>5}  {row.reason}".rstrip()
