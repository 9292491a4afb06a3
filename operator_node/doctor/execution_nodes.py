"""One execution node: right chain, synced, quick, and the registry's history is whole.

The first block with events of the contract is known by its receipts root: a node whose receipts do
not make that root, or that has them no more, could not prove what it says.

Source: ethereum/execution-apis; docs/run-a-node.md, "Before you trust it with money".
"""

from __future__ import annotations

from typing import Final

import httpx
import msgspec
import trio

from operator_node.config import NetworkSettings
from operator_node.doctor.checks import Check, Verdict, at_most, yes_or_no
from sdk.chain import Rpc
from sdk.chain.receipts import Receipt, receipts_root
from sdk.errors import ConfigError, NetworkError

REQUESTS: Final = 20
ANSWER_S: Final = 20.0
FIRST_BLOCKS: Final = (10_000, 500)
"""Blocks from the contract's first one in which it has events; nodes limit how many they search."""
_HEX: Final = msgspec.json.Decoder(str)
_ANY: Final = msgspec.json.Decoder(bool | dict[str, object])
_PRUNED: Final = (
    "Keep receipts and logs from the registry's first block on (Geth: --history.logs=0 and "
    "--history.chain=all; Nethermind: Receipt.StoreReceipts; Besu: no pruning; Erigon: "
    "--prune.mode=archive or full with receipts), or name a node that has them."
)


class _Log(msgspec.Struct):
    blockNumber: str  # noqa: N815 - as JSON-RPC spells it


class _Header(msgspec.Struct):
    receiptsRoot: str  # noqa: N815


_LOGS: Final = msgspec.json.Decoder(list[_Log])
_HEADER: Final = msgspec.json.Decoder(_Header | None)
_RECEIPTS: Final = msgspec.json.Decoder(list[Receipt] | None)


async def check_execution_node(
    url: str, network: NetworkSettings, *, transport: httpx.AsyncBaseTransport | None = None
) -> list[Check]:
    """All about one execution node; whatever it does ends in a finding."""
    async with Rpc([url], transport=transport) as rpc:
        rpc.answer_s = ANSWER_S
        part = f"execution node {rpc.name}"
        try:
            with trio.fail_after(ANSWER_S):
                chain_id = await _number(rpc, "eth_chainId")
        except (NetworkError, ConfigError, trio.TooSlowError) as problem:
            advice = "Check eth1.ETH1Addr, and that its JSON-RPC is on and open to this machine."
            return [yes_or_no(part, "answers", False, _told(problem), advice)]
        is_right = network.chain_id in (None, chain_id)
        advice = f"It is not on the chain of {network.name}: name another execution node."
        checks = [yes_or_no(part, "chain", is_right, f"chain id {chain_id}", advice)]
        if not is_right:
            return checks
        for step in (_sync, _latency, _history):
            try:
                with trio.fail_after(ANSWER_S * 2):
                    checks += await step(part, rpc, network)
            except (NetworkError, ConfigError, trio.TooSlowError) as problem:
                name = step.__name__.removeprefix("_")
                checks.append(yes_or_no(part, name, False, _told(problem), "Look at its log."))
        return checks


def _told(problem: Exception) -> str:
    if isinstance(problem, NetworkError | ConfigError):
        return problem.message
    return "no answer in time"


async def _number(rpc: Rpc, method: str) -> int:
    text: str = await rpc.call(method, form=_HEX)
    return int(text, 16)


async def _sync(part: str, rpc: Rpc, network: NetworkSettings) -> list[Check]:
    syncing = await rpc.call("eth_syncing", form=_ANY)
    head = await _number(rpc, "eth_blockNumber")
    told = f"head {head}" + ("" if syncing is False else ", still syncing")
    return [yes_or_no(part, "sync", syncing is False, told, "Wait for it.")]


async def _latency(part: str, rpc: Rpc, network: NetworkSettings) -> list[Check]:
    took = []
    for _ in range(REQUESTS):
        began = trio.current_time()
        await _number(rpc, "eth_blockNumber")
        took.append(1000 * (trio.current_time() - began))
    return [
        at_most(
            part,
            "latency",
            sorted(took)[REQUESTS * 9 // 10],
            good=200,
            average=1000,
            unit="ms (p90)",
            advice="No duty waits for it; the first sync of the registry takes longer.",
        )
    ]


async def _history(part: str, rpc: Rpc, network: NetworkSettings) -> list[Check]:
    """The contract's first events, and that their block's receipts prove them."""
    name = "history"
    number = await _first_event(rpc, network)
    if number is None:
        is_public = network.genesis_validators_root is not None
        verdict = Verdict.POOR if is_public else Verdict.UNKNOWN
        found = f"no event of the registry soon after block {network.registry_block}"
        return [Check(part, name, verdict, found, advice=_PRUNED)]
    header = await rpc.call("eth_getBlockByNumber", hex(number), False, form=_HEADER)
    try:
        receipts = await rpc.call("eth_getBlockReceipts", hex(number), form=_RECEIPTS)
    except NetworkError as problem:
        return [Check(part, name, Verdict.AVERAGE, problem.message, advice=_PRUNED)]
    if header is None or receipts is None:
        found = f"block {number} has an event and no receipts any more"
        return [yes_or_no(part, name, False, found, _PRUNED)]
    is_proven = f"0x{receipts_root(receipts).hex()}" == header.receiptsRoot
    found = f"first event in block {number}, receipts " + (
        "as its header says" if is_proven else "that are not those of its header"
    )
    advice = "Do not use it: what it says of this block is not true, or its database is damaged."
    return [yes_or_no(part, name, is_proven, found, advice)]


async def _first_event(rpc: Rpc, network: NetworkSettings) -> int | None:
    refused: NetworkError | None = None
    for count in FIRST_BLOCKS:
        wanted = {
            "address": f"0x{network.registry.hex()}",
            "fromBlock": hex(network.registry_block),
            "toBlock": hex(network.registry_block + count),
        }
        try:
            logs = await rpc.call("eth_getLogs", wanted, form=_LOGS)
        except NetworkError as problem:  # too many blocks for this node
            refused = problem
            continue
        return int(logs[0].blockNumber, 16) if logs else None
    raise refused or NetworkError("nothing was asked for")
