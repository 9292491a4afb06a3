"""Where something is missing: the block, and what its receipts prove was in it.

An audit names subjects whose words differ, and a log that contradicts those before it names some
that may. The block from which on one differs is found by bisection, asking the contract for the
word at earlier blocks, as far as a node keeps that state. Where none does, the blocks that are left
are asked for once more, at every node, in small ranges. Only what a header proves counts: a block
is wrong if its receipts hold other logs than the tables.

Shell. Source: docs/run-an-indexer.md, "Trust, and how it is checked".
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import trio

from indexer.store import connect, translated
from indexer.sync.audit import Holdings, Kept, ask_words, kept_at
from sdk.chain import Block, Rpc
from sdk.chain.proofs import BlockProof, NotProvable, headers_of, logs_in_range, proven_logs
from sdk.errors import ChainError, NetworkError
from sdk.types import Address, BlockNumber

log = logging.getLogger(__name__)

MOST_SUBJECTS: Final = 16
"""Searched for at once; the others are found by the audit after the repair."""
RANGE: Final = 2_000
"""Blocks of one question in a second reading; every hosted node answers it."""
MOST_WRONG: Final = 200
"""Blocks proven in one search. Receipts of a block may be a megabyte."""
_Name = tuple[int, int, bytes, bytes, bytes]
"""Of a log: block, place, block's hash, topics, data."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A subject that may be wrong in the tables.

    Attributes:
        kept: as it is in them.
        until: block at which it is, or may be.
    """

    kept: Kept
    until: BlockNumber


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong.

    Attributes:
        to: the block before the first wrong one.
        proofs: the wrong blocks, ascending, with the logs that they have.
    """

    to: Block
    proofs: tuple[BlockProof, ...]


@dataclass(frozen=True, slots=True)
class Cleared:
    """A node showed that nothing of it was wrong."""


async def search(
    nodes: Sequence[Rpc], registry: Address, url: str, held: Holdings, doubts: Sequence[Doubt]
) -> Finding | Cleared | None:
    """The first wrong block; None if no node shows one, nor that there is none.

    Args:
        nodes: to ask, each by itself.
        registry: the contract.
        url: of the database, which nobody took back since `held` was read.
        held: what was audited.
        doubts: where to look.

    Raises:
        StorageError: the tables cannot be read.
    """
    is_clear = False
    for node in nodes:
        looking = _Search(node, registry, url, held)
        wrong: dict[BlockNumber, BlockProof] = {}
        try:
            if not await looking.is_on_this_chain():
                continue
            for doubt in doubts[:MOST_SUBJECTS]:
                wrong |= await looking.wrong_blocks(doubt, before=min(wrong, default=None))
            is_clear = is_clear or not looking.is_vague
        except (NetworkError, ChainError, NotProvable) as failure:
            log.warning("indexer: %s does not help to find what is missing: %s", node.name, failure)
        if wrong:
            return await _finding(node, wrong)
    return Cleared() if is_clear and len(doubts) <= MOST_SUBJECTS else None


async def _finding(node: Rpc, wrong: Mapping[BlockNumber, BlockProof]) -> Finding | None:
    first = min(wrong)
    [below] = await headers_of(node, [first - 1])
    if below.hash != wrong[first].block.parent_hash:
        return None
    return Finding(below, tuple(wrong[number] for number in sorted(wrong)))


