"""The indexer of the local network: one process that follows the registry, one that serves it.

Started with the same commands as anywhere else, on a Postgres of their own in the network's folder.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import trio

from deploy.devnet.operators import PHALANX, environment
from deploy.devnet.ports import free_ports
from deploy.devnet.postgres import end_left_postgres
from deploy.devnet.process import Child
from deploy.devnet.registry import LocalRegistry
from deploy.devnet.rest import ask
from sdk.errors import BeaconError, NetworkError

PATIENCE_S: Final = 90.0
"""Postgres makes its files, and the history is read, on cores that the whole network shares."""
POLL_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class LocalIndexer:
    """The registry in Postgres, and its API with the explorer.

    Attributes:
        follower: the process that writes.
        server: the process that answers.
        url: of the API; pages for people are at its root.
    """

    follower: Child
    server: Child
    url: str

    async def ask(self, path: str, **query: object) -> Any:
        """A route of its API.

        Raises:
            NetworkError: no answer, or a refusal.
        """
        try:
            return await ask(self.url, f"{path}?{urlencode(query)}" if query else path)
        except BeaconError as problem:
            raise NetworkError(f"{self.server.name} does not answer {path}: {problem}") from problem

    async def until_ready(self, *, patience_s: float) -> None:
        """Returns once the API tells the registry's state.

        Raises:
            NetworkError: it does not in time.
            ProcessEnded: one of the two has ended.
        """
        with trio.move_on_after(patience_s):
            while True:
                self.follower.check()
                self.server.check()
                try:
                    await self.ask("/v1/network")
                except NetworkError:
                    await trio.sleep(POLL_S)
                else:
                    return
        raise NetworkError(
            f"{self.server.name} does not answer within {patience_s:g} s",
            hint=f"Its log is {self.server.log}, the follower's is {self.follower.log}.",
        )


@asynccontextmanager
async def running_indexer(
    registry: LocalRegistry,
    folder: Path,
    *,
    port: int | None = None,
    beacon_url: str | None = None,
) -> AsyncIterator[LocalIndexer]:
    """An indexer of the network's registry; gone with the block. It may not be ready yet.

    Args:
        registry: deployed, with its chain.
        folder: gets `indexer` with database and logs.
        port: of the API, a free one if None.
        beacon_url: beacon node that the explorer asks; it may start later.

    Raises:
        NetworkError: the program is not installed.
    """
    home = folder / "indexer"
    port = port or free_ports(1)[0]
    data = ("--data", home / "data")
    node = ("--rpc", registry.chain.url)
    place = ("--registry", registry.deployment.registry)
    start = ("--start-block", str(registry.deployment.start_block))
    follow = (PHALANX, "indexer", "run", *node, *place, *start, *data)
    asked = () if beacon_url is None else ("--beacon", beacon_url)
    serve = (PHALANX, "indexer", "api", "--listen", f"127.0.0.1:{port}", *node, *asked, *data)
    indexer = LocalIndexer(
        Child("indexer", follow, folder=home, environment=environment()),
        Child("indexer api", serve, folder=home, environment=environment()),
        f"http://127.0.0.1:{port}",
    )
    try:
        indexer.follower.start()
        indexer.server.start()
        yield indexer
    finally:
        # The last one that uses the database stops it, which is the one that writes.
        await indexer.server.stop()
        await indexer.follower.stop()
        with trio.CancelScope(shield=True):  # left if it was killed
            await trio.to_thread.run_sync(end_left_postgres, home / "data")
