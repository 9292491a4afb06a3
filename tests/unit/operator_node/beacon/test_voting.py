"""Nodes that differ: who is believed, what is kept of the others, and when nobody is."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import trio

from operator_node.beacon import BeaconPool, NodeState
from operator_node.duties.reasons import Reason
from operator_node.duties.types import Answer, AttestationDataQuery, CheckpointView, Unavailable
from operator_node.wire.values import BeaconVote, Checkpoint
from sdk.types import Slot
from tests.unit.operator_node.beacon.fake_node import SLOT_S, FakeNode, hexed
from tests.unit.operator_node.beacon.pools import (
    EPOCH,
    SLOT,
    VOTE_PATH,
    asked,
    attestation_data,
    root,
    vote,
    voting,
    with_pool,
)

SETTLED = Slot(SLOT + 1)
"""The third slot of the epoch."""
QUERY = AttestationDataQuery(SLOT)


def version(name: str) -> dict[str, Any]:
    return {"/eth/v1/node/version": {"data": {"version": f"{name}/v1"}}}


def with_target(number: int) -> BeaconVote:
    return BeaconVote(root(1), vote().source, Checkpoint(EPOCH, root(number)))


def header(request: httpx.Request) -> Any:
    """Root n is the block of slot n."""
    slot = int(request.url.path[-2:], 16)
    return {"data": {"header": {"message": {"slot": str(slot)}}}}


def test_the_preferred_node_wins_a_tie_also_when_it_is_slower() -> None:
    first = FakeNode({VOTE_PATH: voting(vote(1))})
    quick = FakeNode({VOTE_PATH: voting(vote(2))})

    async def use(pool: BeaconPool) -> Answer:
        first.delay_s = 0.01
        return await pool.answer(QUERY, deadline_ms=(SLOT * SLOT_S + 4) * 1000)

    assert with_pool(use, first, quick) == vote(1)


@pytest.mark.parametrize("newer", [0, 1])
def test_a_head_that_no_event_told_of_is_looked_up(newer: int) -> None:
    heads = [vote(15), vote(15)]
    heads[newer] = vote(16)
    nodes = [
        FakeNode(
            {VOTE_PATH: voting(head), f"/eth/v1/beacon/headers/{hexed(head.block_root)}": header}
        )
        for head in heads
    ]
    assert asked(QUERY, *nodes) == vote(16)


def test_nothing_is_looked_up_where_all_name_one_head() -> None:
    nodes = [FakeNode({VOTE_PATH: voting(vote())}) for _ in range(2)]
    assert asked(QUERY, *nodes) == vote()
    assert not [path for node in nodes for path in node.paths() if "headers" in path]


def test_a_lookup_that_hangs_holds_up_nothing_for_long() -> None:
    nodes = [FakeNode({VOTE_PATH: voting(vote(head))}) for head in (1, 2)]

    async def use(pool: BeaconPool) -> tuple[Answer, float]:
        for node in nodes:
            node.delay_s = 0.4  # the header comes after its limit, the vote within its own
        began = trio.current_time()
        answer = await pool.answer(QUERY, deadline_ms=(SLOT * SLOT_S + 4) * 1000)
        return answer, round(trio.current_time() - began, 2)

    assert with_pool(use, *nodes) == (vote(1), 0.7)


def test_all_offers_are_kept_with_what_was_taken() -> None:
    old, new = (
        FakeNode({VOTE_PATH: voting(vote(1, source=0))}),
        FakeNode({VOTE_PATH: voting(vote(2)), **version("Teku")}),
    )

    async def use(pool: BeaconPool) -> list[tuple[str, str, BeaconVote, int, bool]]:
        await trio.sleep(1)
        old.delay_s = 0.04
        await pool.answer(QUERY, deadline_ms=(SLOT * SLOT_S + 4) * 1000)
        return [
            (each.node, each.client, each.vote, each.took_ms, each.was_chosen)
            for each in pool.candidates(SLOT)
        ]

    assert with_pool(use, old, new, is_running=True) == [
        ("a:5052", "Fake/v1", vote(1, source=0), 40, False),
        ("b:5052", "Teku/v1", vote(2), 0, True),
    ]


def held(*nodes: FakeNode, slot: Slot) -> tuple[Answer, CheckpointView | None]:
    async def use(pool: BeaconPool) -> tuple[Answer, CheckpointView | None]:
        deadline_ms = (slot * SLOT_S + 4) * 1000
        answer = await pool.answer(AttestationDataQuery(slot), deadline_ms=deadline_ms)
        return answer, pool.view(slot)

    return with_pool(use, *nodes, slot=slot)


def test_two_nodes_with_another_root_for_the_target_hold_the_epoch_once_it_is_settled() -> None:
    nodes = [FakeNode({VOTE_PATH: voting(with_target(number))}) for number in (20, 21)]
    answer, view = held(*nodes, slot=SLOT)
    assert answer == with_target(20)
    assert view == CheckpointView(vote().source, with_target(20).target, compare_roots=True)
    answer, view = held(*nodes, slot=SETTLED)
    assert isinstance(answer, Unavailable)
    assert answer.reason is Reason.FORK_HOLD
    assert view is not None
    assert view.target.epoch != EPOCH


def test_a_held_epoch_goes_on_once_the_nodes_agree(caplog: pytest.LogCaptureFixture) -> None:
    right, wrong = (FakeNode({VOTE_PATH: voting(with_target(number))}) for number in (20, 21))

    async def use(pool: BeaconPool) -> list[CheckpointView | None]:
        await trio.sleep(2)
        before = pool.view(SETTLED)
        wrong.routes[VOTE_PATH] = voting(with_target(20))
        await trio.sleep(2)
        return [before, pool.view(SETTLED)]

    before, after = with_pool(use, right, wrong, is_running=True, slot=SETTLED)
    assert before is not None
    assert before.target.epoch != EPOCH
    assert after == CheckpointView(vote().source, with_target(20).target, compare_roots=True)
    assert caplog.text.count("contradict each other") == 1


def test_a_node_without_data_for_the_running_slot_is_of_no_use_to_duties() -> None:
    broken = FakeNode({VOTE_PATH: (500, {"message": "oh"})})
    good = FakeNode({VOTE_PATH: voting(vote())})

    async def use(pool: BeaconPool) -> list[NodeState]:
        await trio.sleep(2)
        return [each.state for each in pool.status()]

    assert with_pool(use, broken, good, is_running=True) == [NodeState.FAR, NodeState.SYNCED]


def test_a_node_that_times_out_on_a_duty_is_of_no_use_to_duties() -> None:
    late, good = FakeNode({VOTE_PATH: voting(vote())}), FakeNode({VOTE_PATH: voting(vote())})

    def time_out(request: httpx.Request) -> Any:
        raise httpx.ConnectTimeout("no route", request=request)

    async def use(pool: BeaconPool) -> list[NodeState]:
        await trio.sleep(2)
        late.routes[VOTE_PATH] = time_out
        await pool.answer(QUERY, deadline_ms=(SLOT * SLOT_S + 6) * 1000)
        return [each.state for each in pool.status()]

    assert with_pool(use, late, good, is_running=True) == [NodeState.FAR, NodeState.SYNCED]


def test_a_lagging_node_fills_in_where_the_synced_one_brings_nothing() -> None:
    synced = FakeNode({VOTE_PATH: voting(vote(1))})
    behind = {"data": {"head_slot": "0", "sync_distance": "6", "is_syncing": True}}
    lagging = FakeNode({VOTE_PATH: voting(vote(2)), "/eth/v1/node/syncing": behind})

    async def use(pool: BeaconPool) -> list[Answer]:
        await trio.sleep(2)
        count = lagging.paths().count(VOTE_PATH)
        deadline_ms = (SLOT * SLOT_S + 6) * 1000
        answers = [await pool.answer(QUERY, deadline_ms=deadline_ms)]
        assert lagging.paths().count(VOTE_PATH) == count
        synced.delay_s = 100
        answers.append(await pool.answer(QUERY, deadline_ms=deadline_ms))
        return answers

    assert with_pool(use, synced, lagging, is_running=True) == [vote(1), vote(2)]


def test_a_question_of_a_past_slot_that_is_refused_says_nothing_of_the_node() -> None:
    refused = (400, {"message": "slot is too old"})
    node = FakeNode(
        {
            VOTE_PATH: lambda request: (
                refused
                if request.url.params["slot"] != str(SLOT)
                else {"data": attestation_data(vote())}
            )
        }
    )

    async def use(pool: BeaconPool) -> list[NodeState]:
        await trio.sleep(2)
        deadline_ms = (SLOT * SLOT_S + 6) * 1000
        await pool.answer(AttestationDataQuery(Slot(SLOT - 1)), deadline_ms=deadline_ms)
        return [each.state for each in pool.status()]

    assert with_pool(use, node, is_running=True) == [NodeState.SYNCED]
