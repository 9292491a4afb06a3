"""How long a better block is waited for, and that a late one is better than none."""

from __future__ import annotations

import pytest
import trio

from operator_node.beacon import BeaconPool
from operator_node.duties.types import BeaconObject, Unavailable
from tests.unit.operator_node.beacon.fake_node import SLOT_S, FakeNode
from tests.unit.operator_node.beacon.pools import ELECTRA, SLOT, with_pool
from tests.unit.operator_node.beacon.test_production import BLOCK_QUERY, block, building

POOR, RICH = 1, 2


def built(poor_s: float, rich_s: float, *, asked_at_s: float = 0.0) -> tuple[int, float]:
    """Which block was taken, 0 for none, and when into the slot."""
    poor, rich = building(POOR, wei=1), building(RICH, wei=9)

    async def use(pool: BeaconPool) -> tuple[int, float]:
        began = trio.current_time()
        await trio.sleep(asked_at_s)
        poor.delay_s, rich.delay_s = poor_s, rich_s
        answer = await pool.answer(BLOCK_QUERY, deadline_ms=(SLOT + 1) * SLOT_S * 1000)
        seed = 0
        if not isinstance(answer, Unavailable):
            (seed,) = [n for n in (POOR, RICH) if answer == BeaconObject(ELECTRA, block(n)[0])]
        return seed, round(trio.current_time() - began, 2)

    return with_pool(use, poor, rich)


@pytest.mark.parametrize(
    ("poor_s", "rich_s", "expected"),
    [
        (0.1, 0.2, (RICH, 0.2)),
        (0.1, 1.7, (RICH, 1.7)),
        (0.1, 2.5, (POOR, 1.8)),
        (3.0, 4.0, (POOR, 3.0)),
        (11.0, 11.5, (POOR, 11.0)),
        (13.0, 13.0, (0, 12.0)),
    ],
)
def test_the_best_until_the_soft_limit_and_then_the_first(
    poor_s: float, rich_s: float, expected: tuple[int, float]
) -> None:
    assert built(poor_s, rich_s) == expected


@pytest.mark.parametrize(
    ("asked_at_s", "expected"),
    [(1.0, (RICH, 1.4)), (1.5, (RICH, 1.9)), (2.2, (POOR, 2.5)), (3.0, (POOR, 3.1))],
)
def test_asked_for_late_less_is_waited_for(asked_at_s: float, expected: tuple[int, float]) -> None:
    """Half a second at least, but nothing is waited for from 2.5 s into the slot on."""
    assert built(0.1, 0.4, asked_at_s=asked_at_s) == expected


def test_a_node_that_lags_builds_where_the_synced_one_cannot() -> None:
    behind = {"data": {"head_slot": "0", "sync_distance": "6", "is_syncing": True}}
    synced, lagging = FakeNode(), building(POOR)
    lagging.routes["/eth/v1/node/syncing"] = behind

    async def use(pool: BeaconPool) -> object:
        await trio.sleep(0.5)
        return await pool.answer(BLOCK_QUERY, deadline_ms=(SLOT + 1) * SLOT_S * 1000)

    found = with_pool(use, synced, lagging, is_running=True)
    assert found == BeaconObject(ELECTRA, block(POOR)[0])
