"""Attestation data comes from whichever node has it, once for all committees of a slot."""

from __future__ import annotations

import httpx
import pytest
import trio

from operator_node.beacon import (
    BeaconPool,
)
from operator_node.duties.reasons import Reason
from operator_node.duties.types import (
    Answer,
    AttestationDataQuery,
    Unavailable,
)
from operator_node.wire.values import BeaconVote, Checkpoint
from tests.unit.operator_node.beacon.fake_node import (
    SLOT_S,
    FakeNode,
)
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


def test_one_node_is_enough() -> None:
    assert asked(AttestationDataQuery(SLOT), FakeNode({VOTE_PATH: voting(vote())})) == vote()


def test_newer_checkpoints_win() -> None:
    old, new = (
        FakeNode({VOTE_PATH: voting(vote(1, source=0))}),
        FakeNode({VOTE_PATH: voting(vote(2))}),
    )
    assert asked(AttestationDataQuery(SLOT), old, new) == vote(2)


@pytest.mark.parametrize(
    "bad",
    [
        FakeNode(is_down=True),
        FakeNode({VOTE_PATH: (503, {"message": "syncing"})}),
        FakeNode({VOTE_PATH: {"data": {"slot": "17"}}}),
        FakeNode({VOTE_PATH: {"data": attestation_data(vote(9), slot=16)}}),
        FakeNode({VOTE_PATH: httpx.Response(200, content=b"<html>")}),
        FakeNode({VOTE_PATH: voting(vote(9))}, delay_s=1.2),
    ],
)
def test_another_node_fills_in(bad: FakeNode) -> None:
    good = FakeNode({VOTE_PATH: voting(vote())})
    assert asked(AttestationDataQuery(SLOT), bad, good) == vote()


def test_three_that_contradict_each_other_are_not_believed() -> None:
    nodes = {
        name: FakeNode(
            {VOTE_PATH: voting(BeaconVote(root(1), vote().source, Checkpoint(EPOCH, root(n))))}
        )
        for n, name in enumerate("abc", 20)
    }
    answer = asked(AttestationDataQuery(SLOT), *nodes.values())
    assert isinstance(answer, Unavailable)
    assert answer.reason is Reason.FORK_HOLD


@pytest.mark.parametrize(
    ("node", "reason"),
    [
        (
            FakeNode({VOTE_PATH: (500, {"message": "Requested slot is in the future"})}),
            Reason.BN_STALE_HEAD,
        ),
        (FakeNode({VOTE_PATH: (503, {"message": "syncing"})}), Reason.BN_STALE_HEAD),
        (FakeNode({VOTE_PATH: voting(vote())}, delay_s=2), Reason.BN_LATE),
    ],
)
def test_a_duty_is_told_why_there_is_no_answer(node: FakeNode, reason: Reason) -> None:
    answer = asked(AttestationDataQuery(SLOT), node)
    assert isinstance(answer, Unavailable)
    assert answer.reason is reason


def test_a_node_that_went_down_is_said_to_be_down() -> None:
    node = FakeNode({VOTE_PATH: voting(vote())})

    async def use(pool: BeaconPool) -> Answer:
        node.is_down = True
        deadline_ms = (SLOT * SLOT_S + 4) * 1000
        return await pool.answer(AttestationDataQuery(SLOT), deadline_ms=deadline_ms)

    answer = with_pool(use, node)
    assert isinstance(answer, Unavailable)
    assert answer.reason is Reason.BN_DOWN


def test_a_question_is_repeated_until_there_is_an_answer() -> None:
    tries = iter([(500, {"message": "in the future"})] * 2)
    node = FakeNode({VOTE_PATH: lambda request: next(tries, None) or voting(vote())(request)})
    assert asked(AttestationDataQuery(SLOT), node) == vote()
    assert node.paths().count(VOTE_PATH) == 3


def test_nothing_is_waited_for_after_the_deadline() -> None:
    answer = asked(AttestationDataQuery(SLOT), FakeNode({VOTE_PATH: voting(vote())}), seconds=-1.0)
    assert isinstance(answer, Unavailable)


def test_all_committees_of_a_slot_share_one_request() -> None:
    node = FakeNode({VOTE_PATH: voting(vote())}, delay_s=0.1)

    async def use(pool: BeaconPool) -> list[Answer]:
        answers: list[Answer] = []

        async def ask() -> None:
            deadline_ms = (SLOT * SLOT_S + 4) * 1000
            answers.append(await pool.answer(AttestationDataQuery(SLOT), deadline_ms=deadline_ms))

        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(ask)
        return answers

    assert with_pool(use, node) == [vote()] * 20
    assert node.paths().count(VOTE_PATH) == 1


def test_once_the_epoch_is_over_what_was_said_in_it_counts() -> None:
    said = [vote(), vote(2, source=2)]
    node = FakeNode({VOTE_PATH: lambda request: voting(said[0])(request)})

    async def use(pool: BeaconPool) -> tuple[Answer, Answer]:
        query, deadline_ms = AttestationDataQuery(SLOT), (SLOT + 32) * SLOT_S * 1000
        before = await pool.answer(query, deadline_ms=deadline_ms)
        del said[0]  # the beacon node's justified checkpoint is another one by now
        await trio.sleep((24 - SLOT) * SLOT_S)
        return before, await pool.answer(query, deadline_ms=deadline_ms)

    assert with_pool(use, node) == (vote(), vote())


def test_data_from_the_next_epochs_state_is_not_voted_for() -> None:
    said = [vote(), vote(source=EPOCH)]
    node = FakeNode({VOTE_PATH: lambda request: voting(said.pop(0))(request)})

    async def use(pool: BeaconPool) -> tuple[Answer, Answer]:
        query, deadline_ms = AttestationDataQuery(SLOT), (SLOT + 4) * SLOT_S * 1000
        before = await pool.answer(query, deadline_ms=deadline_ms)
        return before, await pool.answer(query, deadline_ms=deadline_ms)

    assert with_pool(use, node) == (vote(), vote())
    assert not said


def test_nothing_but_another_epochs_data_is_no_answer() -> None:
    node = FakeNode({VOTE_PATH: voting(vote(source=EPOCH))})
    answer = asked(AttestationDataQuery(SLOT), node)
    assert isinstance(answer, Unavailable)
    assert answer.reason is Reason.BN_STALE_HEAD


def test_another_node_is_waited_for_where_the_quick_one_has_another_epochs_data() -> None:
    quick = FakeNode({VOTE_PATH: voting(vote(source=EPOCH))})
    slow = FakeNode({VOTE_PATH: voting(vote())}, delay_s=0.8)
    assert asked(AttestationDataQuery(SLOT), quick, slow) == vote()


def test_a_reserve_is_asked_where_the_synced_node_has_another_epochs_data() -> None:
    synced = FakeNode({VOTE_PATH: voting(vote(source=EPOCH))})
    behind = {"data": {"head_slot": "0", "sync_distance": "6", "is_syncing": True}}
    lagging = FakeNode({VOTE_PATH: voting(vote(2)), "/eth/v1/node/syncing": behind})

    async def use(pool: BeaconPool) -> Answer:
        await trio.sleep(2)
        deadline_ms = (SLOT * SLOT_S + 6) * 1000
        return await pool.answer(AttestationDataQuery(SLOT), deadline_ms=deadline_ms)

    assert with_pool(use, synced, lagging, is_running=True) == vote(2)
