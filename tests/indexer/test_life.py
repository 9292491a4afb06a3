"""Short form of `python -m tests.indexer.life`."""

from __future__ import annotations

import pytest

from tests.client.world import World
from tests.indexer.life import live

pytestmark = [pytest.mark.toolchain, pytest.mark.slow]


def test_every_view_agrees_through_a_random_life(world: World, url: str) -> None:
    outcomes = live(world, url, transactions=150, seed=7, every=50)
    assert outcomes["blocks compared"] >= 2
    assert outcomes["subjects compared"] > 30
    for call in ("bulkRegisterValidator", "deposit", "withdraw", "bulkRemoveValidator"):
        assert outcomes[f"{call} done"] > 0, outcomes
