"""Whether the logs that a node gives are all there are: a second look before they are taken.

Near the head every block is proven: a bloom without the registry's address proves that there is no
log, and otherwise the block's receipts, whose root must be the header's, say which logs there are.
A range of history is asked for at every node there is, blocks in which they differ are proven, and
a sample of its blocks is proven in any case. Logs that a node hid are taken from the receipts.

What this rests on is the headers: a node that makes up a whole chain is only found out by another
node. How far everything is vouched for is kept here, because only that is ever called final.

Shell. Source: docs/run-an-indexer.md, "Trust, and how it is checked".
"""

from __future__ import annotations

import logging
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

from indexer.metrics import Metrics
from indexer.sync.heads import Heads
from sdk.chain import Block, Point, Read, Rpc
from sdk.chain.proofs import BlockProof, NotProvable, headers_of, logs_in_range, proven_logs
from sdk.errors import NetworkError
from sdk.events import Log
from sdk.types import Address, BlockNumber

log = logging.getLogger(__name__)

SAMPLED_EMPTY: Final = 6
"""Blocks of a range in which the node gave no log."""
SAMPLED_FULL: Final = 2
"""Blocks of a range in which it did."""
HEADERS: Final = 1_000
"""Held at once where all of a range are read."""
MOST_PROVEN: Final = 200
"""Blocks of one range that are proven because nodes differ; a node that is wrong in more is left
to the audit. Receipts of a block may be a megabyte."""
MOST_KNOWN: Final = 10_000
"""Blocks whose logs are known for certain, from repairs."""


@dataclass(frozen=True, slots=True)
class Vouched:
    """Up to where the tables are known to hold all that matters.

    Attributes:
        number: newest such block, None before the first audit.
        is_whole: False while something is known to be missing.
    """

    number: BlockNumber | None = None
    is_whole: bool = True

    def limit(self, point: Point | None) -> Point | None:
        """A block if it may be called final."""
        if point is None or not self.is_whole or self.number is None:
            return None
        return point if point.number <= self.number else None


