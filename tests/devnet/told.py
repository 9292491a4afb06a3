"""Duty records as operators tell them, and the rows that come of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deploy.devnet.duty_rows import (
    Row,
    Rows,
)
from sdk.types import OperatorId

COMMITTEE = tuple(map(OperatorId, (1, 2, 3, 4)))
WIDTH = 80


def record(
    *,
    slot: int = 9,
    role: str = "committee",
    validators: Sequence[int] = (32, 33),
    outcome: str = "done",
    reason: str | None = "done",
    submitted_ms: int | None = 1400,
) -> dict[str, Any]:
    """As `/v2/duties` tells it."""
    who = f"v{validators[0]}" if role == "proposer" else "1_2_3_4"
    steps = [{"step": "started", "ms": 1000}, {"step": "decided", "ms": 1200}]
    if submitted_ms is not None:
        steps.append({"step": "submitted", "ms": submitted_ms})
    return {
        "id": f"{role.upper()}-{who}-s{slot}",
        "role": role,
        "slot": slot,
        "committee": list(COMMITTEE),
        "validators": list(validators),
        "outcome": outcome,
        "reason": None if outcome == "running" else reason,
        "steps": steps,
    }


def missed(reason: str = "no_quorum", **facts: Any) -> dict[str, Any]:
    return record(outcome="missed", reason=reason, submitted_ms=None, **facts)


def running(**facts: Any) -> dict[str, Any]:
    return record(outcome="running", submitted_ms=None, **facts)


Told = Mapping[OperatorId, Sequence[dict[str, Any]] | None]


def by_all(*records: dict[str, Any]) -> Told:
    return dict.fromkeys(COMMITTEE, records)


def shown(told: Told, *, slot_now: int = 9) -> list[Row]:
    """What is new after two looks that found the same."""
    rows = Rows()
    assert rows.take(told, slot_now=slot_now) == []
    return rows.take(told, slot_now=slot_now)
