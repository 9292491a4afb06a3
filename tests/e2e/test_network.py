"""Operators keep validators attesting on a beacon chain that nobody here wrote; the short form.

It tells whether the whole works, on any machine that tests run on: slots of 4 s, and most of what
is due. How well it works is asked by the long runs in `test_finality.py` (`make e2e`).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.runs import Run, included, live, right, share

pytestmark = [pytest.mark.toolchain, pytest.mark.slow]

SHORT = Run(slots=18, slot_seconds=4)
MOST = 0.8


def test_four_operators_do_every_duty_of_an_epoch(tmp_path: Path) -> None:
    seen = live(SHORT, tmp_path, say=print)
    report = seen.report
    assert included(report) >= MOST
    assert right(report) >= MOST
    assert any(each.is_canonical for each in report.proposals)
    sync = [each for each in report.sync if each.slot + 1 not in report.empty_slots]
    assert share(sum(each.done == each.due for each in sync), len(sync)) >= MOST
    votes = {name: how for name, how in seen.outcomes.items() if name.startswith("COMMITTEE")}
    assert share(sum(how == "done" for how in votes.values()), len(votes)) >= MOST
    assert set(seen.states) <= {"ready", "degraded"}
    assert len(seen.states) == 4
    assert "internal" not in seen.reasons.values()
