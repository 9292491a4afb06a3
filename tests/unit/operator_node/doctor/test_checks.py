"""Values are judged against two limits, and the report has advice below what is not good."""

from __future__ import annotations

import pytest

from operator_node.doctor.checks import (
    Check,
    Verdict,
    at_least,
    at_most,
    overall,
    report,
    yes_or_no,
)

GOOD, AVERAGE, POOR = Verdict.GOOD, Verdict.AVERAGE, Verdict.POOR


@pytest.mark.parametrize(
    ("value", "verdict"), [(0, GOOD), (40, GOOD), (40.1, AVERAGE), (100, AVERAGE), (101, POOR)]
)
def test_small_values_are_good_where_they_should_be_small(value: float, verdict: Verdict) -> None:
    found = at_most("a", "b", value, good=40, average=100, unit="ms", advice="")
    assert (found.verdict, found.limits) == (verdict, "40 / 100 ms")


@pytest.mark.parametrize(
    ("value", "verdict"), [(60, GOOD), (50, GOOD), (49, AVERAGE), (20, AVERAGE), (19.9, POOR)]
)
def test_large_values_are_good_where_they_should_be_large(value: float, verdict: Verdict) -> None:
    found = at_least("a", "b", value, good=50, average=20, unit="peers", advice="")
    assert found.verdict is verdict


def test_the_worst_counts_and_what_is_unknown_does_not() -> None:
    assert overall(()) is Verdict.UNKNOWN
    checks = [Check("a", "b", verdict, "") for verdict in (Verdict.UNKNOWN, GOOD, AVERAGE, POOR)]
    assert [overall(checks[:count]) for count in (1, 2, 3, 4)] == [
        Verdict.UNKNOWN,
        GOOD,
        AVERAGE,
        POOR,
    ]


def test_the_report_reads_part_by_part() -> None:
    checks = (
        at_most("host", "durable write", 3.25, good=5, average=25, unit="ms", advice="an SSD"),
        at_most("host", "latency", 250, good=40, average=100, unit="ms", advice="nearer"),
        yes_or_no("operator key", "opens", False, "no such file", "check the path"),
    )
    assert report(checks) == "\n".join(
        [
            "host",
            "  durable write      good     3.25 ms  (limits 5 / 25 ms)",
            "  latency            poor     250 ms  (limits 40 / 100 ms)",
            "                     -> nearer",
            "operator key",
            "  opens              poor     no such file",
            "                     -> check the path",
            "poor: 2 of 3 checks are poor",
        ]
    )
