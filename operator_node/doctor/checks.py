"""What a check found, and how good that is: a measured value against two limits.

Pure. Source: docs/run-a-node.md, "Before you trust it with money".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Final

_WIDTH: Final = 18


class Verdict(StrEnum):
    """How good something is."""

    GOOD = "good"
    AVERAGE = "average"
    """Duties are done; there is little to spare."""
    POOR = "poor"
    """Duties will be missed."""
    UNKNOWN = "unknown"
    """It could not be looked at, and that is no fault."""


_WORSE: Final = (Verdict.UNKNOWN, Verdict.GOOD, Verdict.AVERAGE, Verdict.POOR)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        part: what it belongs to, such as `host` or a beacon node's name.
        name: what was looked at.
        found: the value, for people.
        limits: of good and average, for people; empty where it is a matter of yes or no.
        advice: what to do if it is not good.
    """

    part: str
    name: str
    verdict: Verdict
    found: str
    limits: str = ""
    advice: str = ""


def at_most(
    part: str, name: str, value: float, *, good: float, average: float, unit: str, advice: str
) -> Check:
    """A value that should be small."""
    verdict = _of(value <= good, value <= average)
    return Check(part, name, verdict, _number(value, unit), _limits(good, average, unit), advice)


def at_least(
    part: str, name: str, value: float, *, good: float, average: float, unit: str, advice: str
) -> Check:
    """A value that should be large."""
    verdict = _of(value >= good, value >= average)
    return Check(part, name, verdict, _number(value, unit), _limits(good, average, unit), advice)


def yes_or_no(part: str, name: str, is_good: bool, found: str, advice: str) -> Check:
    """Something that must hold."""
    return Check(part, name, _of(is_good, is_good), found, advice=advice)


def overall(checks: Iterable[Check]) -> Verdict:
    """The worst of all that could be looked at."""
    return max((each.verdict for each in checks), key=_WORSE.index, default=Verdict.UNKNOWN)


def report(checks: Sequence[Check]) -> str:
    """For people: part by part, with advice below what is not good."""
    lines = []
    for part, found in groupby(checks, key=lambda check: check.part):
        lines.append(part)
        for check in found:
            limits = f"  (limits {check.limits})" if check.limits else ""
            lines.append(f"  {check.name:<{_WIDTH}} {check.verdict:<8} {check.found}{limits}")
            if check.advice and check.verdict is not Verdict.GOOD:
                lines.append(f"  {'':<{_WIDTH}} -> {check.advice}")
    poor = sum(check.verdict is Verdict.POOR for check in checks)
    return "\n".join([*lines, f"{overall(checks)}: {poor} of {len(checks)} checks are poor"])


def _of(is_good: bool, is_average: bool) -> Verdict:
    if is_good:
        return Verdict.GOOD
    return Verdict.AVERAGE if is_average else Verdict.POOR


def _limits(good: float, average: float, unit: str) -> str:
    return f"{good:g} / {average:g} {unit.split(' (')[0]}"


def _number(value: float, unit: str) -> str:
    return f"{value:.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"
