"""Headers and logs as a node gives them, in our own types, each checked for what was asked.

Shell of one question at a time; in which order to ask is the business of `sdk.chain.logs`.

Source: ethereum/execution-apis (`eth_getLogs`, `eth_getBlockByNumber`).
"""

from __future__ import annotations

from binascii import unhexlify
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NoReturn, TypeAlias

import msgspec

from sdk.chain.follower import Block
from sdk.chain.messages import Call
from sdk.chain.rpc import MOST_BATCH, Rpc
from sdk.errors import NetworkError
from sdk.events import Log
from sdk.types import Address, BlockNumber

REPEATED: Final = 4_096
"""Texts of hashes and topics that are remembered: logs of a transaction share most of them. About a
megabyte."""


class _Header(msgspec.Struct):
    """As JSON-RPC spells it."""

    hash: str
    parentHash: str  # noqa: N815 - as JSON-RPC spells it
    number: str
    timestamp: str
    sha3Uncles: str = ""  # noqa: N815
    miner: str = ""
    stateRoot: str = ""  # noqa: N815
    transactionsRoot: str = ""  # noqa: N815
    receiptsRoot: str = "0x"  # noqa: N815
    logsBloom: str = "0x"  # noqa: N815
    difficulty: str = ""
    gasLimit: str = ""  # noqa: N815
    gasUsed: str = ""  # noqa: N815
    extraData: str = ""  # noqa: N815
    mixHash: str = ""  # noqa: N815
    nonce: str = ""
    baseFeePerGas: str | None = None  # noqa: N815 - these came with forks, in this order
    withdrawalsRoot: str | None = None  # noqa: N815
    blobGasUsed: str | None = None  # noqa: N815
    excessBlobGas: str | None = None  # noqa: N815
    parentBeaconBlockRoot: str | None = None  # noqa: N815
    requestsHash: str | None = None  # noqa: N815

    def fields(self) -> tuple[str, ...]:
        """All that the hash is of, in its order."""
        later = (
            self.baseFeePerGas,
            self.withdrawalsRoot,
            self.blobGasUsed,
            self.excessBlobGas,
            self.parentBeaconBlockRoot,
            self.requestsHash,
        )
        return (
            self.parentHash,
            self.sha3Uncles,
            self.miner,
            self.stateRoot,
            self.transactionsRoot,
            self.receiptsRoot,
            self.logsBloom,
            self.difficulty,
            self.number,
            self.gasLimit,
            self.gasUsed,
            self.timestamp,
            self.extraData,
            self.mixHash,
            self.nonce,
            *(each for each in later if each is not None),
        )


class RawLog(msgspec.Struct):
    """A log as JSON-RPC spells it."""

    address: str
    topics: list[str]
    data: str
    blockNumber: str  # noqa: N815 - as JSON-RPC spells it
    blockHash: str  # noqa: N815
    transactionHash: str  # noqa: N815
    transactionIndex: str  # noqa: N815
    logIndex: str  # noqa: N815
    removed: bool = False
    blockTimestamp: str | None = None  # noqa: N815 - newer nodes add it


ParsedLogs: TypeAlias = tuple[list[Log], dict[BlockNumber, int]]
"""Logs, each once, and seconds by block number as far as they came with them."""
LOGS: Final = msgspec.json.Decoder(list[RawLog])
_HEADER: Final[msgspec.json.Decoder[_Header | None]] = msgspec.json.Decoder(_Header | None)


async def read_headers(rpc: Rpc, numbers: Sequence[int]) -> list[Block | None]:
    """Headers by number, None where the node has no such block.

    Raises:
        NetworkError: of `Rpc`; `rpc_answer`, a header cannot be read.
    """
    blocks: list[Block | None] = []
    for start in range(0, len(numbers), MOST_BATCH):
        asked = numbers[start : start + MOST_BATCH]
        calls = [Call("eth_getBlockByNumber", (hex(number), False)) for number in asked]
        for number, found in zip(asked, await rpc.batch(calls, form=_HEADER), strict=True):
            block = None if found is None else _block(rpc, found)
            if block is not None and block.number != number:
                unreadable(rpc, f"header of block {number}")
            blocks.append(block)
    return blocks