class Completeness:
    """The second look at every step, and what is known from it.

    Attributes:
        vouched: up to where.
        turns: how often blocks were taken back.
    """

    def __init__(
        self,
        rpc: Rpc,
        registry: Address,
        metrics: Metrics,
        *,
        others: Sequence[Rpc] = (),
        proves_history: bool = False,
        chance: random.Random | None = None,
    ) -> None:
        """Nothing is known.

        Args:
            rpc: the one that steps are read from.
            registry: contract whose logs are wanted.
            metrics: to fill.
            others: one per node, when there are several.
            proves_history: prove every block of every range instead of a sample, which takes all
                headers and, of blocks whose bloom does not tell, the receipts.
            chance: of the sample.
        """
        self.vouched = Vouched()
        self.turns = 0
        self._rpc = rpc
        self._registry = registry
        self._metrics = metrics
        self._others = others
        self._proves_history = proves_history
        self._chance = chance or random.Random()  # noqa: S311 - a sample, no secret
        self._known: dict[BlockNumber, BlockProof] = {}
        self._believed_to: BlockNumber | None = None
        self._proves = True
        self._has_warned = False

    async def settle(
        self, read: Read, blocks: Sequence[Block], logs: Sequence[Log]
    ) -> Sequence[Log]:
        """The logs of a range as they are to be taken; see `sdk.chain.LogCheck`.

        Raises:
            NetworkError: `node_contradicts`, the node's own headers or receipts do not fit its
                logs and it cannot prove which are right; or no node answers.
        """
        given = {
            number: list(each)
            for number, each in groupby(sorted(logs, key=_position), lambda log: log.block_number)
        }
        if read.is_dense:
            self._proves = await self._prove_all(blocks, given)
            self._extend(read)
        else:
            await self._look_again(read, given)
        return [log for number in sorted(given) for log in given[number]]

    async def heads(self, number: BlockNumber) -> Heads:
        """The chain's end, nothing of it called final that is not vouched for.

        Raises:
            NetworkError: no node answers.
        """
        heads = await Heads.ask(self._rpc, number, self._others)
        if heads.is_disputed:
            self._metrics.disagreements.inc()
        safe, finalized = self.vouched.limit(heads.safe), self.vouched.limit(heads.finalized)
        return replace(heads, safe=safe, finalized=finalized)

    def remember(self, proofs: Iterable[BlockProof]) -> None:
        """Logs that are known for certain, for when their blocks are read again.

        Whoever hides logs again after a repair is not believed in ranges above any more.
        """
        if self._known and self._believed_to is None:
            self._believed_to = min(self._known)
        for proof in proofs:
            if len(self._known) < MOST_KNOWN:
                self._known[proof.block.number] = proof

    def vouch(self, point: Point, *, turns: int) -> None:
        """The tables agreed with the contract at a block.

        Args:
            point: the block.
            turns: when the tables were read; later ones may have taken the block back.
        """
        if turns != self.turns:
            return
        before = self.vouched.number if self.vouched.is_whole else None
        self.vouched = Vouched(max(point.number, before or point.number))
        self._metrics.complete.set(1)

    def doubt(self) -> None:
        """Something is missing."""
        self.vouched = Vouched(None, is_whole=False)
        self._metrics.complete.set(0)

    def go_back(self, to: BlockNumber) -> None:
        """Blocks above are gone."""
        self.turns += 1
        number = self.vouched.number
        if number is not None and number > to:
            self.vouched = Vouched(to, self.vouched.is_whole)

    def _extend(self, read: Read) -> None:
        """Blocks that were proven one by one are vouched for, if those below are."""
        number = self.vouched.number
        if number is None or number < read.low - 1:
            return
        newest = max(number, read.high) if self._proves else BlockNumber(read.low - 1)
        self.vouched = Vouched(newest, self.vouched.is_whole)

    async def _prove_all(
        self, blocks: Sequence[Block], given: dict[BlockNumber, list[Log]]
    ) -> bool:
        """Make the logs of these blocks those that their headers prove, if the node can."""
        try:
            proofs = await proven_logs(self._rpc, self._registry, blocks)
        except NotProvable as reason:
            if not self._has_warned:
                log.warning("indexer: logs are believed without proof: %s", reason)
            self._has_warned = True
            self._metrics.unproven.inc(len(blocks))
            return False
        self._metrics.proven.inc(len(proofs))
        self._correct(proofs, given)
        return True

    def _correct(self, proofs: Sequence[BlockProof], given: dict[BlockNumber, list[Log]]) -> None:
        """Put proven logs in the place of those that the node gave."""
        for proof in proofs:
            number = proof.block.number
            before = given.get(number, [])
            if proof.agrees(before):
                continue
            self._metrics.corrected.inc()
            log.error(
                "indexer: %s gave %d logs of block %d, its receipts prove %d; these are taken",
                self._rpc.name,
                len(before),
                number,
                len(proof.logs),
            )
            given[number] = list(proof.logs)

    async def _look_again(self, read: Read, given: dict[BlockNumber, list[Log]]) -> None:
        """Compare a range with other nodes, and with the headers of some or all of its blocks."""
        is_doubtful = self._believed_to is not None and read.high >= self._believed_to
        if self._proves_history or is_doubtful:
            for start in range(read.low, read.high + 1, HEADERS):
                end = min(start + HEADERS, read.high + 1)
                await self._prove_all(await headers_of(self._rpc, range(start, end)), given)
            return
        wanted = self._sample(read, given)
        differing = await self._differing(read, given)
        if len(differing) > MOST_PROVEN:
            log.warning(
                "indexer: nodes differ in %d of blocks %d to %d; the first are proven",
                len(differing),
                read.low,
                read.high,
            )
        wanted += sorted(differing)[:MOST_PROVEN]
        known = [each for each in self._known if read.low <= each <= read.high]
        blocks = await headers_of(self._rpc, sorted({*wanted, *known}))
        for block in blocks:
            stale = self._known.get(block.number)
            if stale is not None and stale.block.hash != block.hash:
                del self._known[block.number]
        self._correct([self._known[each] for each in known if each in self._known], given)
        # History rests on the audit, so what cannot be proven here says nothing of the head.
        await self._prove_all([each for each in blocks if each.number not in self._known], given)

    def _sample(self, read: Read, given: Mapping[BlockNumber, Sequence[Log]]) -> list[BlockNumber]:
        many = read.high - read.low + 1
        empty = self._chance.sample(range(read.low, read.high + 1), min(many, SAMPLED_EMPTY))
        full = self._chance.sample(sorted(given), min(len(given), SAMPLED_FULL))
        return [BlockNumber(each) for each in (*empty, *full)]

    async def _differing(
        self, read: Read, given: Mapping[BlockNumber, Sequence[Log]]
    ) -> set[BlockNumber]:
        """Blocks of which another node gives other logs."""
        found: set[BlockNumber] = set()
        for other in self._others:
            if other.name == self._rpc.name:
                continue
            try:
                theirs = await logs_in_range(other, self._registry, read.low, read.high)
            except NetworkError as failure:
                self._metrics.failures.inc()
                log.warning(
                    "indexer: blocks %d to %d are not compared: %s", read.low, read.high, failure
                )
                continue
            ours = {_name(each) for logs in given.values() for each in logs}
            found |= {number for number, _, _ in ours ^ {_name(each) for each in theirs}}
        return found


def _position(log: Log) -> tuple[int, int]:
    return log.block_number, log.log_index


def _name(log: Log) -> tuple[BlockNumber, bytes, int]:
    return log.block_number, log.block_hash, log.log_index
