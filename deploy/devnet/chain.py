"""The execution chain of the local network: anvil, with one block per beacon slot.

It holds the registry and nothing else, and is not the beacon chain's own execution chain. While it
is prepared every transaction gets a block at once; from `align` on a block is mined at each slot's
start, with that time in it. Accounts are anvil's own, whose keys anybody knows.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import trio

from deploy.devnet.ports import free_ports
from deploy.devnet.process import Child
from deploy.devnet.rest import ask_rpc
from sdk.errors import ChainError, NetworkError

ANVIL: Final = Path(__file__).parents[2] / ".venv/bin/anvil"
HARDFORK: Final = "prague"
BURIAL_BLOCKS: Final = 8
"""What a node waits before it trusts a block; mined above the preparations."""
PREPARATION_SLOTS: Final = 240
"""Prepared blocks are dated back by so much, a slot apart, so that none is later than the present:
the registry's deployment, up to 13 operators and 128 validators are 160 transactions at most."""
START_PATIENCE_S: Final = 30.0
POLL_S: Final = 0.1
MOST_REORGANISED: Final = BURIAL_BLOCKS - 1
"""Blocks that a reorganisation replaces at most: operators' nodes trust what lies deeper."""


class Chain:
    """A running anvil.

    Attributes:
        url: of its JSON-RPC interface.
        child: its process.
        slot_seconds: from one block to the next.
    """

    def __init__(self, child: Child, url: str, *, slot_seconds: int) -> None:
        self.child = child
        self.url = url
        self.slot_seconds = slot_seconds
        self._genesis_time = 0
        self._next_slot = 0
        # A block at a time, and none while others are being replaced.
        self._mining = trio.Lock()

    async def ask(self, method: str, *parameters: object) -> Any:
        """The result of a JSON-RPC request.

        Raises:
            ProcessEnded: it has ended.
            NetworkError: no answer.
            ChainError: a refusal.
        """
        try:
            return await ask_rpc(self.url, method, *parameters)
        except NetworkError:
            self.child.check()  # its own end says more
            raise

    async def align(self, genesis_time: int) -> None:
        """Bury what was prepared, and mine by the beacon chain's slots from now on.

        Args:
            genesis_time: of the beacon chain, unix seconds; usually still to come.
        """
        await self.ask("evm_setAutomine", False)
        await self.ask("anvil_removeBlockTimestampInterval")
        self._genesis_time = genesis_time
        self._next_slot = self._slot_now() - BURIAL_BLOCKS + 1
        while self._next_slot <= self._slot_now():
            await self._mine_slot()

    async def mine_slots(self) -> None:
        """Never returns: a block at the start of each slot, those missed by a slow machine too."""
        while True:
            at = self._genesis_time + self._next_slot * self.slot_seconds
            await trio.sleep(max(0.0, at - time.time()))
            await self._mine_slot()

    async def reorganise(self, depth: int) -> int:
        """Replace the newest blocks by others of the same times, and return the first one's number.

        Their transactions are mined again, each one block later where there is one.

        Args:
            depth: how many blocks, from 1 to `MOST_REORGANISED`.

        Raises:
            ChainError: the chain refuses, or has no such blocks.
        """
        if not 1 <= depth <= MOST_REORGANISED:
            raise ChainError(f"{depth} blocks cannot be replaced, 1 to {MOST_REORGANISED} can")
        async with self._mining:
            head = int(await self.ask("eth_blockNumber"), 16)
            pairs = []
            for place in range(depth):
                block = await self.ask("eth_getBlockByNumber", hex(head - depth + 1 + place), False)
                for transaction in block["transactions"]:
                    raw = await self.ask("eth_getRawTransactionByHash", transaction)
                    pairs.append([raw, min(place + 1, depth - 1)])
            await self.ask("anvil_setBlockTimestampInterval", self.slot_seconds)
            try:
                await self.ask("anvil_reorg", depth, pairs)
            finally:
                await self.ask("anvil_removeBlockTimestampInterval")
        return head - depth + 1

    def _slot_now(self) -> int:
        """Negative before genesis."""
        return int((time.time() - self._genesis_time) // self.slot_seconds)

    async def _mine_slot(self) -> None:
        at = self._genesis_time + self._next_slot * self.slot_seconds
        async with self._mining:
            await self.ask("evm_setNextBlockTimestamp", at)
            await self.ask("evm_mine")
        self._next_slot += 1


@asynccontextmanager
async def running_chain(
    folder: Path, *, slot_seconds: int, port: int | None = None
) -> AsyncIterator[Chain]:
    """A fresh chain on loopback that mines every transaction at once; gone with the block.

    Args:
        folder: for its log.
        slot_seconds: of the beacon chain.
        port: where it listens, a free one if None.

    Raises:
        ProcessEnded: anvil ended instead.
        NetworkError: it does not answer in time, or is not installed.
    """
    port = port or free_ports(1)[0]
    start = int(time.time()) - PREPARATION_SLOTS * slot_seconds
    options = ("--host", "127.0.0.1", "--port", str(port), "--silent", "--hardfork", HARDFORK)
    child = Child("anvil", [ANVIL, *options, "--timestamp", str(start)], folder=folder)
    chain = Chain(child, f"http://127.0.0.1:{port}", slot_seconds=slot_seconds)
    child.start()
    try:
        await _ready(chain)
        await chain.ask("anvil_setBlockTimestampInterval", slot_seconds)
        yield chain
    finally:
        await child.stop()


async def _ready(chain: Chain) -> None:
    with trio.move_on_after(START_PATIENCE_S):
        while True:
            chain.child.check()
            try:
                await chain.ask("eth_chainId")
            except NetworkError:
                await trio.sleep(POLL_S)
            else:
                return
    raise NetworkError(f"anvil does not answer after {START_PATIENCE_S:g} s")
