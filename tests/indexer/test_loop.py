"""The loop itself: pipeline, restarts, rollbacks beyond memory, nodes and databases that fail."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg
import pytest
import trio

from indexer.metrics import Metrics
from indexer.sync import Sync
from indexer.sync.verdicts import Judges
from sdk.chain import Point, Rpc
from sdk.errors import ChainError, StorageError
from sdk.registry import SignatureVerdict
from tests.indexer import databases
from tests.indexer.chain import Chain
from tests.indexer.following import IDENTITY, Following, verdict

pytestmark = pytest.mark.slow
PATIENCE_S = 60.0


class Believing(Judges):
    """Takes the shares' own word."""

    def __init__(self) -> None:
        super().__init__(None)

    async def judge(self, claims: Any) -> list[SignatureVerdict]:
        return [verdict(claim) for claim in claims]


class Loop:
    """A loop over a chain in memory, driven until the tables are where they should be."""

    def __init__(self, chain: Chain, url: str) -> None:
        self.chain = chain
        self.url = url
        self.metrics = Metrics()
        self.reached = b""
        self.fails: Callable[[bytes], bytes | None] = lambda body: None

    def respond(self, request: httpx.Request) -> httpx.Response:
        answer = self.fails(request.content)
        return httpx.Response(200, content=answer or self.chain.respond(request.content))

    def run(self, *moves: Callable[[], None]) -> None:
        """Catch up, then after each move again."""

        async def main() -> None:
            transport = httpx.MockTransport(self.respond)
            async with Rpc(["http://node"], transport=transport) as rpc:
                sync = Sync(
                    rpc,
                    self.url,
                    IDENTITY,
                    judges=Believing(),
                    metrics=self.metrics,
                    pause=trio.lowlevel.checkpoint,
                    advanced=self.advance,
                )
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(sync.run)
                    await self._caught_up()
                    for move in moves:
                        move()
                        await self._caught_up()
                    nursery.cancel_scope.cancel()

        trio.run(main)

    def advance(self, tip: Point) -> None:
        self.reached = tip.hash

    async def _caught_up(self) -> None:
        name = bytes.fromhex(self.chain.blocks[-1]["hash"][2:])
        with trio.fail_after(PATIENCE_S):
            while self.reached != name:  # noqa: ASYNC110
                await trio.sleep(0.002)


@pytest.fixture
def chain() -> Chain:
    made = Chain(busy=0.5, safe=3)
    made.mine(*range(50))
    return made


@contextmanager
def fresh_rows(server: str, chain: Chain) -> Iterator[databases.Rows]:
    with databases.fresh(server) as other:
        with Following(other, transport=chain.transport) as following:
            following.take()
        yield databases.rows(other)


def check(server: str, chain: Chain, url: str) -> None:
    with fresh_rows(server, chain) as expected:
        assert databases.difference(databases.rows(url), expected) == ""


def ask(url: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(statement.encode()).fetchall()


def test_it_follows_blocks_and_reorganisations(server: str, url: str, chain: Chain) -> None:
    loop = Loop(chain, url)
    loop.run(
        lambda: chain.mine(*range(100, 110)),
        lambda: chain.reorganise(8, *range(200, 212)),
        lambda: chain.reorganise(1, 300, 301),
    )
    check(server, chain, url)
    assert loop.metrics.reorgs._value.get() == 2
    assert loop.metrics.failures._value.get() == 0
    assert ask(url, "SELECT count(*) FROM reorg") == [(2,)]


def test_after_a_restart_it_goes_back_by_the_tables(server: str, url: str, chain: Chain) -> None:
    Loop(chain, url).run()
    chain.reorganise(20, *range(400, 430))
    again = Loop(chain, url)
    again.run(lambda: chain.mine(500))
    check(server, chain, url)
    assert again.metrics.failures._value.get() == 0
    assert ask(url, "SELECT old_number - number FROM reorg") == [(20,)]


def test_a_database_that_ends_the_connection_is_opened_again(
    server: str, url: str, chain: Chain
) -> None:
    def end_all() -> None:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE datname LIKE 'test%' AND pid <> pg_backend_pid()"
            )
        chain.mine(*range(600, 605))

    loop = Loop(chain, url)
    loop.run(end_all)
    check(server, chain, url)
    assert loop.metrics.failures._value.get() >= 1


def test_a_node_that_fails_is_asked_again(server: str, url: str, chain: Chain) -> None:
    loop = Loop(chain, url)
    refusals = iter([b"no JSON", b'{"jsonrpc":"2.0","id":0,"error":{"code":1,"message":"busy"}}'])
    loop.fails = lambda body: next(refusals, None)
    loop.run(lambda: chain.mine(700))
    check(server, chain, url)
    assert loop.metrics.failures._value.get() >= 1


def test_a_change_below_all_that_is_remembered_ends_it(url: str) -> None:
    chain = Chain(busy=0.05)
    chain.mine(*range(200))
    loop = Loop(chain, url)
    with pytest.raises(BaseExceptionGroup) as caught:
        loop.run(lambda: chain.reorganise(150, *range(800, 960)))
    assert caught.group_contains(ChainError, match="differs below block")


def test_a_second_loop_ends(url: str, chain: Chain) -> None:
    with Following(url, transport=chain.transport), pytest.raises(BaseExceptionGroup) as caught:
        Loop(chain, url).run()
    assert caught.group_contains(StorageError, match="another process")


def test_only_our_own_blocks_are_called_final(url: str, chain: Chain) -> None:
    loop = Loop(chain, url)
    loop.run(lambda: chain.mine(900))
    head = chain.head
    tables = "SELECT number, safe_number, finalized_number, is_caught_up FROM head"
    assert ask(url, tables) == [(head, head - 3, head - 6, True)]

    def elsewhere(body: bytes) -> bytes | None:
        if b'"safe"' not in body and b'"finalized"' not in body:
            return None
        strange = chain.blocks[-1] | {"hash": "0x" + "99" * 32}
        asked = json.loads(body)
        return json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": strange}).encode()

    loop = Loop(chain, url)
    loop.fails = elsewhere
    loop.run(lambda: chain.mine(901))
    assert ask(url, tables) == [(head + 1, head - 3, head - 6, True)]


def test_what_is_undone_is_not_final_any_more(url: str, chain: Chain) -> None:
    loop = Loop(chain, url)
    chain.safe = 1
    loop.run(lambda: chain.mine(910), lambda: chain.reorganise(12, *range(920, 934)))
    [(safe, finalized)] = ask(url, "SELECT safe_number, finalized_number FROM head")
    names = {int(each["number"], 16): each["hash"][2:] for each in chain.blocks}
    held = ask(url, "SELECT encode(safe_hash, 'hex'), encode(finalized_hash, 'hex') FROM head")
    assert held == [(names[safe], names[finalized])]
