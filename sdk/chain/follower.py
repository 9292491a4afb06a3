"""Which blocks to read next, and what the blocks found there mean: go on, go back, or start over.

Pure. Blocks are identified by hash, never by number alone. Far below the head whole ranges are read
and only their end is remembered; the last `depth` blocks are read one by one and all remembered,
so that a reorganisation of any depth up to there is answered with the last common block.

The reader (`sdk.chain.logs`) does what `next_read` says and gives what it found to `take`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, TypeAlias

from sdk.errors import InvariantBroken
from sdk.events import Log
from sdk.types import BlockNumber

ROLLBACK_DEPTH: Final = 128
"""Blocks behind the newest read one whose effects can be undone. Two epochs that do not finalise
are 64."""
FOLLOW_DISTANCE: Final = 8
"""Blocks behind the head, the same as in other nodes: when a duty starts that an event asks for
depends on it."""


@dataclass(frozen=True, slots=True)
class Point:
    """A block by number and hash."""

    number: BlockNumber
    hash: bytes


@dataclass(frozen=True, slots=True)
class Block:
    """What is needed of a header. `hash` and `parent_hash` have 32 bytes.

    Attributes:
        receipts_root: proves the logs of the block (`sdk.chain.receipts`); empty if not given.
        logs_bloom: likewise, 256 bytes.
        fields: all that the hash is of, in their order and as the node spelled them
            (`sdk.chain.headers`); empty if not given.
    """

    number: BlockNumber
    hash: bytes
    parent_hash: bytes
    timestamp_s: int
    receipts_root: bytes = b""
    logs_bloom: bytes = b""
    fields: tuple[str, ...] = field(default=(), repr=False)

    @property
    def point(self) -> Point:
        """Number and hash."""
        return Point(self.number, self.hash)


@dataclass(frozen=True, slots=True)
class Read:
    """Blocks `low` to `high` are to be read.

    Attributes:
        is_dense: headers of all of them are needed, else only that of `high`.
        below: the newest block read so far; the chain must still contain it.
    """

    low: BlockNumber
    high: BlockNumber
    is_dense: bool
    below: Point | None


@dataclass(frozen=True, slots=True)
class Extend:
    """The chain went on.

    Attributes:
        tip: the newest block read.
        logs: in the order of the chain, each of the block that its hash names.
        points: all blocks that can be gone back to from now on, the oldest first. Effects of
            blocks up to the first of them are final.
        times: seconds by block number, where a header or log told; for all blocks with a log that
            the reader was asked to time.
        target: up to where there is something to read at the moment.
    """

    tip: Block
    logs: tuple[Log, ...]
    points: tuple[Point, ...]
    times: Mapping[BlockNumber, int] = field(default_factory=dict)
    target: BlockNumber = BlockNumber(0)  # noqa: RUF009 - a number


@dataclass(frozen=True, slots=True)
class Rollback:
    """Blocks above `to` are no longer part of the chain."""

    to: Point


@dataclass(frozen=True, slots=True)
class TooDeep:
    """Not even the oldest remembered block is part of the chain: everything is to be read again."""

    oldest: Point


@dataclass(frozen=True, slots=True)
class Diverged:
    """What was found does not fit what was read: find out what is left (`suspects`, `rewind`)."""

    found: Point


Step: TypeAlias = Extend | Rollback | TooDeep


class Follower:
    """The blocks followed so far.

    Attributes:
        first: block where reading began, or begins.
        distance: blocks between the head and the newest block read.
        depth: how far back a reorganisation can be followed.
    """

    def __init__(
        self,
        first: BlockNumber,
        *,
        points: Iterable[Point] = (),
        distance: int = FOLLOW_DISTANCE,
        depth: int = ROLLBACK_DEPTH,
    ) -> None:
        """As it was stored, or at the beginning.

        Args:
            first: no log that matters is older.
            points: of the last `Extend` or what a rollback left of them, the oldest first.
            distance: 0 follows the head itself.
            depth: at least 1.
        """
        self.first = first
        self.distance = distance
        self.depth = depth
        self._points: deque[Point] = deque(points)
        if any(low.number >= high.number for low, high in pairwise(self._points)):
            raise InvariantBroken("remembered blocks are not in order")

    @property
    def tip(self) -> Point | None:
        """The newest block read."""
        return self._points[-1] if self._points else None

    @property
    def points(self) -> tuple[Point, ...]:
        """The blocks that can be gone back to, the oldest first."""
        return tuple(self._points)

    def target(self, head: BlockNumber) -> BlockNumber:
        """Up to where to read if the newest block is `head`."""
        return BlockNumber(head - self.distance)

    def next_read(self, head: BlockNumber, *, widest: int) -> Read | None:
        """What to read next, at most `widest` blocks; None if all is read."""
        tip = self.tip
        low = self.first if tip is None else BlockNumber(tip.number + 1)
        target = self.target(head)
        if low > target:
            return None
        # All that could have to be undone one day is read block by block.
        final = target - self.depth
        limit = min(widest, self.depth)
        if low <= final:
            return Read(low, BlockNumber(min(low + widest - 1, final)), False, tip)
        return Read(low, BlockNumber(min(low + limit - 1, target)), True, tip)

    def check(self, head: BlockNumber) -> Point | None:
        """The remembered block that must be on a chain with nothing to read; None if unknown.

        A head that is lower than before may be that of a node that is behind, so only a block that
        it does have counts.
        """
        target = self.target(head)
        return next((each for each in reversed(self._points) if each.number <= target), None)

    def take(
        self,
        read: Read,
        blocks: Sequence[Block],
        logs: Sequence[Log],
        *,
        below: bytes | None = None,
        times: Mapping[BlockNumber, int] | None = None,
        target: BlockNumber | None = None,
    ) -> Extend | Diverged:
        """What the blocks that were read mean.

        Args:
            read: of `next_read`, and nothing taken since.
            blocks: headers as `read` wants them, ascending; the last one is `read.high`.
            logs: of all blocks of the range, in any order.
            below: hash of the block that now has the number of `read.below`; for a range only,
                as headers read one by one say it themselves.
            times: see `Extend`.
            target: see `Extend`.
        """
        if read.below != self.tip:
            raise InvariantBroken("blocks were read on top of another tip")
        tip = blocks[-1]
        if read.below is not None and not read.is_dense and below != read.below.hash:
            return Diverged(read.below)
        linked = [read.below, *(each.point for each in blocks)] if read.is_dense else []
        for parent, block in zip(linked, blocks, strict=False):
            if parent is not None and block.parent_hash != parent.hash:
                return Diverged(block.point)
        hashes = {block.number: block.hash for block in blocks}
        for log in logs:
            # In a range, the logs of one block at least agree with each other.
            if hashes.setdefault(log.block_number, log.block_hash) != log.block_hash:
                return Diverged(Point(log.block_number, log.block_hash))
        self._remember(blocks, is_dense=read.is_dense)
        return Extend(
            tip=tip,
            logs=tuple(sorted(logs, key=lambda log: log.position)),
            points=self.points,
            times=dict(times or {}),
            target=tip.number if target is None else target,
        )

    def suspects(self) -> tuple[Point, ...]:
        """Remembered blocks, the newest first: which one is still part of the chain?"""
        return tuple(reversed(self._points))

    def rewind(self, to: Point | None) -> Rollback | TooDeep | None:
        """Go back to a remembered block; None of them left starts over.

        The answer is None if `to` is the tip, or there is none yet: nothing is to be undone.
        """
        if to == self.tip:
            return None
        if to is None:
            oldest = self._points[0]
            self._points.clear()
            return TooDeep(oldest)
        while self._points and self._points[-1] != to:
            self._points.pop()
        if not self._points:
            raise InvariantBroken(f"block {to.number} is not remembered")
        return Rollback(to)

    def _remember(self, blocks: Sequence[Block], *, is_dense: bool) -> None:
        if not is_dense:
            self._points.clear()
            self._points.append(blocks[-1].point)
            return
        self._points.extend(block.point for block in blocks)
        while self._points[0].number < blocks[-1].number - self.depth:
            self._points.popleft()
