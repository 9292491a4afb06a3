"""Reorganisations of the registry's chain: other blocks, the same times and transactions."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import trio

from deploy.devnet.chain import MOST_REORGANISED, Chain, running_chain
from sdk.errors import ChainError

pytestmark = [pytest.mark.toolchain, pytest.mark.slow]

SLOT_SECONDS = 3
DEPTH = 3
DEADLINE_S = 60.0
TO = "0x" + "ab" * 20


def test_newest_blocks_are_replaced_and_mining_goes_on(tmp_path: Path) -> None:
    async def main() -> None:
        with trio.fail_after(DEADLINE_S):
            async with running_chain(tmp_path, slot_seconds=SLOT_SECONDS) as chain:
                # Far enough ahead that no block is due while the test looks.
                await chain.align(int(time.time()) + 1_000 * SLOT_SECONDS)
                sent = await transfer(chain)
                await chain._mine_slot()
                await chain._mine_slot()
                await chain._mine_slot()
                before = await blocks(chain)
                assert await chain.reorganise(DEPTH) == before[-DEPTH]["number"]
                after = await blocks(chain)
                await check(chain, before, after, sent)

    trio.run(main)


async def check(
    chain: Chain, before: list[dict[str, Any]], after: list[dict[str, Any]], sent: str
) -> None:
    assert [each["number"] for each in after] == [each["number"] for each in before]
    assert [each["timestamp"] for each in after] == [each["timestamp"] for each in before]
    hashes = [[each["hash"] for each in blocks] for blocks in (before, after)]
    assert hashes[0][:-DEPTH] == hashes[1][:-DEPTH]
    assert not set(hashes[0][-DEPTH:]) & set(hashes[1][-DEPTH:])
    assert [each["transactions"] for each in before[-DEPTH:]] == [[sent], [], []]
    assert [each["transactions"] for each in after[-DEPTH:]] == [[], [sent], []]
    assert int(await chain.ask("eth_getBalance", TO, "latest"), 16) == 1
    await chain._mine_slot()
    (last,) = (await blocks(chain))[-1:]
    assert last["timestamp"] == before[-1]["timestamp"] + SLOT_SECONDS


async def transfer(chain: Chain) -> str:
    accounts = await chain.ask("eth_accounts")
    value = {"from": accounts[5], "to": TO, "value": "0x1"}
    return str(await chain.ask("eth_sendTransaction", value))


async def blocks(chain: Chain) -> list[dict[str, Any]]:
    """Those that `align` mined, and later ones."""
    head = int(await chain.ask("eth_blockNumber"), 16)
    found = [await chain.ask("eth_getBlockByNumber", hex(n), False) for n in range(1, head + 1)]
    numbers = {"number", "timestamp"}
    return [{k: int(v, 16) if k in numbers else v for k, v in each.items()} for each in found]


@pytest.mark.parametrize("depth", [0, MOST_REORGANISED + 1])
def test_what_operators_trust_is_never_replaced(tmp_path: Path, depth: int) -> None:
    async def main() -> None:
        async with running_chain(tmp_path, slot_seconds=SLOT_SECONDS) as chain:
            with pytest.raises(ChainError, match="cannot be replaced"):
                await chain.reorganise(depth)

    trio.run(main)
