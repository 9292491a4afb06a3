"""What is finished goes to all nodes, and one that takes it is enough."""

from __future__ import annotations

from functools import partial
from typing import Any

import httpx
import pytest
import trio

from operator_node.beacon import (
    BeaconPool,
)
from operator_node.beacon.publishing import AGAIN_TIMES
from operator_node.duties.types import BeaconObject, Submission, SubmissionKind
from operator_node.spec import find_block, signed_block
from operator_node.spec.presets import Preset
from tests.unit.operator_node.beacon.fake_node import (
    SLOT_S,
    FakeNode,
)
from tests.unit.operator_node.beacon.pools import (
    ELECTRA,
    POOL_PATH,
    PROOF,
    SLOT,
    attestation,
    vote,
    with_pool,
)
from tests.unit.operator_node.beacon.test_production import BLOCK_QUERY, building

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


def test_a_node_that_is_back_within_the_slot_gets_what_nobody_took() -> None:
    node = FakeNode({POOL_PATH: {}})

    async def use(pool: BeaconPool) -> tuple[list[str], float]:
        node.is_down = True

        async def come_back() -> None:
            await trio.sleep(2)
            node.is_down = False

        began = trio.current_time()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(come_back)
            done = await pool.submit(ITEMS)
        return [each.error for each in done], round(trio.current_time() - began, 1)

    assert with_pool(use, node) == (["", ""], 2.1)
    assert len(node.bodies(POOL_PATH)[-1]) == len(ITEMS)


@pytest.mark.parametrize("other", [{}, (400, {"message": "bad signature"})])
def test_a_node_that_is_down_is_tried_again_only_for_what_nobody_took(other: Any) -> None:
    down, up = FakeNode(), FakeNode({POOL_PATH: other})

    async def use(pool: BeaconPool) -> int:
        down.is_down = True
        before = down.paths().count(POOL_PATH)
        await pool.submit(ITEMS)
        await trio.sleep(10)
        return down.paths().count(POOL_PATH) - before

    tries = with_pool(use, down, up, is_running=True)
    assert tries == (1 if other == {} else 1 + AGAIN_TIMES)


def test_a_block_goes_first_to_the_node_that_built_it() -> None:
    path = "/eth/v2/beacon/blocks"
    other, builder = building(1, wei=1), building(2, wei=9)
    sent: list[tuple[str, float]] = []

    async def use(pool: BeaconPool) -> list[tuple[str, float]]:
        for name, node in (("other", other), ("builder", builder)):
            node.routes[path] = partial(_note, sent, name)
        found = await pool.answer(BLOCK_QUERY, deadline_ms=(SLOT * SLOT_S + 4) * 1000)
        assert isinstance(found, BeaconObject)
        proposed = find_block(found.version, found.data, Preset.MINIMAL)
        item = Submission(
            SubmissionKind.BLOCK, ELECTRA, signed_block(proposed, PROOF), proposed.root, 3
        )
        builder.delay_s = 0.05
        began = trio.current_time()
        assert [each.error for each in await pool.submit((item,))] == [""]
        builder.delay_s = 0.5
        await pool.submit((item,))
        return [(name, round(at - began, 2)) for name, at in sent]

    assert with_pool(use, other, builder) == [
        ("builder", 0.05),
        ("other", 0.05),
        ("other", 0.15),
        ("builder", 0.55),
    ]


def _note(sent: list[tuple[str, float]], name: str, _: httpx.Request) -> Any:
    sent.append((name, trio.current_time()))
    return {}


def test_a_fault_of_ours_in_sending_to_one_node_ends_neither_the_duty_nor_the_pool(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(_: httpx.Request) -> Any:
        raise ValueError("what no parser should let through")

    broken, good = FakeNode({POOL_PATH: fail}), FakeNode({POOL_PATH: {}})

    async def use(pool: BeaconPool) -> list[list[str]]:
        await trio.sleep(1)
        both = await pool.submit(ITEMS)
        good.routes[POOL_PATH] = fail
        neither = await pool.submit(ITEMS)
        await trio.sleep(1)
        return [[each.error for each in done] for done in (both, neither)]

    done, refused = with_pool(use, broken, good, is_running=True)
    assert done == ["", ""]
    assert all("a:5052: its answer could not be read: ValueError" in text for text in refused)
    assert "sending to beacon node a:5052 failed" in caplog.text
