"""Finality proves the operators: they hold half of the stake, so nothing is final without them.

Minutes each: `make e2e`, not part of `make test`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.runs import Run, included, live, right, targets_right

pytestmark = [pytest.mark.toolchain, pytest.mark.slow, pytest.mark.e2e]

RUNS = {
    # Until every validator had its slot to be registered with builders; they come once in 80.
    "boole": Run(slots=66, slot_seconds=3, exit_at=12),
    "boole, one operator killed": Run(slots=40, slot_seconds=4, kill_at=10),
    "alan": Run(slots=40, slot_seconds=5, alan=True),
}


@pytest.mark.parametrize("name", RUNS)
def test_the_chain_finalizes_and_has_the_operators_votes(name: str, tmp_path: Path) -> None:
    run = RUNS[name]
    seen = live(run, tmp_path, say=print)
    report = seen.report
    print(report.closing_line())
    assert report.finalized_epoch >= 2
    assert included(report) >= 0.99
    if run.kill_at is None:
        assert right(report) >= 0.95
    else:
        # A dead leader's block comes two seconds late, after the votes of its slot.
        assert targets_right(report) >= 0.99
    assert any(each.is_canonical for each in report.proposals)
    assert all(each.is_included for each in report.alone)
    if run.exit_at is not None:
        assert run.exiting in report.exits
    assert seen.relay_refused == 0
    assert seen.due_for_registration
    assert seen.registered >= seen.due_for_registration
    if name == "boole":
        assert seen.registered == set(range(32, 64))
