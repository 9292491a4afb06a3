"""Which conditions are news: each is said once, again when it changes, and once when it has gone.

Pure. A runway is said when it falls below a threshold, and below the next one; going up, it has to
pass a threshold by a tenth before it counts as above, so that a balance near it is not said twice.

Source: docs/liquidator.md, "Watching".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sdk.errors import ConfigError
from sdk.keeper.conditions import (
    Condition,
    Facts,
    Filters,
    Kind,
    Topic,
    conditions,
    fee_change,
    operators_in_use,
)
from sdk.registry import RegistryState
from sdk.types import BlockNumber, OperatorId
from sdk.units import units_to_wei

RETURN_PER_10: Final = 11
"""A runway is above a threshold again from this many tenths of it on."""
MOST_THRESHOLDS: Final = 16


class News(StrEnum):
    """How a condition differs from what was said before."""

    BEGAN = "began"
    CHANGED = "changed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing to say.

    Attributes:
        kind: what it is about.
        news: whether it began, changed or ended.
        subject: whom it is about, as text.
        block: of which all this is true.
        text: for a person.
        facts: for a program.
    """

    kind: Kind
    news: News
    subject: str
    block: BlockNumber
    text: str
    facts: Facts

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "kind": self.kind.value,
            "news": self.news.value,
            "subject": self.subject,
            "block": self.block,
            "text": self.text,
            **self.facts,
        }


class Alarms:
    """What was said and still holds: one entry per condition."""

    def __init__(self, filters: Filters, *, runway_blocks: Iterable[int]) -> None:
        """Nothing was said yet.

        Args:
            filters: what is watched.
            runway_blocks: thresholds, in blocks; a runway above all of them is no news.

        Raises:
            ConfigError: `thresholds`, too many, or one below 1.
        """
        self._filters = filters
        self._thresholds = sorted(set(runway_blocks))
        if len(self._thresholds) > MOST_THRESHOLDS or any(each < 1 for each in self._thresholds):
            raise ConfigError(
                f"thresholds of {self._thresholds[: MOST_THRESHOLDS + 1]} blocks: expected up to "
                f"{MOST_THRESHOLDS}, each at least one block",
                code="thresholds",
                hint="Name a few, such as 30, 7 and 1 days.",
            )
        self._said: dict[Topic, Condition] = {}
        self._levels: dict[str, int] = {}
        self._fees: dict[OperatorId, int] = {}

    @property
    def standing(self) -> Sequence[Condition]:
        """What was said and still holds."""
        return tuple(self._said.values())

    def review(self, state: RegistryState, *, at: BlockNumber, time_s: int) -> list[Alert]:
        """What is to be said now.

        Args:
            state: of the registry.
            at: the newest block.
            time_s: of that block.
        """
        alerts = self._fee_changes(state, at=at)
        held: dict[Topic, Condition] = {}
        levels: dict[str, int] = {}
        for condition in conditions(state, self._filters, at=at, time_s=time_s):
            if condition.kind is Kind.RUNWAY:
                level = self._level(condition)
                if level is None:
                    continue
                levels[condition.subject] = level
            held[condition.topic] = condition
        for topic, condition in held.items():
            before = self._said.get(topic)
            if before is None:
                alerts.append(_alert(condition, News.BEGAN, at=at))
            elif self._differs(before, condition, levels):
                alerts.append(_alert(condition, News.CHANGED, at=at))
        alerts += [
            _alert(condition, News.ENDED, at=at, text=f"no longer so: {condition.text}")
            for topic, condition in self._said.items()
            if topic not in held
        ]
        self._said, self._levels = held, levels
        return alerts

    def _level(self, condition: Condition) -> int | None:
        """The threshold that this runway is below, None if it is above all."""
        blocks = condition.version
        if not isinstance(blocks, int):
            return None
        level = next((each for each in self._thresholds if blocks < each), None)
        before = self._levels.get(condition.subject)
        rose = before is not None and (level is None or level > before)
        if before is not None and rose and 10 * blocks < RETURN_PER_10 * before:
            return before
        return level

    def _differs(self, before: Condition, now: Condition, levels: dict[str, int]) -> bool:
        if now.kind is Kind.RUNWAY:
            return levels[now.subject] != self._levels[now.subject]
        return before.version != now.version

    def _fee_changes(self, state: RegistryState, *, at: BlockNumber) -> list[Alert]:
        """Fees that took effect since the last look; the first look only notes them."""
        watched = [each for each in state.clusters.values() if self._filters.watches(each)]
        alerts = []
        fees: dict[OperatorId, int] = {}
        for operator in operators_in_use(state, self._filters, watched):
            operator_id = operator.operator_id
            fees[operator_id] = operator.fee_units
            before = self._fees.get(operator_id, operator.fee_units)
            if before == operator.fee_units:
                continue
            facts = {
                "operator_id": operator_id,
                "fee_wei": str(units_to_wei(operator.fee_units)),
                "former_fee_wei": str(units_to_wei(before)),
            }
            change = fee_change(before, operator.fee_units)
            text = f"operator {operator_id} has put into force {change}"
            alert = Alert(Kind.FEE_CHANGED, News.BEGAN, str(operator_id), at, text, facts)
            alerts.append(alert)
        self._fees = fees
        return alerts


def _alert(condition: Condition, news: News, *, at: BlockNumber, text: str = "") -> Alert:
    said = text or condition.text
    return Alert(condition.kind, news, condition.subject, at, said, condition.facts)
