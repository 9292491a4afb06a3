"""Logs of single blocks, proven by what the block's header says; and logs of ranges, to compare.

Shell. Asks one node, believes its headers and nothing else.

Source: ethereum/execution-apis (`eth_getBlockReceipts`); `sdk.chain.receipts`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

import anyio.to_thread
import msgspec

from sdk.chain.follower import Block
from sdk.chain.messages import Call
from sdk.chain.reading import parsed, read_headers, read_logs
from sdk.chain.receipts import BLOOM_BYTES, Receipt, logs_of, may_hold, receipts_root
from sdk.chain.rpc import Rpc
from sdk.errors import NetworkError
from sdk.events import Log
from sdk.types import Address, BlockNumber

RECEIPTS_AT_ONCE: Final = 8
"""Blocks per request; receipts of a full block are about a megabyte."""
ROOT_BYTES: Final = 32
_RECEIPTS: Final[msgspec.json.Decoder[list[Receipt] | None]] = msgspec.json.Decoder(
    list[Receipt] | None
)


class NotProvable(Exception):
    """This node serves no receipts, or headers without roots."""


@dataclass(frozen=True, slots=True)
class BlockProof:
    """All logs of the registry in a block, by its receipts or its bloom."""

    block: Block
    logs: tuple[Log, ...]

    def agrees(self, given: Sequence[Log]) -> bool:
        """Whether these are the same logs; transactions are not proven, only their places."""
        return [_content(each) for each in given] == [_content(each) for each in self.logs]


async def proven_logs(rpc: Rpc, registry: Address, blocks: Sequence[Block]) -> list[BlockProof]:
    """The logs of some blocks, in their order.

    Args:
        rpc: to ask.
        registry: contract whose logs are wanted.
        blocks: their headers.

    Raises:
        NotProvable: the node does not have what it takes.
        NetworkError: `node_contradicts`, the receipts are not those of the header; or no node
            answers.
    """
    proofs: dict[BlockNumber, BlockProof] = {}
    asked: list[Block] = []
    for block in blocks:
        if len(block.logs_bloom) != BLOOM_BYTES or len(block.receipts_root) != ROOT_BYTES:
            raise NotProvable(f"{rpc.name} gives no bloom or receipts root of block {block.number}")
        if may_hold(block.logs_bloom, registry):
            asked.append(block)
        else:
            proofs[block.number] = BlockProof(block, ())
    for start in range(0, len(asked), RECEIPTS_AT_ONCE):
        piece = asked[start : start + RECEIPTS_AT_ONCE]
        for block, receipts in zip(piece, await _receipts(rpc, piece), strict=True):
            proofs[block.number] = await _proof(rpc, registry, block, receipts)
    return [proofs[block.number] for block in blocks]


async def headers_of(rpc: Rpc, numbers: Sequence[int]) -> list[Block]:
    """Headers of blocks that must be there.

    Raises:
        NetworkError: `node_behind`, the node lacks one; or no node answers.
    """
    found = await read_headers(rpc, numbers)
    missing = [number for number, block in zip(numbers, found, strict=True) if block is None]
    if missing:
        raise NetworkError(
            f"{rpc.name} has no block {missing[0]}",
            code="node_behind",
            hint="It may be syncing; it is asked again.",
        )
    return [each for each in found if each is not None]


async def logs_in_range(rpc: Rpc, registry: Address, low: int, high: int) -> list[Log]:
    """What a node gives for a range, asked for in halves where it refuses the whole.

    Raises:
        NetworkError: it refuses a single block; or no answer.
    """
    try:
        found = await read_logs(rpc, registry, low, high)
        return parsed(rpc, found, registry, low, high)[0]
    except NetworkError as failure:
        may_be_less = failure.code == "rpc_refused" or failure.data.get("is_timeout")
        if low == high or not may_be_less:
            raise
    middle = (low + high) // 2
    return [
        *await logs_in_range(rpc, registry, low, middle),
        *await logs_in_range(rpc, registry, middle + 1, high),
    ]


async def _receipts(rpc: Rpc, blocks: Sequence[Block]) -> list[list[Receipt] | None]:
    calls = [Call("eth_getBlockReceipts", ("0x" + each.hash.hex(),)) for each in blocks]
    try:
        return await rpc.batch(calls, form=_RECEIPTS)
    except NetworkError as failure:
        if failure.code != "rpc_refused":
            raise
        raise NotProvable(failure.message) from None


async def _proof(
    rpc: Rpc, registry: Address, block: Block, receipts: list[Receipt] | None
) -> BlockProof:
    if receipts is None:
        _contradicts(rpc, f"has no receipts of block {block.number}, whose header it gave")
    try:
        # A full block takes some hundred milliseconds.
        root = await anyio.to_thread.run_sync(receipts_root, receipts)
        if root == block.receipts_root:
            logs = logs_of(receipts, address=registry, number=block.number, block_hash=block.hash)
            return BlockProof(block, tuple(logs))
    except ValueError:
        _contradicts(rpc, f"gives receipts of block {block.number} that cannot be read")
    _contradicts(
        rpc,
        f"gives receipts of block {block.number} with root 0x{root.hex()}, "
        f"its header says 0x{block.receipts_root.hex()}",
    )


def _contradicts(rpc: Rpc, what: str) -> NoReturn:
    name = rpc.name
    rpc.leave()
    raise NetworkError(
        f"{name} {what}", code="node_contradicts", hint="Nothing is taken; use another node."
    )


def _content(log: Log) -> tuple[object, ...]:
    return (
        log.block_number,
        log.block_hash,
        log.log_index,
        log.transaction_index,
        log.topics,
        log.data,
    )
