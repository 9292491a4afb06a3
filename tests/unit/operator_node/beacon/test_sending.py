"""What is finished goes to all nodes, and one that takes it is enough."""

from __future__ import annotations

import trio

from operator_node.beacon import (
    BeaconPool,
)
from tests.unit.operator_node.beacon.fake_node import (
    FakeNode,
)
from tests.unit.operator_node.beacon.pools import (
    POOL_PATH,
    attestation,
    vote,
    with_pool,
)

ITEMS = (attestation(vote(1)), attestation(vote(2)))


def test_one_node_that_takes_it_is_enough() -> None:
    nodes = {
        "a": FakeNode({POOL_PATH: (500, {"message": "INVALID"})}),
        "b": FakeNode({POOL_PATH: {}}),
    }
    done = with_pool(lambda pool: pool.submit(ITEMS), *nodes.values())
    assert [each.error for each in done] == ["", ""]
    assert all(POOL_PATH in node.paths() for node in nodes.values())


def test_what_every_node_said_is_told_when_none_takes_it() -> None:
    nodes = {"a": FakeNode({POOL_PATH: (500, {"message": "INVALID"})}), "b": FakeNode()}

    async def use(pool: BeaconPool) -> list[str]:
        nodes["b"].is_down = True
        return [each.error for each in await pool.submit(ITEMS)]

    (one, two) = with_pool(use, *nodes.values())
    assert one == two
    assert "a:5052: status 500: INVALID" in one
    assert f"b:5052: {POOL_PATH}: ConnectError" in one


def test_a_slow_node_is_served_without_waiting_for_it() -> None:
    slow, quick = FakeNode({POOL_PATH: {}}), FakeNode({POOL_PATH: {}})

    async def use(pool: BeaconPool) -> float:
        await trio.sleep(1)
        slow.delay_s = 3
        began = trio.current_time()
        await pool.submit(ITEMS)
        took = trio.current_time() - began
        await trio.sleep(4)
        return took

    assert with_pool(use, slow, quick, is_running=True) < 0.1
    assert POOL_PATH in slow.paths()


def test_nothing_to_submit_is_done_at_once() -> None:
    assert with_pool(lambda pool: pool.submit(()), FakeNode()) == ()


def test_a_node_that_hangs_is_given_up() -> None:
    node = FakeNode()

    async def use(pool: BeaconPool) -> list[str]:
        node.delay_s = 100
        return [each.error for each in await pool.submit(ITEMS)]

    assert with_pool(use, node) == ["no beacon node answered in time"] * 2
