"""The whole local network: registry, beacon nodes, operator nodes, and what the chain says of them.

    deploy/toolchain/run .venv/bin/python -m deploy.devnet.network --slots 40

Validators 0 to 31 of 64 are run by the beacon nodes, 32 to 63 by the operators: more than a third,
so that nothing is finalized without them. With `--fork fulu` the operators are on a beacon node of
tier B, whose formats are newer and which has no peers (`deploy.devnet.later_forks`). The command is
`deploy.devnet.demo`; this module starts the parts and ends them.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import trio

from deploy.devnet.beacon import LEAD_S, BeaconNetwork, BeaconOptions, running_beacons
from deploy.devnet.chain import running_chain
from deploy.devnet.inclusion import SLOTS_PER_EPOCH, Report
from deploy.devnet.indexer import PATIENCE_S as INDEXER_PATIENCE_S
from deploy.devnet.indexer import LocalIndexer, running_indexer
from deploy.devnet.later_forks import running_later_fork
from deploy.devnet.node import BeaconNode
from deploy.devnet.observer import Observer
from deploy.devnet.operators import LocalNode, make_nodes
from deploy.devnet.ports import PortPlan, free_ports
from deploy.devnet.process import stop_all
from deploy.devnet.registry import LocalRegistry, set_up_registry

VALIDATORS: Final = 64
INSIDE: Final = 32
CAPELLA: Final = "capella"
"""The fork of tier A."""
BEACONS: Final = 2
"""Of tier A."""
SETTLE_SLOTS: Final = 3
"""After the last slot that is judged: its attestations may be included in the next ones."""
NODE_PATIENCE_S: Final = 60.0
NODE_LEAD_S: Final = 4
"""From the start of an operator's node to its first duty, on cores that all nodes share."""
FIRST_SLOT: Final = 8
"""Of a report. Votes of the genesis epoch have one checkpoint as source and target, and operators
agree only on votes whose source is below the target."""


@dataclass(frozen=True, slots=True)
class GenesisShares:
    """Who runs which of the genesis validators.

    Attributes:
        genesis: how many there are.
        inside: how many the beacon nodes run, from 0 on.
        held: by the operators.
        spare: by nobody, yet.
    """

    genesis: int
    inside: int
    held: tuple[int, ...]
    spare: tuple[int, ...]


