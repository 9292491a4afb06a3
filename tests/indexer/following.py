"""An indexer of a chain in memory, step by step in one thread, with a restart whenever wanted."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Any, Self

import httpx
import psycopg
import trio

from indexer.project import Replay, decoded
from indexer.store import Identity, Writer, load
from indexer.sync.loop import EVERY_TOPIC
from sdk.chain import CaughtUp, Extend, Follower, LogReader, Rollback, Rpc, TooDeep
from sdk.registry import NonceClaim, SignatureVerdict
from sdk.types import BlockNumber
from tests.indexer.chain import CHAIN_ID, CONTRACT, FIRST, is_signed

IDENTITY = Identity(CHAIN_ID, CONTRACT, BlockNumber(FIRST))
MOST_STEPS = 100_000


def verdict(claim: NonceClaim | None) -> SignatureVerdict:
    """As the shares say themselves."""
    if claim is None:
        return SignatureVerdict.UNCHECKED
    return SignatureVerdict.VALID if is_signed(claim.signature) else SignatureVerdict.INVALID


class Following:
    """An indexer that goes on where its tables are.

    Attributes:
        reloads: how often a rollback needed the tables, because memory did not reach back.
    """

    def __init__(
        self,
        url: str,
        *,
        node: str = "http://node",
        transport: httpx.AsyncBaseTransport | None = None,
        distance: int = 0,
        widest: int | None = None,
    ) -> None:
        self.writer = Writer(url, IDENTITY)
        self.reloads = 0
        self._node = node
        self._transport = transport
        self._widest = widest
        loaded = load(self.writer.connection)
        self.replay = Replay(loaded.state, loaded.tip)
        self.follower = Follower(BlockNumber(FIRST), points=loaded.points, distance=distance)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.writer.close()

    def take(self, most: int = MOST_STEPS) -> int:
        """So many steps of the chain, or until nothing is left; how many it were."""
        return trio.run(partial(self._take, most))

    async def _take(self, most: int) -> int:
        async with Rpc([self._node], transport=self._transport) as rpc:
            reader = LogReader(
                rpc, self.follower, address=CONTRACT, timed=EVERY_TOPIC, pause=trio.sleep_forever
            )
            if self._widest is not None:
                reader._width.blocks = self._widest
            for taken in range(most):
                if not self._apply(await reader.step()):
                    return taken
        return most

    def _apply(self, step: Extend | Rollback | TooDeep | CaughtUp) -> bool:
        match step:
            case CaughtUp():
                return False
            case Extend():
                found = decoded(step.logs)
                verdicts = [verdict(claim) for claim in self.replay.claims(found)]
                is_live = step.tip.number >= step.target
                batch = self.replay.extend(step, found, verdicts, with_digest=is_live)
                self.writer.extend(batch)
            case Rollback(to=to):
                before = self.replay.tip
                assert before is not None
                digest = self.replay.roll_back(to)
                self.writer.roll_back(before, to, digest)
                if digest is None:
                    self.reloads += 1
                    loaded = load(self.writer.connection)
                    assert loaded.tip == to
                    self.replay = Replay(loaded.state, loaded.tip)
            case TooDeep():
                raise AssertionError("the chain changed deeper than a test may")
        return True


class Saboteur:
    """A connection that is cut off by the server before one of its statements."""

    def __init__(self, connection: psycopg.Connection, cut: Callable[[int], None], at: int) -> None:
        self._connection = connection
        self._cut = cut
        self._left = at

    def __getattr__(self, name: str) -> Any:
        if name in ("execute", "cursor"):
            self._left -= 1
            if self._left == 0:
                self._cut(self._connection.info.backend_pid)
        return getattr(self._connection, name)


def sabotage(writer: Writer, server: str, *, at: int) -> None:
    """Let the server end the writer's connection before its so-many-th statement from now on."""

    def cut(backend: int) -> None:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute("SELECT pg_terminate_backend(%s, 5000)", (backend,))

    saboteur: Any = Saboteur(writer.connection, cut, at)
    writer._connection = saboteur
    writer._copier.connection = saboteur
