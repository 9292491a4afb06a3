"""The chain read once more, into a store beside the one in use, when that one lacks something.

Duties go on from the store in use meanwhile. A little at a time, so that the chain's end is still
followed. With several nodes their ranges are compared, so what one of them hides is found.

Source: docs/run-a-node.md, "Proof of the registry".
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

import trio

from operator_node.registry.assignments import Assignment
from operator_node.registry.proof import Proof
from operator_node.registry.record import Progress, Record
from operator_node.registry.replay import TIMED
from sdk.chain import CaughtUp, Extend, Follower, LogReader, Point, Rollback, Rpc, TooDeep
from sdk.types import Address, BlockNumber, PublicKey

log = logging.getLogger(__name__)

ENDING: Final = ".new"
"""Of the store's name."""


class Rereading:
    """One second reading.

    Attributes:
        proof: of what was read.
    """

    def __init__(
        self,
        rpc: Rpc,
        proof: Proof,
        *,
        path: Path,
        open_record: Callable[[Path], Record],
        contract: Address,
        first: BlockNumber,
        distance: int,
    ) -> None:
        """Nothing is read or opened yet.

        Args:
            rpc: of the chain.
            proof: that knows nothing yet.
            path: of the store in use.
            open_record: opens another one; called in worker threads.
            contract: whose logs are wanted.
            first: no log is older.
            distance: blocks behind the head.
        """
        self.proof = proof
        self._path = path
        self._aside = path.with_name(path.name + ENDING)
        self._open_record = open_record
        self._record: Record | None = None
        self._own: dict[PublicKey, Assignment] = {}
        self._tip: Point | None = None
        self._reader = LogReader(
            rpc,
            Follower(first, distance=distance),
            address=contract,
            timed=TIMED,
            pause=trio.lowlevel.checkpoint,
            check=proof,
        )

    async def advance(self, seconds: float) -> tuple[Record, Point] | None:
        """Read for a while; the record and its newest block once all is read.

        Raises:
            NetworkError: no node answers; reading goes on from there the next time.
            StorageError: the second store cannot be written.
            ConfigError: as `Record`.
        """
        if self._record is None:
            self._record = await trio.to_thread.run_sync(self._begin)
        until = trio.current_time() + seconds
        while trio.current_time() < until:
            match await self._reader.step():
                case CaughtUp():
                    return None if self._tip is None else (self._record, self._tip)
                case Extend() as step:
                    progress = await trio.to_thread.run_sync(self._record.extend, step, self._own)
                    self._tip = step.tip.point
                case Rollback(to=to):
                    self.proof.go_back(to.number)
                    progress = await trio.to_thread.run_sync(self._record.roll_back, to, self._own)
                    self._tip = to
                case TooDeep():
                    progress = await trio.to_thread.run_sync(self._record.restart)
                    self._tip = None
            self._note(progress)
        return None

    def same_as(self, own: dict[PublicKey, Assignment]) -> frozenset[PublicKey]:
        """Validators that are in use already as they were read now: nothing begins for them."""
        return frozenset(key for key, each in self._own.items() if own.get(key) == each)

    def put_in_place(self) -> None:
        """The second store becomes the one in use, which nobody has open. Blocking."""
        self._end()
        self._aside.replace(self._path)

    def drop(self) -> None:
        """Forget what was read. Blocking."""
        self._end()
        self._remove()

    def _begin(self) -> Record:
        self._remove()
        log.warning("registry: the chain is read once more, beside what is in use")
        return self._open_record(self._aside)

    def _end(self) -> None:
        if self._record is not None:
            self._record.close()
            self._record = None

    def _remove(self) -> None:
        for ending in ("", "-wal", "-shm"):
            self._aside.with_name(self._aside.name + ending).unlink(missing_ok=True)

    def _note(self, progress: Progress) -> None:
        if progress.is_reset:
            self._own.clear()
        for key, each in progress.own.items():
            if each is None:
                self._own.pop(key, None)
            else:
                self._own[key] = each
