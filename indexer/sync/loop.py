"""Follows the registry into the tables: read, judge, apply, write, each a task, one step apart.

Work on a step runs in worker threads. Whatever fails, the tables stand at the end of some step,
and everything is loaded from there again. Upstream trouble is waited out; settings that cannot be
right, a second writer and damaged tables end it.

Source: docs/run-an-indexer.md.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence, Set
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeAlias, assert_never, cast

import trio

from indexer.metrics import Metrics
from indexer.project import Batch, Decoded, Replay, decoded
from indexer.store import Identity, Writer, load
from indexer.store.rewind import rewind
from indexer.sync.collecting import rare_collections
from indexer.sync.completeness import Completeness
from indexer.sync.heads import Heads, write_heads
from indexer.sync.verdicts import Judges
from sdk.chain import (
    Block,
    CaughtUp,
    Extend,
    Fetcher,
    Follower,
    LogReader,
    Point,
    Rollback,
    Rpc,
    Step,
    TooDeep,
)
from sdk.errors import ChainError, ConfigError, InvariantBroken, NetworkError, PhalanxError
from sdk.registry import NonceClaim, SignatureVerdict
from sdk.types import BlockNumber

log = logging.getLogger(__name__)

FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 60.0
"""After failures in a row; a node or database that comes back is noticed within a minute."""
STEPS_AHEAD: Final = 1
"""Between two tasks: a step can be tens of megabytes."""
_FINAL_CODES: Final = frozenset({"writer_running", "database_damaged", "reorg_too_deep"})
"""What waiting does not mend."""


class _Everything(frozenset[bytes]):
    """Contains whatever is asked for: the time of every log's block is wanted."""

    def __contains__(self, topic: object) -> bool:
        return True


EVERY_TOPIC: Final[Set[bytes]] = _Everything()


@dataclass(frozen=True, slots=True)
class _Undo:
    """Blocks above `to` are to be undone.

    Attributes:
        digest: of the state then; None if it has to be loaded again.
    """

    before: Point
    to: Point
    digest: bytes | None


@dataclass(frozen=True, slots=True)
class _Judged:
    """A step with what its logs say, and a verdict for each."""

    step: Extend
    found: Sequence[Decoded]
    verdicts: Sequence[SignatureVerdict]


@dataclass(frozen=True, slots=True)
class _Back:
    """Blocks above `to` are to be undone; `done` once they are, in memory."""

    to: Point
    done: trio.Event = field(default_factory=trio.Event)


_Apply: TypeAlias = _Judged | _Back | TooDeep | Heads
_Write: TypeAlias = Batch | _Undo | Heads


class _LoadAgain(Exception):
    """The tables went back further than what is remembered in memory."""


