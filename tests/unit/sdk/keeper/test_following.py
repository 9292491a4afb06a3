"""Following: history in one go, a turn per block, reorganisations of any depth, nodes that fail."""

from __future__ import annotations

import json
import random
from itertools import pairwise

import httpx
import pytest
import trio
import trio.testing

from sdk.chain import Rpc
from sdk.errors import ChainError, NetworkError
from sdk.keeper.following import follow
from sdk.registry import RegistryState
from sdk.types import BlockNumber
from tests.indexer.chain import CONTRACT, FIRST, Chain
from tests.unit.sdk.keeper.following import Onlooker, following, reach


def chain_of(seed: int, blocks: int) -> Chain:
    chain = Chain()
    chance = random.Random(seed)
    chain.mine(*(chance.randrange(10**6) for _ in range(blocks)))
    return chain


def read_anew(chain: Chain) -> RegistryState:
    """The state of somebody who comes only now."""
    onlooker = Onlooker()

    async def run() -> None:
        async with following(chain, onlooker):
            await reach(chain, onlooker)

    trio.run(run)
    return onlooker.turns[-1].book.state


@pytest.mark.parametrize("seed", range(4))
def test_after_any_reorganisations_the_state_is_that_of_a_fresh_start(seed: int) -> None:
    chain, onlooker, chance = chain_of(seed, 150), Onlooker(), random.Random(seed)

    async def run() -> None:
        async with following(chain, onlooker):
            await reach(chain, onlooker)
            for _ in range(15):
                fresh = [chance.randrange(10**6) for _ in range(chance.randrange(1, 4))]
                if chance.random() < 0.5:
                    depth = chance.choice((1, 2, 5, 30, 100))
                    chain.reorganise(depth, *fresh, *range(depth))
                else:
                    chain.mine(*fresh)
                await reach(chain, onlooker)

    trio.run(run)
    assert onlooker.turns[-1].book.state == read_anew(chain)
    fresh = [turn for turn in onlooker.turns[1:] if turn.is_fresh]
    assert fresh
    assert all(turn.undone_to is not None for turn in fresh)


def test_history_is_one_turn_and_every_later_block_another() -> None:
    chain, onlooker = chain_of(1, 200), Onlooker()

    async def run() -> None:
        async with following(chain, onlooker):
            await reach(chain, onlooker)
            assert len(onlooker.turns) == 1
            for number in range(3):
                chain.mine(number)
                await reach(chain, onlooker)

    trio.run(run)
    assert [turn.is_fresh for turn in onlooker.turns] == [True, False, False, False]
    assert [turn.block for turn in onlooker.turns] == [199, 200, 201, 202]


def test_deeper_than_can_be_undone_is_read_again_from_the_beginning() -> None:
    chain, onlooker = chain_of(2, 180), Onlooker()

    async def run() -> None:
        async with following(chain, onlooker):
            await reach(chain, onlooker)
            chain.reorganise(150, *range(151))
            await reach(chain, onlooker)

    trio.run(run)
    assert onlooker.turns[-1].undone_to == FIRST - 1
    assert onlooker.turns[-1].book.state == read_anew(chain)


def test_a_node_that_fails_is_asked_again_later_and_later() -> None:
    chain, onlooker = chain_of(3, 20), Onlooker()
    asked: list[float] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(trio.current_time())
        if len(asked) <= 4:
            return httpx.Response(503)
        return httpx.Response(200, content=chain.respond(request.content))

    async def run() -> None:
        async with trio.open_nursery() as nursery:
            rpc = Rpc(["http://n"], transport=httpx.MockTransport(answer))
            nursery.start_soon(
                lambda: follow(
                    rpc,
                    registry=CONTRACT,
                    first_block=BlockNumber(FIRST),
                    act=onlooker.act,
                    voice=onlooker,
                )
            )
            await reach(chain, onlooker, patience_s=1e9)
            nursery.cancel_scope.cancel()

    trio.run(run, clock=trio.testing.MockClock(autojump_threshold=0))
    pauses = [round(later - earlier) for earlier, later in pairwise(asked[:4])]
    assert pauses == [1, 2, 4]
    assert [facts["code"] for _, facts in onlooker.lines[:4]] == ["rpc_unreachable"] * 4


def test_whoever_looks_once_is_told_instead_of_waiting() -> None:
    chain, onlooker = chain_of(4, 2), Onlooker()

    def once(transport: httpx.MockTransport) -> None:
        async def run() -> None:
            async with Rpc(["http://n"], transport=transport) as rpc:
                await follow(
                    rpc,
                    registry=CONTRACT,
                    first_block=BlockNumber(FIRST),
                    act=onlooker.act,
                    voice=onlooker,
                    is_once=True,
                )

        trio.run(run)

    with pytest.raises(ChainError) as early:
        once(chain.transport)
    assert early.value.code == "not_deployed"
    with pytest.raises(NetworkError):
        once(httpx.MockTransport(lambda request: httpx.Response(503, content=json.dumps({}))))
    assert onlooker.turns == []