class _Search:
    """One node asked about one state of the tables.

    Attributes:
        is_vague: it could not say of every subject whether it is right.
    """

    def __init__(self, node: Rpc, registry: Address, url: str, held: Holdings) -> None:
        self.is_vague = False
        self._node = node
        self._registry = registry
        self._url = url
        self._first = BlockNumber(held.first - 1)
        self._block = held.block
        self._read = self._first

    async def is_on_this_chain(self) -> bool:
        """Whether the node has the block that was audited."""
        [block] = await headers_of(self._node, [self._block.number])
        return block.hash == self._block.hash

    async def wrong_blocks(
        self, doubt: Doubt, *, before: BlockNumber | None = None
    ) -> dict[BlockNumber, BlockProof]:
        """Blocks that the tables have other logs of, the first ones from which it differs.

        Args:
            doubt: what may differ.
            before: only earlier ones matter, as this one is wrong already.
        """
        if before is not None and before <= doubt.until:
            doubt = Doubt(doubt.kept, BlockNumber(before - 1))
        bounds = await self._narrowed(doubt)
        if bounds is None and before is not None:
            return {}
        if bounds is None:
            # Right until then; was there anything else in the next block?
            following = BlockNumber(doubt.until + 1)
            return await self._proven([following]) if following <= self._block.number else {}
        low, high = bounds
        if high - low == 1:
            return await self._proven([high])
        low = max(low, self._read)
        while low < high:
            end = BlockNumber(min(low + RANGE, high))
            numbers = await self._read_again(BlockNumber(low + 1), end)
            wrong = await self._proven(numbers[:MOST_WRONG])
            if wrong:
                return wrong
            low = self._read = end
        return {}

    async def _narrowed(self, doubt: Doubt) -> tuple[BlockNumber, BlockNumber] | None:
        """A block where the tables were right, and a later one where not; None if they are."""
        low, high = self._first, doubt.until
        try:
            if await self._agrees(doubt.kept, high):
                return None
            if low < doubt.kept.since < high and await self._agrees(doubt.kept, doubt.kept.since):
                low = doubt.kept.since
            while high - low > 1:
                middle = BlockNumber((low + high) // 2)
                if await self._agrees(doubt.kept, middle):
                    low = middle
                else:
                    high = middle
        except (NetworkError, ChainError) as failure:
            self.is_vague = True
            log.info("indexer: %s tells no earlier state: %s", self._node.name, failure)
        return low, high

    async def _agrees(self, kept: Kept, at: BlockNumber) -> bool:
        """Whether a subject was right at an earlier block."""
        before = await trio.to_thread.run_sync(_kept_at, self._url, kept.subject, at)
        [[word]] = await ask_words(self._node, self._registry, [[before or kept]], at)
        return before.agrees(word) if before is not None else not any(word)

    async def _read_again(self, low: BlockNumber, high: BlockNumber) -> list[BlockNumber]:
        """Blocks of a range of which the node now gives other logs than the tables have."""
        found = await logs_in_range(self._node, self._registry, low, high)
        theirs = {
            (each.block_number, each.log_index, each.block_hash, b"".join(each.topics), each.data)
            for each in found
        }
        ours = await trio.to_thread.run_sync(_names, self._url, low, high)
        return sorted({BlockNumber(number) for number, *_ in theirs ^ ours})

    async def _proven(self, numbers: Sequence[BlockNumber]) -> dict[BlockNumber, BlockProof]:
        """Those of some blocks that prove to be wrong."""
        wrong = {}
        blocks = await headers_of(self._node, numbers)
        for proof in await proven_logs(self._node, self._registry, blocks):
            number = proof.block.number
            ours = await trio.to_thread.run_sync(_names, self._url, number, number)
            theirs = {
                (number, log.log_index, log.block_hash, b"".join(log.topics), log.data)
                for log in proof.logs
            }
            if ours != theirs:
                wrong[number] = proof
        return wrong


def _kept_at(url: str, subject: str, at: BlockNumber) -> Kept | None:
    with connect(url) as connection, translated():
        return kept_at(connection, subject, at)


def _names(url: str, low: BlockNumber, high: BlockNumber) -> set[_Name]:
    """The logs of some blocks as the tables have them."""
    with connect(url) as connection, translated(), connection.cursor(binary=True) as cursor:
        rows = cursor.execute(
            "SELECT block_number, log_index, block_hash, topics, data FROM log "
            "WHERE block_number BETWEEN %s AND %s",
            (low, high),
        )
        return {(row[0], row[1], bytes(row[2]), bytes(row[3]), bytes(row[4])) for row in rows}