async def read_logs(rpc: Rpc, address: Address, low: int, high: int) -> list[RawLog]:
    """A contract's logs of a range, as one answer.

    Raises:
        NetworkError: of `Rpc`.
    """
    [found] = await rpc.batch([call_for_logs(address, low, high)], form=LOGS)
    return found


def call_for_logs(address: Address, low: int, high: int) -> Call:
    """What asks for a contract's logs of a range."""
    wanted = {"address": "0x" + address.hex(), "fromBlock": hex(low), "toBlock": hex(high)}
    return Call("eth_getLogs", (wanted,))


async def read_logs_of(rpc: Rpc, address: Address, hashes: Sequence[bytes]) -> list[RawLog]:
    """A contract's logs of single blocks.

    Raises:
        NetworkError: of `Rpc`, also if the node lacks one of the blocks.
    """
    found: list[RawLog] = []
    for start in range(0, len(hashes), MOST_BATCH):
        calls = [
            Call(
                "eth_getLogs", ({"address": "0x" + address.hex(), "blockHash": "0x" + each.hex()},)
            )
            for each in hashes[start : start + MOST_BATCH]
        ]
        for logs in await rpc.batch(calls, form=LOGS):
            found += logs
    return found


def parsed(rpc: Rpc, found: Sequence[RawLog], address: Address, low: int, high: int) -> ParsedLogs:
    """Logs of a contract, each once, and the times that came with them.

    Args:
        rpc: that gave them.
        found: in any order.
        address: of the contract; logs of others are left out, and removed ones.
        low: first block that was asked for.
        high: last one.

    Raises:
        NetworkError: `rpc_answer`, one cannot be read or is from elsewhere.
    """
    try:
        return parse(found, address, low, high)
    except ValueError:
        unreadable(rpc, f"logs of blocks {low} to {high}")


def parse(found: Sequence[RawLog], address: Address, low: int, high: int) -> ParsedLogs:
    """The same, whoever gave them.

    Raises:
        ValueError: one cannot be read or is from elsewhere.
    """
    times: dict[BlockNumber, int] = {}
    logs: dict[tuple[bytes, int], Log] = {}
    wanted = "0x" + address.hex()
    for each in found:
        if each.removed or (each.address != wanted and each.address.lower() != wanted):
            continue
        log = _log(each)
        if not low <= log.block_number <= high:
            raise ValueError("a log from outside the range")
        # Some nodes repeat a log where the pieces of their index meet.
        known = logs.setdefault((log.block_hash, log.log_index), log)
        if known is not log and known != log:
            raise ValueError("two logs at one place")
        if each.blockTimestamp is not None:
            times[log.block_number] = int(each.blockTimestamp, 16)
    return list(logs.values()), times


def unreadable(rpc: Rpc, what: str) -> NoReturn:
    """Give up an answer, and the endpoint that gave it.

    Raises:
        NetworkError: `rpc_answer`, always.
    """
    name = rpc.name
    rpc.leave()
    raise NetworkError(
        f"{name}: {what} cannot be read", code="rpc_answer", hint="Use another node."
    )


def _block(rpc: Rpc, found: _Header) -> Block:
    try:
        return Block(
            BlockNumber(int(found.number, 16)),
            _bytes(found.hash),
            _bytes(found.parentHash),
            int(found.timestamp, 16),
            _bytes(found.receiptsRoot),
            _bytes(found.logsBloom),
            found.fields(),
        )
    except ValueError:
        unreadable(rpc, "a header")


def _log(found: RawLog) -> Log:
    return Log(
        Address(_repeated(found.address)),
        tuple([_repeated(topic) for topic in found.topics]),
        _bytes(found.data),
        BlockNumber(int(found.blockNumber, 16)),
        _repeated(found.blockHash),
        _repeated(found.transactionHash),
        int(found.transactionIndex, 16),
        int(found.logIndex, 16),
    )


@lru_cache(maxsize=REPEATED)
def _repeated(text: str) -> bytes:
    """The bytes of a name that probably came before: one object for all of them."""
    return _bytes(text)


def _bytes(text: str) -> bytes:
    if text[:2] != "0x":
        raise ValueError("hex without its prefix")
    return unhexlify(text[2:])
