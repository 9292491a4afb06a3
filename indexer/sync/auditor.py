"""Audits the tables again and again, and has them mended when something is missing.

Shell. After catching up, and then every so many blocks, everything is compared with the contract's
audit views at every node, and logs that contradict those before them are looked into. While
something differs nothing is called final, the status says so, and the first wrong block is looked
for; when it is found, all above it is read again.

Source: docs/run-an-indexer.md, "Trust, and how it is checked".
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Final

import trio

from indexer.metrics import Metrics
from indexer.store import connect
from indexer.sync.audit import Holdings, Kept, audit, contradicted, holdings
from indexer.sync.completeness import Completeness
from indexer.sync.heads import withdraw_finality
from indexer.sync.integrity import Outcome, write_outcome
from indexer.sync.search import Cleared, Doubt, Finding, search
from sdk.chain import Block, Point, Rpc
from sdk.errors import ChainError, NetworkError, PhalanxError
from sdk.types import Address, BlockNumber

log = logging.getLogger(__name__)

EVERY: Final = 32
"""Blocks between audits, an epoch: what becomes safe was audited."""
MOST_NAMED: Final = 5
"""Subjects in a line of the log."""
LONGEST_WAIT: Final = 1_024
"""Blocks between attempts to find what no node shows; about three hours."""


class Auditor:
    """One registry's tables, audited at every node."""

    def __init__(
        self,
        nodes: Sequence[Rpc],
        url: str,
        registry: Address,
        metrics: Metrics,
        completeness: Completeness,
        *,
        repair: Callable[[Block], None],
        every: int = EVERY,
    ) -> None:
        """Nothing is audited yet.

        Args:
            nodes: to ask, each by itself.
            url: of the database.
            registry: contract to ask.
            metrics: to fill.
            completeness: told what was found.
            repair: has everything above a block read again.
            every: blocks between audits.
        """
        self._nodes = nodes
        self._url = url
        self._registry = registry
        self._metrics = metrics
        self._completeness = completeness
        self._repair = repair
        self._every = every
        self._next = BlockNumber(0)
        self._wait = every
        self._cleared = (0, 0)
        self._turns = 0
        self._noticed, self._waiting = trio.open_memory_channel[Point](1)

    def notice(self, tip: Point) -> None:
        """The tables are at the chain's end; forgotten while an audit is under way."""
        try:
            self._noticed.send_nowait(tip)
        except trio.WouldBlock:
            return

    async def run(self) -> None:
        """Audit until cancelled."""
        async for tip in self._waiting:
            if self._completeness.turns < self._turns:
                # What was found is not taken back yet.
                continue
            is_vouched = self._completeness.vouched.number is not None
            if tip.number < self._next and (is_vouched or not self._completeness.vouched.is_whole):
                continue
            try:
                await self._audit()
            except PhalanxError as failure:
                self._metrics.failures.inc()
                log.warning("indexer: not audited at block %d: %s", tip.number, failure)

    async def _audit(self) -> None:
        turns = self._completeness.turns
        held = await trio.to_thread.run_sync(holdings, self._url)
        if held is None:
            return
        outcome, differing = await self._asked(held)
        await trio.to_thread.run_sync(write_outcome, self._url, outcome)
        doubts = [Doubt(each, held.block.number) for each in differing]
        last = self._cleared
        if not doubts:
            strange = await trio.to_thread.run_sync(contradicted, self._url, self._cleared)
            for last, subjects in strange:
                doubts += [Doubt(each, BlockNumber(last[0] - 1)) for each in subjects]
        if not doubts:
            self._completeness.vouch(held.block, turns=turns)
            self._next, self._wait = BlockNumber(held.block.number + self._every), self._every
            return
        self._completeness.doubt()
        await trio.to_thread.run_sync(_withdraw, self._url)
        log.error(
            "indexer: something is missing at block %d: %s",
            doubts[0].until,
            ", ".join(each.kept.subject for each in doubts[:MOST_NAMED]),
        )
        found = await search(self._nodes, self._registry, self._url, held, doubts)
        if self._completeness.turns != turns:
            return
        self._act(held.block.number, found, last)

    async def _asked(self, held: Holdings) -> tuple[Outcome, tuple[Kept, ...]]:
        """What differs at any node; a node that does not have the block says nothing.

        Raises:
            NetworkError: no node has it.
        """
        found: tuple[Outcome, tuple[Kept, ...]] | None = None
        silence: NetworkError | ChainError | None = None
        for node in self._nodes:
            try:
                outcome, differing = await audit(node, self._registry, held)
            except (NetworkError, ChainError) as failure:
                log.info("indexer: %s says nothing of block %d", node.name, held.block.number)
                silence = failure
                continue
            if found is None or differing:
                found = outcome, differing
            if differing:
                break
        if found is None:
            raise silence or NetworkError("there is no node to ask", code="rpc_unreachable")
        return found

    def _act(
        self, block: BlockNumber, found: Finding | Cleared | None, last: tuple[int, int]
    ) -> None:
        """Have it mended, or look again later.

        Args:
            block: that was audited.
            found: where it is.
            last: block and place of the last contradiction that was looked into.
        """
        self._next = BlockNumber(0)
        match found:
            case Finding(to=to, proofs=proofs):
                first = proofs[0]
                log.warning(
                    "indexer: block %d has %d logs by its receipts, the tables have others",
                    first.block.number,
                    len(first.logs),
                )
                self._completeness.remember(proofs)
                self._turns = self._completeness.turns + 1
                self._repair(to)
            case Cleared() if last > self._cleared:
                log.warning(
                    "indexer: no log is missing before log %d of block %d", last[1], last[0]
                )
                self._cleared = last
            case _:
                self._next = BlockNumber(block + self._wait)
                self._wait = min(2 * self._wait, LONGEST_WAIT)
                log.error("indexer: no node shows what; searched again at block %d", self._next)


def _withdraw(url: str) -> None:
    with connect(url) as connection:
        withdraw_finality(connection)