class Sync:
    """One registry and its tables.

    Attributes:
        tip: newest block in the tables.
    """

    def __init__(
        self,
        rpc: Rpc,
        url: str,
        identity: Identity,
        *,
        judges: Judges,
        metrics: Metrics,
        distance: int = 0,
        pause: Callable[[], Awaitable[None]],
        advanced: Callable[[Point], None] = lambda tip: None,
        completeness: Completeness | None = None,
        fetcher: Fetcher | None = None,
    ) -> None:
        """Nothing is opened yet.

        Args:
            rpc: of the chain that `identity` names.
            url: of the database, whose tables exist.
            identity: whose registry.
            judges: of nonce signatures.
            metrics: to fill.
            distance: blocks to stay behind the head.
            pause: waits until it is worth looking for a new block.
            advanced: told the newest block after each look that found nothing left to read.
            completeness: looks at all that is read; None believes the node.
            fetcher: reads ranges of the history; None reads them in this process.
        """
        self.tip: Point | None = None
        self._rpc = rpc
        self._url = url
        self._identity = identity
        self._judges = judges
        self._metrics = metrics
        self._distance = distance
        self._pause = pause
        self._advanced = advanced
        self._completeness = completeness
        self._fetcher = fetcher
        self._failures = 0
        self._read_again: Block | None = None
        self._scope = trio.CancelScope()

    async def run(self) -> None:
        """Follow the chain until cancelled.

        Raises:
            ConfigError: the tables belong to another registry, or all nodes to another chain.
            StorageError: `writer_running`, `database_damaged`.
            ChainError: `reorg_too_deep`.
        """
        while True:
            try:
                await self._follow()
            except* _LoadAgain:
                log.warning("indexer: the reorganisation is older than this process, loading again")
            except* Exception as group:
                failure = _first(group)
                if _is_final(failure):
                    raise failure from group
                self._metrics.failures.inc()
                if isinstance(failure, PhalanxError) and not isinstance(failure, InvariantBroken):
                    log.warning("indexer: %s", failure)
                else:
                    log.error("indexer: failed, loading the tables again", exc_info=failure)
                await self._wait()

    def repair(self, to: Block) -> None:
        """Read everything above a block of the tables again."""
        self._read_again = to
        self._scope.cancel()

    async def _follow(self) -> None:
        """Load the tables and follow the chain from there."""
        open_writer = partial(Writer, self._url, self._identity)
        writer = await trio.to_thread.run_sync(open_writer)
        try:
            to, self._read_again = self._read_again, None
            if to is not None:
                await trio.to_thread.run_sync(rewind, writer, to)
                self._metrics.repairs.inc()
                if self._completeness is not None:
                    self._completeness.go_back(to.number)
                log.warning("indexer: everything above block %d is read again", to.number)
            loaded = await trio.to_thread.run_sync(load, writer.connection)
            self.tip = loaded.tip
            log.info("indexer: loaded as of block %s", self.tip.number if self.tip else "none")
            replay = Replay(loaded.state, loaded.tip)
            reader = LogReader(
                self._rpc,
                Follower(self._identity.first_block, points=loaded.points, distance=self._distance),
                address=self._identity.contract,
                timed=EVERY_TOPIC,
                pause=self._pause,
                check=self._completeness,
                fetcher=self._fetcher,
            )
            steps = trio.open_memory_channel[Step | Heads](STEPS_AHEAD)
            judged = trio.open_memory_channel[_Apply](STEPS_AHEAD)
            writes = trio.open_memory_channel[_Write](STEPS_AHEAD)
            with rare_collections():
                async with trio.open_nursery() as nursery:
                    self._scope = nursery.cancel_scope
                    nursery.start_soon(self._read, reader, steps[0])
                    nursery.start_soon(self._judge, replay, steps[1], judged[0])
                    nursery.start_soon(self._apply, replay, judged[1], writes[0])
                    nursery.start_soon(self._write, writer, writes[1])
        finally:
            with trio.CancelScope(shield=True):
                await trio.to_thread.run_sync(writer.close)

    async def _read(self, reader: LogReader, steps: trio.MemorySendChannel[Step | Heads]) -> None:
        """Steps of the chain; a node that fails is asked again."""
        while True:
            try:
                step = await anext(reader)
                if isinstance(step, CaughtUp):
                    await steps.send(await self._heads(step.head))
                    continue
            except NetworkError as failure:
                self._metrics.failures.inc()
                log.warning("indexer: %s", failure)
                await self._wait(cast(float, failure.data.get("rest_s", 0.0)))
                continue
            self._failures = 0
            if isinstance(step, Rollback) and self._completeness is not None:
                self._completeness.go_back(step.to.number)
            await steps.send(step)
            if isinstance(step, Extend) and step.tip.number < step.target:
                await steps.send(Heads(BlockNumber(step.target + self._distance)))

    async def _heads(self, number: BlockNumber) -> Heads:
        if self._completeness is None:
            return await Heads.ask(self._rpc, number)
        return await self._completeness.heads(number)

    async def _judge(
        self,
        replay: Replay,
        steps: trio.MemoryReceiveChannel[Step | Heads],
        judged: trio.MemorySendChannel[_Apply],
    ) -> None:
        """Steps are decoded and their signatures judged, while the ones before are applied."""
        async for step in steps:
            match step:
                case Extend():
                    await judged.send(await self._judged(replay, step))
                case Rollback(to=to):
                    back = _Back(to)
                    await judged.send(back)
                    await back.done.wait()
                case TooDeep() | Heads():
                    await judged.send(step)
                case _:
                    assert_never(step)

    async def _judged(self, replay: Replay, step: Extend) -> _Judged:
        found = await trio.to_thread.run_sync(decoded, step.logs)
        claims: Sequence[NonceClaim | None] = [None] * len(found)
        if self._judges.looks:
            claims = await trio.to_thread.run_sync(replay.claims, found)
        return _Judged(step, found, await self._judges.judge(claims))

    async def _apply(
        self,
        replay: Replay,
        judged: trio.MemoryReceiveChannel[_Apply],
        writes: trio.MemorySendChannel[_Write],
    ) -> None:
        """Steps become batches."""
        async for each in judged:
            match each:
                case Heads():
                    await writes.send(each)
                case _Judged(step=step):
                    is_live = step.tip.number >= step.target
                    work = partial(
                        replay.extend, step, each.found, each.verdicts, with_digest=is_live
                    )
                    await writes.send(await trio.to_thread.run_sync(work))
                case _Back(to=to):
                    before = replay.tip
                    digest = await trio.to_thread.run_sync(replay.roll_back, to)
                    each.done.set()
                    if before is not None:
                        await writes.send(_Undo(before, to, digest))
                    if digest is None:
                        return
                case TooDeep(oldest=oldest):
                    raise ChainError(
                        f"the chain differs below block {oldest.number}, as far as can be undone",
                        code="reorg_too_deep",
                        hint="Check the execution node. If it is right: phalanx indexer reset.",
                    )
                case _:
                    assert_never(each)

    async def _write(self, writer: Writer, writes: trio.MemoryReceiveChannel[_Write]) -> None:
        """Batches into the tables."""
        async for each in writes:
            match each:
                case Heads():
                    if each.is_caught_up:
                        await trio.to_thread.run_sync(writer.complete)
                    await trio.to_thread.run_sync(write_heads, writer.connection, each)
                    self._tell(each)
                case Batch():
                    await trio.to_thread.run_sync(partial(self._timed, writer.extend, each))
                    self.tip = each.tip
                    self._count(each)
                case _Undo():
                    undo = partial(writer.roll_back, each.before, each.to, each.digest)
                    await trio.to_thread.run_sync(undo)
                    self.tip = each.to
                    self._metrics.reorgs.inc()
                    self._metrics.undone.inc(each.before.number - each.to.number)
                    self._metrics.indexed.set(each.to.number)
                    log.warning(
                        "indexer: reorganisation, blocks %d to %d undone",
                        each.to.number + 1,
                        each.before.number,
                    )
                    if each.digest is None:
                        raise _LoadAgain
                case _:
                    assert_never(each)

    def _tell(self, heads: Heads) -> None:
        self._metrics.head.set(heads.number)
        self._metrics.caught_up.set(heads.is_caught_up)
        if heads.is_caught_up and self.tip is not None:
            self._advanced(self.tip)

    def _timed(self, work: Callable[[Batch], Any], batch: Batch) -> None:
        with self._metrics.write_seconds.time():
            work(batch)

    def _count(self, batch: Batch) -> None:
        self._metrics.steps.inc()
        self._metrics.logs.inc(len(batch.logs))
        self._metrics.divergences.inc(len(batch.divergences))
        self._metrics.indexed.set(batch.tip.number)
        if batch.divergences:
            log.warning(
                "indexer: %d logs up to block %d contradict those before them",
                len(batch.divergences),
                batch.tip.number,
            )

    async def _wait(self, rest_s: float = 0.0) -> None:
        """Longer after each failure in a row, and at least as long as the node asked for."""
        seconds = max(rest_s, min(FIRST_PAUSE_S * 2**self._failures, LONGEST_PAUSE_S))
        self._failures = min(self._failures + 1, 16)
        await trio.sleep(seconds)


def _first(group: BaseException) -> Exception:
    """The problem itself, out of the groups that nurseries make."""
    while isinstance(group, BaseExceptionGroup):
        group = group.exceptions[0]
    return cast(Exception, group)


def _is_final(failure: Exception) -> bool:
    """Whether waiting does not mend it."""
    if isinstance(failure, ConfigError):
        return True
    return isinstance(failure, PhalanxError) and failure.code in _FINAL_CODES
