"""Short form of `python -m tests.indexer.reorgs`: any history gives the rows of a fresh sync."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.indexer import databases
from tests.indexer.reorgs import DEEPEST, failure_of

pytestmark = pytest.mark.slow
SEEDS = range(24)


def test_any_history_gives_the_rows_of_a_fresh_sync(server: str) -> None:
    total: Counter[str] = Counter()
    with databases.fresh(server) as mine, databases.fresh(server) as other:
        for seed in SEEDS:
            wrong, done = failure_of(seed, server, mine, other, kills=int(seed % 8 == 0))
            assert wrong == "", f"python -m tests.indexer.reorgs --sequences 1 --seed {seed}"
            total |= Counter({"deepest": done.pop("deepest", 0)})
            total += done
    # Nothing that is to be tried was left out.
    assert total["deepest"] > DEEPEST // 2
    assert min(total[each] for each in ("aborted", "reloads", "reorganise", "kill")) >= 2
