"""Operators keep validators attesting on a beacon chain that nobody here wrote; the short form.

The long runs are in `test_finality.py` (`make e2e`).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.runs import Run, included, live, right, share

pytestmark = [pytest.mark.toolchain, pytest.mark.slow]

SHORT = Run(slots=18, slot_seconds=4)


def test_four_operators_do_every_duty_of_an_epoch(tmp_path: Path) -> None:
    seen = live(SHORT, tmp_path, say=print)
    report = seen.report
    assert included(report) >= 0.95
    assert right(report) >= 0.95
    assert any(each.is_canonical for each in report.proposals)
    sync = [each for each in report.sync if each.slot + 1 not in report.empty_slots]
    assert share(sum(each.done == each.due for each in sync), len(sync)) >= 0.9
    votes = {name: how for name, how in seen.outcomes.items() if name.startswith("COMMITTEE")}
    assert share(sum(how == "done" for how in votes.values()), len(votes)) >= 0.9
    assert seen.states == ["ready"] * 4
    assert "internal" not in seen.reasons.values()
