"""The API with the explorer on it, over tables that a test fills, behind a real socket.

The server runs in a thread of its own, and so does the indexer whenever the tables are to go on:
Playwright keeps an event loop in the thread of the tests.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from queue import Queue
from threading import Thread
from typing import Any, Final

import trio

from indexer.api.app import Manners
from indexer.app import serve
from indexer.app_options import ApiSettings
from tests.indexer import databases
from tests.indexer.api.world import set_head
from tests.indexer.chain import Chain
from tests.indexer.following import Following

PORTS: Final = range(23_000, 23_999)
PATIENCE_S: Final = 60
UNLIMITED: Final = Manners(burst=1_000_000, per_second=1e6)


@dataclass
class Site:
    """Pages about a chain.

    Attributes:
        address: `http://host:port`.
        database: the tables' address.
        stop: ends the server; the tables stay.
    """

    address: str
    database: str
    chain: Chain
    stop: Callable[[], None]

    def follow(self) -> None:
        """Bring the tables to the chain's head."""
        follow(self.database, self.chain)

    def mine(self, *lines: int) -> None:
        """One block per number, and the tables with them."""
        self.chain.mine(*lines)
        self.follow()

    def reorganise(self, depth: int, *lines: int) -> None:
        """Other blocks in the place of the last ones, in the tables, too."""
        self.chain.reorganise(depth, *lines)
        self.follow()


@contextmanager
def site(server: str, chain: Chain, *, name: str, limits: Manners = UNLIMITED) -> Iterator[Site]:
    """A database with a chain's tables, and a server over them.

    Args:
        server: of Postgres, prepared by `databases.prepare`.
        chain: may have no block yet; then the tables are empty.
        name: of the database.
        limits: towards those who ask.
    """
    with databases.fresh(server, name=name) as url:
        if chain.blocks:
            follow(url, chain)
        with served(url, limits) as (address, stop):
            yield Site(address, url, chain, stop)


@contextmanager
def served(
    database: str, limits: Manners = UNLIMITED, *, settings: ApiSettings | None = None
) -> Iterator[tuple[str, Callable[[], None]]]:
    """A server over some tables: its address, and what ends it."""
    begun: Queue[tuple[str, trio.lowlevel.TrioToken, trio.CancelScope]] = Queue()

    async def run() -> None:
        async with trio.open_nursery() as nursery:
            start = partial(
                serve,
                database_url=database,
                host="127.0.0.1",
                port=_free_port(),
                manners=limits,
                settings=settings or ApiSettings(),
                connections=8,
            )
            port = await nursery.start(start)
            token = trio.lowlevel.current_trio_token()
            begun.put((f"http://127.0.0.1:{port}", token, nursery.cancel_scope))

    thread = _Watched(lambda: trio.run(run))
    thread.start()
    address, token, scope = begun.get(timeout=PATIENCE_S)

    def stop() -> None:
        if thread.is_alive():
            token.run_sync_soon(scope.cancel)
            thread.finish()

    try:
        yield address, stop
    finally:
        stop()


def follow(url: str, chain: Chain) -> None:
    """Bring a database's tables to a chain's head."""

    def work() -> None:
        with Following(url, transport=chain.transport) as following:
            following.take()

    thread = _Watched(work)
    thread.start()
    thread.finish()
    set_head(url, chain)


class _Watched(Thread):
    """A thread whose failure is raised where it is waited for."""

    def __init__(self, work: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self._work = work
        self._failure: BaseException | None = None

    def run(self) -> None:
        try:
            self._work()
        except BaseException as failure:  # carried to the thread that waits
            self._failure = failure

    def finish(self) -> None:
        """Wait for its end."""
        self.join(PATIENCE_S)
        if self._failure is not None:
            raise self._failure
        if self.is_alive():
            raise TimeoutError("the thread did not end")


def _free_port() -> int:
    for port in PORTS:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise AssertionError("no port is free")
