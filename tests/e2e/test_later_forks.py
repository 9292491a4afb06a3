"""The same operators on a beacon node at Fulu rules: every duty, judged by the chain's blocks.

The node's pools and routes are our own (`deploy.devnet.later_forks`), the rules and the judgement
of every block and signature Lodestar's. It has no peers and no builders.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.runs import Run, included, live, right, share

pytestmark = [pytest.mark.toolchain, pytest.mark.slow, pytest.mark.e2e]

FULU = Run(slots=42, slot_seconds=3, exit_at=12, fork="fulu")


def test_four_operators_do_every_duty_at_fulu_rules_and_the_chain_finalizes(
    tmp_path: Path,
) -> None:
    seen = live(FULU, tmp_path, say=print)
    report = seen.report
    print(report.closing_line())
    assert report.finalized_epoch >= 2
    assert included(report) >= 0.99
    assert right(report) >= 0.95
    proposed = [each.is_canonical for each in report.proposals]
    assert share(sum(proposed), len(proposed)) >= 0.9
    sync = [each for each in report.sync if each.slot + 1 not in report.empty_slots]
    assert share(sum(each.done == each.due for each in sync), len(sync)) >= 0.95
    assert all(each.is_included for each in report.alone)
    assert FULU.exiting in report.exits
    print(f"aggregates {seen.aggregates}, contributions {seen.contributions}")
    assert sum(seen.aggregates.values()) >= FULU.slots // 2
    assert sum(seen.contributions.values()) >= FULU.slots
    assert seen.states == ["ready"] * 4
    assert "internal" not in seen.reasons.values()