def share_genesis(held: int, *, spare: int = 0) -> GenesisShares:
    """The operators' validators after those of the beacon nodes, which run at least as many."""
    genesis = max(VALIDATORS, 2 * (held + spare))
    inside = genesis - held - spare
    return GenesisShares(
        genesis,
        inside,
        tuple(range(inside, inside + held)),
        tuple(range(inside + held, genesis)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkOptions:
    """What the network is like.

    Attributes:
        folder: of all its files.
        slot_seconds: length of a slot.
        operators: 4, 7, 10 or 13, all in one committee.
        validators: genesis indices that the operators hold.
        inside: how many, from 0 on, the beacon nodes run themselves.
        boole_epoch: when Boole begins; `NEVER` stays with Alan.
        relay: builder relay of the beacon nodes, which only those of tier A tell anything.
        fork: of the beacon chain; `CAPELLA` for tier A, one of tier B's otherwise.
        trusted: peers that the operators' nodes stay connected to, as multiaddresses.
        settings: further ones of all operators' nodes, as in their files.
        indexed: whether an indexer follows the registry and serves API and explorer.
        genesis: validators of the beacon chain.
        spare: genesis indices that nobody runs, to be registered while the network lives.
        ports: where the parts listen; on any free ports if None.
    """

    folder: Path
    slot_seconds: int = 3
    operators: int = 4
    validators: tuple[int, ...] = tuple(range(INSIDE, VALIDATORS))
    inside: int = INSIDE
    boole_epoch: int = 0
    relay: str | None = None
    fork: str = CAPELLA
    trusted: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    indexed: bool = False
    genesis: int = VALIDATORS
    spare: tuple[int, ...] = ()
    ports: PortPlan | None = None


@dataclass(frozen=True, slots=True)
class LocalNetwork:
    """A network that runs.

    Attributes:
        indexer: None unless the options ask for one.
        peered: the beacon nodes of tier A; None with tier B, whose one node has no peers.
        began_at: when its first process was started, unix seconds.
    """

    options: NetworkOptions
    genesis_time: int
    registry: LocalRegistry
    beacons: tuple[BeaconNode, ...]
    nodes: tuple[LocalNode, ...]
    observer: Observer
    indexer: LocalIndexer | None
    peered: BeaconNetwork | None
    began_at: float

    async def first_duty(self) -> tuple[int, float] | None:
        """The slot of the first block that shows a duty of the operators, and seconds until then.

        Counted from the start of the first process to the slot's beginning; None if the first two
        epochs have no such block.
        """
        last_slot = min(2 * SLOTS_PER_EPOCH - 1, self.observer.current_slot())
        slot = (await self.observer.report(0, last_slot)).first_done_in
        if slot is None:
            return None
        return slot, self.genesis_time + slot * self.options.slot_seconds - self.began_at

    async def report(self, first_slot: int, last_slot: int) -> Report:
        """What the chain says of the operators' validators, once it can be told."""
        await self.observer.until_slot(last_slot + SETTLE_SLOTS)
        return await self.observer.report(first_slot, last_slot)


@asynccontextmanager
async def running_network(
    options: NetworkOptions, say: Callable[[str], None]
) -> AsyncIterator[LocalNetwork]:
    """Everything started, before genesis; everything ended on leaving.

    Args:
        options: of the network.
        say: told each step, for people.

    Raises:
        PhalanxError: a part does not start, or ended by itself; its name and log are told.
    """
    ports, began_at = options.ports, time.time()
    if ports is not None:
        ports.refuse_taken(beacons=BEACONS, operators=options.operators)
    async with AsyncExitStack() as stack:
        say("starting the registry's chain")
        chain = await stack.enter_async_context(
            running_chain(
                options.folder,
                slot_seconds=options.slot_seconds,
                port=None if ports is None else ports.chain,
            )
        )
        say(f"registering {options.operators} operators and {len(options.validators)} validators")
        registry = await set_up_registry(
            chain, options.folder, operators=options.operators, validators=options.validators
        )
        # Before the beacon nodes start: the explorer is told where they will be.
        indexer_port, *beacon_ports = (
            free_ports(1 + 2 * BEACONS)
            if ports is None
            else (ports.indexer, *ports.beacons(BEACONS))
        )
        indexer = None
        if options.indexed:
            say("starting the indexer, its API and the explorer")
            serving = running_indexer(
                registry,
                options.folder,
                port=indexer_port,
                beacon_url=f"http://127.0.0.1:{beacon_ports[0]}",
            )
            indexer = await stack.enter_async_context(serving)
            await indexer.until_ready(patience_s=INDEXER_PATIENCE_S)
        genesis_time = int(time.time()) + LEAD_S + NODE_LEAD_S * options.operators
        await chain.align(genesis_time)
        nursery = await stack.enter_async_context(trio.open_nursery())
        stack.callback(nursery.cancel_scope.cancel)
        nursery.start_soon(chain.mine_slots)
        nursery.start_soon(chain.child.watch)
        if indexer is not None:
            nursery.start_soon(indexer.follower.watch)
            nursery.start_soon(indexer.server.watch)
        say(f"starting the beacon chain at {options.fork} rules")
        beacons, peered = await stack.enter_async_context(
            _running_beacon_nodes(options, genesis_time, tuple(beacon_ports))
        )
        for beacon in beacons:
            nursery.start_soon(beacon.child.watch)
        urls = [beacon.url for beacon in beacons]
        nodes = make_nodes(
            registry,
            options.folder,
            beacon_urls=urls,
            boole_epoch=options.boole_epoch,
            trusted=options.trusted,
            extra=options.settings,
            ports=None if ports is None else ports.operators(options.operators),
        )
        stack.push_async_callback(stop_all, [node.child for node in nodes])
        for node in nodes:
            say(f"starting the node of operator {node.operator.id}: {node.api}")
            node.child.start()
            nursery.start_soon(node.child.watch)
        for node in nodes:
            await node.until_answering(patience_s=NODE_PATIENCE_S)
        observer = Observer(
            urls,
            genesis_time=genesis_time,
            slot_seconds=options.slot_seconds,
            validators=options.genesis,
            watched=set(options.validators),
        )
        nursery.start_soon(observer.run)
        say(f"genesis in {max(0.0, genesis_time - time.time()):.0f} s")
        yield LocalNetwork(
            options, genesis_time, registry, beacons, nodes, observer, indexer, peered, began_at
        )


@asynccontextmanager
async def _running_beacon_nodes(
    options: NetworkOptions, genesis_time: int, ports: tuple[int, ...]
) -> AsyncIterator[tuple[tuple[BeaconNode, ...], BeaconNetwork | None]]:
    """Those of the tier that has the fork, at these ports; and what peers them, in tier A."""
    if options.fork == CAPELLA:
        of_tier_a = BeaconOptions(
            folder=options.folder,
            genesis_time=genesis_time,
            slot_seconds=options.slot_seconds,
            nodes=BEACONS,
            validators=options.genesis,
            inside=options.inside,
            relay=options.relay,
            ports=ports,
        )
        async with running_beacons(of_tier_a) as network:
            yield network.nodes, network
        return
    async with running_later_fork(
        options.folder,
        genesis_time=genesis_time,
        fork=options.fork,
        slot_seconds=options.slot_seconds,
        validators=options.genesis,
        inside=options.inside,
        port=ports[0],
    ) as node:
        yield (node,), None


if __name__ == "__main__":
    # By name: it stands on this module.
    import_module("deploy.devnet.demo").main()
