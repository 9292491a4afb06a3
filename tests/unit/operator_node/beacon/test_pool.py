"""Several beacon nodes behave as one through loss, return and change of branch."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
import pytest
import trio
from trio.testing import MockClock

from operator_node.beacon import (
    BeaconEvent,
    BeaconPool,
    CommitteeSubscription,
    HeadEvent,
    NodeState,
    SyncSubscription,
    ViewChangedEvent,
)
from operator_node.duties.types import (
    Answer,
    AttestationDataQuery,
    BlockQuery,
    CheckpointView,
)
from sdk.errors import ConfigError
from sdk.types import Address, Epoch, Signature, Slot
from tests.unit.operator_node.beacon.fake_node import (
    SLOT_S,
    FakeNetwork,
    FakeNode,
    hexed,
)
from tests.unit.operator_node.beacon.pools import (
    CHAIN,
    SLOT,
    VOTE_PATH,
    root,
    vote,
    voting,
    with_pool,
)


def test_the_chain_is_that_of_the_first_node_that_answers() -> None:
    async def chain(pool: BeaconPool) -> Any:
        return await pool.connect()

    assert with_pool(chain, FakeNode(is_down=True), FakeNode()) == CHAIN


def test_it_waits_for_a_node() -> None:
    node = FakeNode(is_down=True)

    async def main() -> float:
        network = FakeNetwork(node)
        async with (
            BeaconPool(network.urls, now_ms=lambda: 0, transport=network) as pool,
            trio.open_nursery() as nursery,
        ):

            async def come_up() -> None:
                await trio.sleep(60)
                node.is_down = False

            nursery.start_soon(come_up)
            await pool.connect()
            return trio.current_time()

    took = trio.run(main, clock=MockClock(autojump_threshold=0))
    assert 60 <= took <= 66


def test_a_node_of_another_chain_is_left_out() -> None:
    other = FakeNode({VOTE_PATH: voting(vote(2))}, genesis_root=root(3))
    right = FakeNode({VOTE_PATH: voting(vote(1))})

    async def use(pool: BeaconPool) -> tuple[list[NodeState], Answer]:
        await trio.sleep(1)
        states = [status.state for status in pool.status()]
        deadline_ms = (SLOT * SLOT_S + 4) * 1000
        return states, await pool.answer(AttestationDataQuery(SLOT), deadline_ms=deadline_ms)

    states, answer = with_pool(
        use, other, right, is_running=True, genesis_validators_root=right.genesis_root
    )
    assert states == [NodeState.WRONG_CHAIN, NodeState.SYNCED]
    assert answer == vote(1)
    assert VOTE_PATH not in other.paths()


@pytest.mark.parametrize("count", [0, 17])
def test_too_few_or_many_nodes_are_refused(count: int) -> None:
    with pytest.raises(ConfigError):
        BeaconPool(["http://node"] * count, now_ms=lambda: 0)


def test_a_node_that_comes_back_is_told_everything_again() -> None:
    paths = [
        "/eth/v1/validator/prepare_beacon_proposer",
        "/eth/v1/validator/beacon_committee_subscriptions",
        "/eth/v1/validator/sync_committee_subscriptions",
    ]
    lost, kept = (FakeNode({path: {} for path in paths}) for _ in range(2))

    async def use(pool: BeaconPool) -> list[NodeState]:
        await trio.sleep(1)
        lost.is_down = True
        await pool.prepare_proposers({3: Address(bytes(20))})
        await pool.subscribe_committees((CommitteeSubscription(3, 1, 2, Slot(40), True),))
        await pool.subscribe_sync((SyncSubscription(3, (1, 9), Epoch(9)),))
        await trio.sleep(60)
        down = [status.state for status in pool.status()]
        lost.is_down = False
        await trio.sleep(60)
        return down + [status.state for status in pool.status()]

    states = with_pool(use, lost, kept, is_running=True)
    assert states == [NodeState.UNREACHABLE, *[NodeState.SYNCED] * 3]
    for path in paths:
        assert lost.bodies(path)[-1] == kept.bodies(path)[-1]
    assert lost.bodies(paths[2])[-1] == [
        {"validator_index": "3", "sync_committee_indices": ["1", "9"], "until_epoch": "9"}
    ]


PREPARE = "/eth/v1/validator/prepare_beacon_proposer"


def test_a_node_whose_connection_broke_is_told_again_at_once() -> None:
    """Its probe is due once per slot; a duty's request finds out first."""
    node = FakeNode({PREPARE: {}, VOTE_PATH: voting(vote())})

    async def use(pool: BeaconPool) -> int:
        await pool.prepare_proposers({3: Address(bytes(20))})
        await trio.sleep(1)
        node.is_down = True
        with trio.move_on_after(0.1):
            await pool.answer(AttestationDataQuery(SLOT), deadline_ms=(SLOT * SLOT_S + 4) * 1000)
        node.is_down = False
        told = len(node.bodies(PREPARE))
        await trio.sleep(1)
        return len(node.bodies(PREPARE)) - told

    assert with_pool(use, node, is_running=True) == 1


