"""Seeded chaos: no checker may find anything, whatever the seed decides."""

from __future__ import annotations

import pytest

from tests.simulation.seeds import replay, run_seed, run_seeds

FEW = 20
"""In the fast tests; the rest is marked slow."""


@pytest.mark.parametrize("size", [4, 7])
def test_a_few_seeds_violate_nothing(size: int) -> None:
    findings = [found for out in run_seeds(range(1, FEW // size), size) for found in out.findings]
    assert findings == []


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1_000, 1_240, 40))
def test_committees_of_four_violate_nothing(first: int) -> None:
    outcomes = list(run_seeds(range(first, first + 40), 4))
    assert [found for outcome in outcomes for found in outcome.findings] == []
    assert sum(outcome.owed for outcome in outcomes) > 40
    assert sum(outcome.done for outcome in outcomes) > 80


@pytest.mark.slow
@pytest.mark.parametrize(("size", "count"), [(7, 24), (10, 8), (13, 5)])
def test_larger_committees_violate_nothing(size: int, count: int) -> None:
    outcomes = list(run_seeds(range(2_000, 2_000 + count), size))
    assert [found for outcome in outcomes for found in outcome.findings] == []
    assert sum(outcome.done for outcome in outcomes) > count


@pytest.mark.slow
@pytest.mark.parametrize("seed", [3_000, 3_001, 3_002])
def test_real_signatures_violate_nothing(seed: int) -> None:
    outcome = run_seed(seed, 4, real=True)
    assert outcome.findings == ()
    assert outcome.duties > 0


def test_a_seed_replays_exactly() -> None:
    first, second = replay(11, 4), replay(11, 4)
    assert first.transcript == second.transcript
    assert len(first.transcript.splitlines()) > 50


def test_seeds_differ() -> None:
    assert replay(11, 4).transcript != replay(12, 4).transcript


def test_a_transcript_does_not_change_the_run() -> None:
    told, untold = replay(13, 4), run_seed(13, 4)
    assert (told.events, told.done, told.owed) == (untold.events, untold.done, untold.owed)


def test_processes_agree_with_one_process() -> None:
    alone = [(out.seed, out.events) for out in run_seeds(range(40, 44), 4)]
    together = [(out.seed, out.events) for out in run_seeds(range(40, 44), 4, processes=2)]
    assert alone == together
