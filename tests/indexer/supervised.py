"""A whole indexer over nodes that may lie, its tables watched for a lie that is called final."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest
import trio

from indexer.settings import Settings
from indexer.sync import completeness, loop
from indexer.sync.life import run_indexer
from sdk.types import BlockNumber, parse_address
from tests.client.world import World
from tests.indexer import databases
from tests.indexer.faulty import Node
from tests.indexer.indexing import index

PATIENCE_S = 120.0
"""A crowded machine takes its time."""
_FINAL = (
    "SELECT finalized_number, (SELECT array_agg(encode(block_hash, 'hex') || log_index "
    "ORDER BY block_number, log_index) FROM log WHERE block_number <= finalized_number) FROM head "
    "WHERE finalized_number IS NOT NULL"
)
"""The newest final block and all logs up to there, at one moment."""


class Supervised:
    """An indexer and its tables.

    Attributes:
        finals: how often something was called final, and found to be true.
    """

    def __init__(
        self, world: World, url: str, nodes: Sequence[str], *, proves_history: bool = False
    ) -> None:
        self.world = world
        self.url = url
        self.finals = 0
        self._settings = Settings(
            rpc_urls=tuple(nodes),
            registry=parse_address(world.deployed.registry),
            first_block=BlockNumber(world.deployed.start_block),
            database_url=url,
            folder=Path(),
            proves_history=proves_history,
            workers=1,
            poll_s=0.01,
            samples=2,
        )
        self._truth: dict[int, list[str]] = {}

    def run(self, check: Callable[[Supervised], Awaitable[None]]) -> None:
        """Follow for as long as `check` takes."""

        async def main() -> None:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(run_indexer, self._settings)
                nursery.start_soon(self._watch)
                await check(self)
                nursery.cancel_scope.cancel()

        trio.run(main)

    def ask(self, statement: str) -> Any:
        """The one value of a query, None if there is no row."""
        with psycopg.connect(self.url) as connection:
            try:
                row = connection.execute(statement.encode()).fetchone()
            except psycopg.errors.UndefinedTable:
                return None
        return None if row is None else row[0]

    async def until(self, statement: str, wanted: Any) -> None:
        """Wait for a query's answer."""
        with trio.fail_after(PATIENCE_S):
            # The tables announce themselves to databases only.
            while self.ask(statement) != wanted:  # noqa: ASYNC110
                await trio.sleep(0.01)

    async def asked(self, node: Node, method: str) -> None:
        """Wait until a node was asked this a few times more."""
        wanted = node.asked[method] + 5
        with trio.fail_after(PATIENCE_S):
            while node.asked[method] < wanted:  # noqa: ASYNC110 - it speaks HTTP only
                await trio.sleep(0.01)

    async def at_head(self) -> None:
        """Wait until the chain's newest block is in the tables."""
        head = self.world.w3.eth.get_block("latest")
        name = bytes(head["hash"]).hex()
        await self.until("SELECT encode(hash, 'hex') FROM cursor", name)

    async def whole(self) -> None:
        """Wait until everything is read, nothing differs, and the node's final block is final."""
        await self.at_head()
        final = self.world.w3.eth.get_block("finalized")
        await self.until("SELECT finalized_number FROM head", final["number"])
        seen = self.finals
        with trio.fail_after(PATIENCE_S):
            while self.finals == seen:  # noqa: ASYNC110 - as above
                await trio.sleep(0.01)
        assert self.ask("SELECT count(*) FROM suspect WHERE kind = 'audit'") == 0

    def check_rows(self, server: str) -> None:
        """All rows are those of an indexer that asked an honest node."""
        with databases.fresh(server) as other:
            index(self.world, other)
            assert databases.difference(databases.rows(self.url), databases.rows(other)) == ""

    async def _watch(self) -> None:
        """Whatever is called final is true."""
        while True:
            await trio.sleep(0.01)
            with psycopg.connect(self.url) as connection:
                try:
                    row = connection.execute(_FINAL.encode()).fetchone()
                except psycopg.errors.UndefinedTable:
                    continue
            if row is not None:
                assert (row[1] or []) == self._logs(row[0]), f"final up to {row[0]}"
                self.finals += 1

    def _logs(self, number: int) -> list[str]:
        """What the chain has up to a block that is final."""
        if number not in self._truth:
            found = self.world.w3.eth.get_logs(
                {"address": self.world.deployed.registry, "fromBlock": 0, "toBlock": number}
            )
            self._truth[number] = [
                f"{bytes(each['blockHash']).hex()}{each['logIndex']}" for each in found
            ]
        return self._truth[number]


def unsampled(monkeypatch: pytest.MonkeyPatch) -> None:
    """No block of history is proven by luck."""
    monkeypatch.setattr(completeness, "SAMPLED_EMPTY", 0)
    monkeypatch.setattr(completeness, "SAMPLED_FULL", 0)


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Failures are waited out for a moment only."""
    monkeypatch.setattr(loop, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(loop, "LONGEST_PAUSE_S", 0.05)