def test_a_node_that_is_back_knows_who_earns_fees_before_a_block_is_asked_of_it() -> None:
    node = FakeNode({PREPARE: {}})
    block_path = f"/eth/v3/validator/blocks/{SLOT}"

    async def use(pool: BeaconPool) -> None:
        await pool.prepare_proposers({3: Address(bytes(20))})
        query = BlockQuery(SLOT, 3, Signature(bytes(96)), bytes(32))
        for node.is_down in (True, False):
            node.asked.clear()
            deadline_ms = (SLOT * SLOT_S + 2 + trio.current_time()) * 1000
            await pool.answer(query, deadline_ms=int(deadline_ms))

    with_pool(use, node)
    wanted = [path for path in node.paths() if path in (PREPARE, block_path)]
    assert wanted[:2] == [PREPARE, block_path]
    assert wanted.count(PREPARE) == 1


def test_a_syncing_node_is_far_and_its_events_are_heard() -> None:
    prepare = "/eth/v1/validator/prepare_beacon_proposer"
    refusal = (503, {"message": "Node is syncing"})
    node = FakeNode({prepare: {}, VOTE_PATH: refusal})
    node.routes["/eth/v1/node/syncing"] = {
        "data": {"head_slot": "0", "sync_distance": "900", "is_syncing": True}
    }

    async def use(pool: BeaconPool) -> NodeState:
        await pool.prepare_proposers({3: Address(bytes(20))})
        node.routes[prepare] = refusal
        await trio.sleep(5)
        return pool.status()[0].state

    assert with_pool(use, node, is_running=True) is NodeState.FAR
    assert "/eth/v1/events" in node.paths()


def test_the_view_is_known_from_the_epochs_first_moment_on() -> None:
    node = FakeNode({VOTE_PATH: voting(vote())})

    async def use(pool: BeaconPool) -> list[CheckpointView | None]:
        events = pool.subscribe()
        assert isinstance(await events.receive(), ViewChangedEvent)
        return [pool.view(Slot(16)), pool.view(Slot(23)), pool.view(Slot(24))]

    view = CheckpointView(vote().source, vote().target, compare_roots=True)
    assert with_pool(use, node, is_running=True, slot=16) == [view, view, None]


def test_the_view_is_stale_while_no_node_answers() -> None:
    node = FakeNode({VOTE_PATH: voting(vote())})

    async def use(pool: BeaconPool) -> list[CheckpointView | None]:
        events = pool.subscribe()
        await events.receive()
        node.is_down = True
        await events.receive()
        views = [pool.view(SLOT), pool.view(Slot(30))]
        node.is_down = False
        await events.receive()
        return [*views, pool.view(SLOT)]

    source, target = vote().source, vote().target
    stale = CheckpointView(source, target, compare_roots=True, is_stale=True)
    fresh = CheckpointView(source, target, compare_roots=True)
    assert with_pool(use, node, is_running=True) == [stale, stale, fresh]


def test_a_head_of_another_branch_renews_the_view() -> None:
    head = {
        "slot": str(SLOT),
        "block": hexed(root(1)),
        "epoch_transition": False,
        "previous_duty_dependent_root": hexed(root(2)),
        "current_duty_dependent_root": hexed(root(3)),
    }
    node = FakeNode({VOTE_PATH: voting(vote(1))})

    async def use(pool: BeaconPool) -> list[BeaconEvent]:
        events = pool.subscribe()
        heard = [await events.receive()]
        node.routes[VOTE_PATH] = voting(vote(2, source=0))
        stream = b"event: head\ndata: " + msgspec.json.encode(head) + b"\n\n"
        node.routes["/eth/v1/events"] = lambda _: httpx.Response(200, content=stream)
        heard += [await events.receive(), await events.receive()]
        assert pool.view(SLOT) == CheckpointView(
            vote(2, source=0).source, vote().target, compare_roots=True
        )
        return heard

    first, told, renewed = with_pool(use, node, is_running=True)
    assert isinstance(told, HeadEvent)
    assert first == renewed == ViewChangedEvent(SLOT)


def test_status_shows_no_secret() -> None:
    pool = BeaconPool(["http://me:hunter2@node:5052/key/"], now_ms=lambda: 0)
    (status,) = pool.status()
    assert status.name == "node:5052"
    assert "hunter2" not in repr(status)
    assert "key" not in repr(status)


def test_a_fault_of_ours_is_counted_and_the_task_begins_anew(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken = {"is": True}

    def fail(_: httpx.Request) -> httpx.Response:
        if broken["is"]:
            raise ValueError("no trouble that a beacon node makes")
        return httpx.Response(404)

    node = FakeNode({"/eth/v1/events": fail})

    async def use(pool: BeaconPool) -> tuple[int, int]:
        await trio.sleep(20)
        before = pool.restarts
        broken["is"] = False
        await trio.sleep(20)
        return before, pool.restarts

    before, after = with_pool(use, node, is_running=True)
    assert before >= 4
    assert after == before
    assert "events of a:5052 failed and begins anew" in caplog.text
