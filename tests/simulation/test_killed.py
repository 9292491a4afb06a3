"""One kill and nothing else, at any instant: it costs no signature, and no more than a slot."""

from __future__ import annotations

import pytest

from operator_node.testing import StandIns, run
from operator_node.testing.killing import killed_plan

SEEDS = 40


@pytest.mark.parametrize("seed", range(SEEDS))
def test_one_kill_breaks_nothing(seed: int) -> None:
    report = run(killed_plan(seed), StandIns())
    assert report.violations == ()
    assert report.owed > 0
    assert report.done >= report.owed
