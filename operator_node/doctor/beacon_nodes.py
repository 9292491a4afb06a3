"""One beacon node: right chain, synced, quick under load, with peers, liveness and events.

Source: Ethereum Beacon APIs; docs/run-a-node.md, "Before you trust it with money".
"""

from __future__ import annotations

from typing import Final

import httpx
import msgspec
import trio

from operator_node.beacon.answers import read
from operator_node.beacon.endpoint import Request
from operator_node.beacon.node import BeaconNode
from operator_node.beacon.trouble import NodeTrouble
from operator_node.clock import wall_ms
from operator_node.config import NetworkSettings
from operator_node.doctor.checks import Check, Verdict, at_least, at_most, yes_or_no
from operator_node.spec.chain import ChainSpec
from sdk.types import Epoch

REQUESTS: Final = 200
AT_ONCE: Final = 4
"""As a node asks beside its duties."""
ANSWER_S: Final = 10.0
"""For each kind of question; whoever needs longer is no use to a duty."""
LOAD_S: Final = 30.0
SYNCED_SLOTS: Final = 4
PEERS_GOOD: Final = 50
PEERS_AVERAGE: Final = 20
_LIVENESS: Final = (
    "Switch it on (Teku: --beacon-liveness-tracking-enabled=true), or add a beacon node that has "
    "it: new validators are watched by it for another user of their key."
)


class _PeerCount(msgspec.Struct):
    connected: str


async def check_beacon_node(
    url: str, network: NetworkSettings, *, transport: httpx.AsyncBaseTransport | None = None
) -> list[Check]:
    """All about one beacon node; whatever it does ends in a finding."""
    node = BeaconNode(url, transport=transport)
    part = f"beacon node {node.name}"
    try:
        try:
            with trio.fail_after(ANSWER_S):
                await node.learn_client()
                chain = await node.chain()
        except (NodeTrouble, trio.TooSlowError) as problem:
            return [_down(part, problem)]
        checks = [Check(part, "client", Verdict.GOOD, node.client or "not told")]
        checks.append(_chain(part, chain, network))
        for name, step in _STEPS.items():
            try:
                with trio.fail_after(LOAD_S if step is _load else ANSWER_S):
                    checks.append(await step(part, node, chain, network))
            except (NodeTrouble, trio.TooSlowError) as problem:
                told = _told(problem)
                checks.append(yes_or_no(part, name, False, told, "Look at its log."))
        return checks
    finally:
        with trio.CancelScope(shield=True):
            await node.endpoint.aclose()


def _down(part: str, problem: Exception) -> Check:
    advice = "Check eth2.BeaconNodeAddr, and that its REST API is on and open to this machine."
    return yes_or_no(part, "answers", False, _told(problem), advice)


def _told(problem: Exception) -> str:
    return problem.text if isinstance(problem, NodeTrouble) else "no answer in time"


def _chain(part: str, chain: ChainSpec, network: NetworkSettings) -> Check:
    expected = network.genesis_validators_root
    is_right = expected is None or chain.genesis_validators_root == expected
    found = f"genesis validators root 0x{chain.genesis_validators_root.hex()}"
    advice = f"It is not on the chain of {network.name}: name another beacon node."
    return yes_or_no(part, "chain", is_right, found, advice)


async def _sync(part: str, node: BeaconNode, chain: ChainSpec, network: NetworkSettings) -> Check:
    found = await node.syncing()
    slot = (wall_ms() // 1000 - chain.genesis_time) // chain.seconds_per_slot
    behind = max(slot - found.head_slot, 0)
    flags = [
        text
        for is_set, text in (
            (found.is_optimistic, "optimistic: its execution node is not synced"),
            (found.el_offline, "its execution node is away"),
        )
        if is_set
    ]
    is_good = not flags and found.sync_distance <= SYNCED_SLOTS
    told = "; ".join([f"head {found.head_slot}, {behind} slots before the clock's {slot}", *flags])
    return yes_or_no(part, "sync", is_good, told, "Wait for it, and look at its execution node.")


async def _peers(part: str, node: BeaconNode, chain: ChainSpec, network: NetworkSettings) -> Check:
    request = Request(path="/eth/v1/node/peer_count", is_urgent=False)
    found = await node.read(request, lambda data: read(data.data, _PeerCount))
    count = int(found.connected)
    is_public = network.genesis_validators_root is not None
    return at_least(
        part,
        "peers",
        count,
        good=PEERS_GOOD if is_public else 0,
        average=PEERS_AVERAGE if is_public else 0,
        unit="peers",
        advice="Open its peer-to-peer port: votes and blocks reach few others.",
    )


async def _liveness(
    part: str, node: BeaconNode, chain: ChainSpec, network: NetworkSettings
) -> Check:
    slot = (wall_ms() // 1000 - chain.genesis_time) // chain.seconds_per_slot
    epoch = Epoch(max(slot // chain.slots_per_epoch, 0))
    try:
        await node.liveness(epoch, (0,))
    except NodeTrouble as problem:
        return Check(part, "liveness", Verdict.AVERAGE, problem.text, advice=_LIVENESS)
    return yes_or_no(part, "liveness", True, "told", "")


async def _events(part: str, node: BeaconNode, chain: ChainSpec, network: NetworkSettings) -> Check:
    request = Request(
        path="/eth/v1/events", params=(("topics", "head"),), accept="text/event-stream"
    )
    try:
        async with node.endpoint.stream(request):
            return yes_or_no(part, "events", True, "heads are told", "")
    except NodeTrouble as problem:
        advice = "Switch its events on; without them votes wait for a third of the slot."
        return Check(part, "events", Verdict.AVERAGE, problem.text, advice=advice)


async def _load(part: str, node: BeaconNode, chain: ChainSpec, network: NetworkSettings) -> Check:
    took: list[float] = []
    left = iter(range(REQUESTS))

    async def ask() -> None:
        for _ in left:
            began = trio.current_time()
            await node.syncing()
            took.append(1000 * (trio.current_time() - began))

    failed: list[NodeTrouble] = []

    async def worker() -> None:
        try:
            await ask()
        except NodeTrouble as problem:
            failed.append(problem)

    async with trio.open_nursery() as nursery:
        for _ in range(AT_ONCE):
            nursery.start_soon(worker)
    if failed:
        raise failed[0]
    return at_most(
        part,
        "latency",
        sorted(took)[len(took) * 9 // 10],
        good=40,
        average=100,
        unit=f"ms (p90 of {len(took)} requests)",
        advice="Bring it nearer to this machine, or give it more processor and a faster disk.",
    )


_STEPS: Final = {
    "sync": _sync,
    "peers": _peers,
    "liveness": _liveness,
    "events": _events,
    "latency": _load,
}
