"""Why votes are in no block: what the operators say of their duties, and what the chain lacks.

Pure. That a vote is missing comes from the blocks alone (`inclusion`); the operators' own records
only tell why.

Source: docs/failure-reasons.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from deploy.devnet.duty_rows import Row, Told, rows_of
from deploy.devnet.inclusion import SLOTS_PER_EPOCH, Report

VOTES: Final = "committee"
"""The role whose duties are votes."""
SUBMITTED: Final = ("done", "partly")
"""Outcomes of duties that a beacon node took something of."""


@dataclass(frozen=True, slots=True)
class Miss:
    """Votes of one slot that are in no block, for one reason."""

    slot: int
    validators: tuple[int, ...]
    reason: str

    def __str__(self) -> str:
        named = ", ".join(map(str, self.validators))
        if len(self.validators) == 1:
            return f"the vote of validator {named}, slot {self.slot}: {self.reason}"
        many = len(self.validators)
        return f"{many} votes of slot {self.slot}, validators {named}: {self.reason}"


def missed_slots(report: Report) -> tuple[int, ...]:
    """Slots with votes that are in no block, ascending."""
    return tuple(sorted({each.duty.slot for each in report.attestations if not each.is_included}))


def misses_of(
    report: Report, told: Mapping[int, Told], *, aggregated_ms: int | None = None
) -> tuple[Miss, ...]:
    """Every vote that is due and in no block, with its reason.

    Args:
        report: on the operators' validators.
        told: by slot, what the operators have on record of its votes.
        aggregated_ms: into a slot, when its votes are aggregated; later ones seldom get into a
            block. None if nobody knows.
    """
    found: dict[tuple[int, str], list[int]] = {}
    for each in report.attestations:
        if not each.is_included:
            slot, validator = each.duty.slot, each.duty.validator
            row = _row(told.get(slot, {}), validator)
            reason = _without_row(told.get(slot, {})) if row is None else _of(row, report)
            if row is not None and _is_late(row, aggregated_ms):
                reason += f", after votes are aggregated at {aggregated_ms} ms"
            found.setdefault((slot, reason), []).append(validator)
    return tuple(
        Miss(slot, tuple(sorted(validators)), reason)
        for (slot, reason), validators in sorted(found.items())
    )


def _row(told: Told, validator: int) -> Row | None:
    """A validator has one committee, and with it one such duty in a slot."""
    rows = (row for row in rows_of(told) if row.role == VOTES and validator in row.validators)
    return next(rows, None)


def _without_row(told: Told) -> str:
    if any(records is not None for records in told.values()):
        return "no operator has it on record"
    return "no operator's node answers"


def _is_late(row: Row, aggregated_ms: int | None) -> bool:
    late = aggregated_ms is not None and row.at_ms is not None and row.at_ms > aggregated_ms
    return late and row.outcome in SUBMITTED


def _of(row: Row, report: Report) -> str:
    if row.outcome not in SUBMITTED:
        return row.reason or f"{row.outcome}, and no operator says why"
    at = "" if row.at_ms is None else f" {row.at_ms} ms into the slot"
    lacking = report.empty_slots | report.empty_later
    empty = [str(each) for each in range(row.slot, row.slot + SLOTS_PER_EPOCH) if each in lacking]
    why = f"no block in slots {', '.join(empty)}" if empty else "no block took it"
    return f"submitted{at} by {row.done_by} of {row.operators}; {why}"
