"""A contract's logs in the order of the chain, read range by range: the shell of `Follower`.

Ranges double while the node answers and halve when it refuses, down to one block; none is ever
skipped. All answers of a step come from one endpoint, and the hash of a range's last block is read
before and after its logs, so that a step never mixes two chains. Near the head the logs of each
block are asked for by its hash: a node that does not have the block cannot answer with an empty
list, and nodes read them from the block rather than from an index that may lack some.

Source: ethereum/execution-apis (`eth_getLogs`, `eth_getBlockByNumber`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence, Set
from dataclasses import dataclass
from typing import Final, Protocol, Self

import msgspec

from sdk.chain.fetching import Fetcher
from sdk.chain.follower import Block, Diverged, Extend, Follower, Point, Read, Step
from sdk.chain.reading import (
    ParsedLogs,
    parsed,
    read_headers,
    read_logs,
    read_logs_of,
    unreadable,
)
from sdk.chain.rpc import MOST_BATCH, Rpc
from sdk.errors import NetworkError
from sdk.events import Log
from sdk.types import Address, BlockNumber

FIRST_BLOCKS: Final = 200
"""Range to begin with; every hosted node answers it."""
MOST_BLOCKS: Final = 100_000
"""Widest range: a node should not search its whole history for one question."""
MANY_LOGS: Final = 2_500
"""Answers with more are not asked for wider: 8 MB, and what is done with one is done beside the
reading of the next."""
FORGET_AFTER: Final = 16
"""Ranges after which a width that was refused is tried again: a crowded stretch has an end."""
MOST_ATTEMPTS: Final = 4
"""Of one step that the chain moves away under, before the caller is told."""
WITH_HISTORY: Final = (
    "Use a node that keeps logs since the contract's deployment: geth with --history.logs 0, "
    "reth with --prune.receipts.before 0 beside --full, Nethermind with "
    "Sync.AncientReceiptsBarrier 0, Erigon with --persist.receipts."
)
"""For nodes that prune receipts; some do unless told otherwise."""


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """Nothing to read at the moment; `head` is the newest block of the chain."""

    head: BlockNumber


class LogCheck(Protocol):
    """A second look at what a node said, before it is taken."""

    async def settle(
        self, read: Read, blocks: Sequence[Block], logs: Sequence[Log]
    ) -> Sequence[Log]:
        """The logs of the range as they are to be taken.

        Args:
            read: what was asked for.
            blocks: the headers that came with it.
            logs: as the node gave them, each once.

        Raises:
            NetworkError: it cannot be taken; the range is read again.
        """
        ...


_TEXT: Final = msgspec.json.Decoder(str)


@dataclass(slots=True)
class _Width:
    """How many blocks to ask for next."""

    blocks: int = FIRST_BLOCKS
    refused: int | None = None
    ranges: int = 0

    def shrink(self, asked: int) -> None:
        self.blocks = max(1, asked // 2)
        self.refused, self.ranges = asked, 0

    def grow(self, *, asked: int, logs: int) -> None:
        self.ranges += 1
        if self.ranges >= FORGET_AFTER:
            self.refused, self.ranges = None, 0
        wider = min(2 * self.blocks, MOST_BLOCKS)
        may_grow = asked == self.blocks and logs < MANY_LOGS
        if may_grow and (self.refused is None or wider < self.refused):
            self.blocks = wider


class _Moved(Exception):
    """The chain or the endpoint changed while a step was read; nothing was taken."""


class LogReader:
    """Steps of a chain, one after the other. Also an async iterator that never ends by itself."""

    def __init__(
        self,
        rpc: Rpc,
        follower: Follower,
        *,
        address: Address,
        timed: Set[bytes] = frozenset(),
        pause: Callable[[], Awaitable[None]],
        check: LogCheck | None = None,
        fetcher: Fetcher | None = None,
    ) -> None:
        """Nothing is read yet.

        Args:
            rpc: of the chain.
            follower: what was read so far; whoever takes a step keeps it with its effects.
            address: the contract's.
            timed: first topics of logs whose block's time is needed.
            pause: waits, when the iterator has caught up, until it is worth asking again.
            check: looks at what the node says before it is taken; None believes it.
            fetcher: reads ranges in another process; None reads them here.
        """
        self._rpc = rpc
        self._fetcher = fetcher
        self._follower = follower
        self._address = address
        self._timed = timed
        self._pause = pause
        self._check = check
        self._width = _Width()
        self._head: BlockNumber | None = None
        self._is_idle = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Step | CaughtUp:
        if self._is_idle:
            await self._pause()
        step = await self.step()
        self._is_idle = isinstance(step, CaughtUp)
        if self._is_idle and self._fetcher is not None:
            self._fetcher.rest()
        return step

    async def step(self) -> Step | CaughtUp:
        """What comes next.

        Raises:
            NetworkError: of `Rpc`; `logs_refused`, the node refuses even one block; `chain_moving`,
                the chain changed under every attempt. The next step begins where this one did.
            ConfigError: `wrong_chain`.
        """
        moved = 0
        while moved < MOST_ATTEMPTS:
            try:
                step = await self._attempt()
            except _Moved:
                self._head = None
                moved += 1
                continue
            if step is not None:
                return step
        raise NetworkError(
            f"{self._rpc.name}: the chain changed under {MOST_ATTEMPTS} attempts to read it",
            code="chain_moving",
            hint="The node may be syncing, or several nodes answer in turn; it is asked again.",
        )

    async def _attempt(self) -> Step | CaughtUp | None:
        """The next step, None if it has to be asked for in another way, which soon ends."""
        is_new = self._head is None
        if self._head is None:
            head = await self._rpc.call("eth_blockNumber", form=_TEXT)
            self._head = BlockNumber(self._number(head))
        read = self._follower.next_read(self._head, widest=self._width.blocks)
        if read is None and is_new:
            return await self._idle(self._head)
        if read is None:
            self._head = None
            return None
        asked = read.high - read.low + 1
        try:
            found = await self._read(read)
        except NetworkError as failure:
            self._shrink(failure, asked)
            return None
        if isinstance(found, Diverged):
            return await self._rewind()
        self._width.grow(asked=asked, logs=len(found.logs))
        return found

    async def _idle(self, head: BlockNumber) -> Step | CaughtUp:
        """Nothing new; is what was read still there?"""
        self._head = None
        last = self._follower.check(head)
        if last is not None:
            [found] = await read_headers(self._rpc, [last.number])
            if found is not None and found.hash != last.hash:
                return await self._rewind()
        return CaughtUp(head)

    async def _rewind(self) -> Step:
        """Look for the newest remembered block that the chain still has."""
        self._head = None
        switches = self._rpc.switches
        suspects = self._follower.suspects()
        remaining: Point | None = None
        is_known = False
        for start in range(0, len(suspects), MOST_BATCH):
            asked = suspects[start : start + MOST_BATCH]
            found = await read_headers(self._rpc, [each.number for each in asked])
            pairs = zip(asked, found, strict=True)
            remaining = next((each for each, now in pairs if now and now.hash == each.hash), None)
            is_known = remaining is not None or found[-1] is not None
            if remaining is not None:
                break
        # A node that lacks even the oldest block says nothing about it.
        if self._rpc.switches != switches or not is_known:
            raise _Moved
        step = self._follower.rewind(remaining)
        if step is None:
            raise _Moved
        return step

    async def _read(self, read: Read) -> Extend | Diverged:
        switches = self._rpc.switches
        if read.is_dense:
            blocks = await self._present(range(read.low, read.high + 1))
            below = None
            found = await read_logs_of(self._rpc, self._address, [each.hash for each in blocks])
            logs, times = parsed(self._rpc, found, self._address, read.low, read.high)
        else:
            below = None if read.below is None else await self._present([read.below.number])
            blocks = await self._present([read.high])
            logs, times = await self._range(read.low, read.high)
            if await self._present([read.high]) != blocks:
                raise _Moved
        if self._check is not None:
            logs = list(await self._check.settle(read, blocks, logs))
        times |= {each.number: each.timestamp_s for each in blocks}
        await self._time(logs, times)
        if self._rpc.switches != switches:
            raise _Moved
        head = self._head if self._head is not None else read.high
        return self._follower.take(
            read,
            blocks,
            logs,
            below=below[0].hash if below else None,
            times=times,
            target=self._follower.target(head),
        )

    async def _range(self, low: int, high: int) -> ParsedLogs:
        if self._fetcher is not None:
            return await self._fetcher.logs(self._rpc, self._address, low, high)
        found = await read_logs(self._rpc, self._address, low, high)
        return parsed(self._rpc, found, self._address, low, high)

    async def _time(self, logs: Sequence[Log], times: dict[BlockNumber, int]) -> None:
        """Ask for the headers of blocks whose time is needed and not known yet."""
        hashes = {
            log.block_number: log.block_hash
            for log in logs
            if log.block_number not in times and log.topics and log.topics[0] in self._timed
        }
        for block in await read_headers(self._rpc, list(hashes)):
            if block is None or hashes[block.number] != block.hash:
                raise _Moved
            times[block.number] = block.timestamp_s

    async def _present(self, numbers: Sequence[int]) -> list[Block]:
        """Headers of blocks that a node with this head must have."""
        found = [each for each in await read_headers(self._rpc, numbers) if each is not None]
        if len(found) != len(numbers):
            raise _Moved
        return found

    def _number(self, text: str) -> int:
        try:
            return int(text, 16)
        except ValueError:
            unreadable(self._rpc, "block number")

    def _shrink(self, failure: NetworkError, asked: int) -> None:
        """Ask for fewer blocks after a refusal or a timeout; raise if that cannot help."""
        if failure.code != "rpc_refused" and not failure.data.get("is_timeout"):
            raise failure
        if asked > 1:
            self._width.shrink(asked)
            return
        self._rpc.leave()
        raise NetworkError(
            f"logs of a single block are refused: {failure.message}",
            code="logs_refused",
            hint=WITH_HISTORY,
            data=failure.data,
        ) from None
