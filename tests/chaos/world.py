"""The network under trial: four operators on a real chain, a proxy before each of their upstreams.

Eight operators are registered, four of them hold the validators and run; the others' nodes are for
validators that move. It is built of the parts of `deploy.devnet`, and judged by the chain's blocks,
by what peers hear, and by what is submitted.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import trio

from deploy.devnet.beacon import LEAD_S, BeaconNetwork, BeaconOptions, running_beacons
from deploy.devnet.chain import Chain, running_chain
from deploy.devnet.inclusion import SLOTS_PER_EPOCH, AttesterDuty
from deploy.devnet.keys import interop_key
from deploy.devnet.network import (
    BEACONS,
    NODE_LEAD_S,
    NODE_PATIENCE_S,
    GenesisShares,
    share_genesis,
)
from deploy.devnet.observer import Observer
from deploy.devnet.operators import NETWORK, LocalNode, make_nodes
from deploy.devnet.process import stop_all
from deploy.devnet.registry import LocalRegistry, set_up_registry
from deploy.devnet.rest import ask_any
from operator_node.spec.config import from_config
from operator_node.validation import Chain as ProtocolChain
from operator_node.validation.registry_view import KnownCommittee
from operator_node.wire.generations import ForkEpochs, Generation
from operator_node.wire.ids import DomainType
from sdk.files import make_private_folder, write_private
from sdk.types import Epoch, parse_hex
from tests.chaos.beacon_proxy import BeaconProxy
from tests.chaos.execution_proxy import ExecutionProxy
from tests.chaos.submitted import Submitted
from tests.e2e.spy import Spy
from tests.e2e.witness import Witness

HELD: Final = 32
SPARE: Final = 8
"""Validators that nobody runs, until a fault registers them."""
REGISTERED: Final = 8
RUNNING: Final = 4
DISJOINT: Final = (5, 6, 7, 8)
OVERLAPPING: Final = (3, 4, 5, 6)
COMMITTEES: Final = ((1, 2, 3, 4), DISJOINT, OVERLAPPING)
"""Each has a topic, and each topic a spy."""
QUORUM: Final = 3


class DutyBook(Observer):
    """An observer that shows the duties which it has written down."""

    def attesters(self) -> list[AttesterDuty]:
        """Of all validators, in all epochs so far."""
        return [duty for epoch in list(self._duties.values()) for duty in epoch.attesters]


@dataclass(slots=True)
class World:
    """The network while it runs.

    Attributes:
        everybody: the registry with all operators; `registry` has the committee's alone.
        nodes: by operator id, also those that do not run; a fault may put another in.
        running: operators whose nodes are to run now.
        observer: of the held validators; `spares` of those that faults register.
        beacon_proxies: by operator, in the order of its settings.
        execution_proxies: by operator.
        undo: what is left to be done when all processes have ended, whatever ended them.
        lies: operators, each with the slots in which its signatures are no finding.
    """

    folder: Path
    slot_seconds: int
    shares: GenesisShares
    chain: Chain
    everybody: LocalRegistry
    registry: LocalRegistry
    beacons: BeaconNetwork
    nodes: dict[int, LocalNode]
    observer: DutyBook
    spares: DutyBook
    spies: tuple[Spy, ...]
    witness: Witness
    genesis_validators_root: bytes
    submitted: Submitted
    beacon_proxies: dict[int, tuple[BeaconProxy, ...]]
    execution_proxies: dict[int, ExecutionProxy]
    say: Callable[[str], None]
    undo: ExitStack
    running: set[int] = field(default_factory=set)
    spare: list[int] = field(default_factory=list)
    lies: list[tuple[int, range]] = field(default_factory=list)

    @property
    def slot(self) -> int:
        """By the clock."""
        return self.observer.current_slot()

    @property
    def topic(self) -> str:
        """On which the running operators' committee speaks."""
        forks, none = ForkEpochs(SLOTS_PER_EPOCH, Epoch(0)), DomainType(b"")
        wire = ProtocolChain(NETWORK, forks, none, none)
        subnet = KnownCommittee.of(COMMITTEES[0], ()).subnet(Generation.BOOLE)
        return wire.topic(Generation.BOOLE, subnet)

    async def until_slot(self, slot: float) -> None:
        """Return when it has begun."""
        await self.observer.until_slot(slot)

    def is_lie(self, operator: int, slot: int) -> bool:
        """Whether the operator was byzantine then."""
        return any(who == operator and slot in slots for who, slots in self.lies)

    def live_nodes(self) -> list[LocalNode]:
        """Of the operators that are to run."""
        return [self.nodes[each] for each in sorted(self.running)]


@dataclass(frozen=True, slots=True)
class _Upstreams:
    """What a node's settings name."""

    beacons: tuple[BeaconProxy, ...]
    execution: ExecutionProxy


@asynccontextmanager
async def running_world(
    folder: Path, *, slot_seconds: int, say: Callable[[str], None]
) -> AsyncIterator[World]:
    """Everything started, before genesis; everything ended on leaving.

    Args:
        folder: of all files.
        slot_seconds: length of a slot.
        say: told each step, for people.

    Raises:
        PhalanxError: a part does not start.
    """
    shares = share_genesis(HELD, spare=SPARE)
    async with AsyncExitStack() as stack:
        undo = stack.enter_context(ExitStack())
        say("starting the registry's chain")
        chain = await stack.enter_async_context(running_chain(folder, slot_seconds=slot_seconds))
        say(f"registering {REGISTERED} operators and {HELD} validators")
        everybody = await set_up_registry(chain, folder, operators=REGISTERED)
        registry = replace(everybody, operators=everybody.operators[:RUNNING])
        await registry.register(shares.held)
        genesis_time = int(time.time()) + LEAD_S + NODE_LEAD_S * RUNNING
        await chain.align(genesis_time)
        nursery = await stack.enter_async_context(trio.open_nursery())
        stack.callback(nursery.cancel_scope.cancel)
        nursery.start_soon(chain.mine_slots)
        say("starting two beacon nodes")
        options = BeaconOptions(
            folder=folder,
            genesis_time=genesis_time,
            slot_seconds=slot_seconds,
            nodes=BEACONS,
            validators=shares.genesis,
            inside=shares.inside,
        )
        beacons = await stack.enter_async_context(running_beacons(options))
        submitted = Submitted()
        upstreams = await _start_proxies(nursery, everybody, beacons, submitted)
        spies = tuple(_spy(folder / f"spy-{place}", each) for place, each in enumerate(COMMITTEES))
        for spy in spies:
            await stack.enter_async_context(spy.listening())
        trusted = [spy.place for spy in spies]
        nodes = make_nodes(everybody, folder, beacon_urls=beacons.urls, trusted=trusted)
        stack.push_async_callback(stop_all, [node.child for node in nodes])
        for node in nodes:
            _turn_to(node, upstreams[node.operator.id])
        for node in nodes[:RUNNING]:
            say(f"starting the node of operator {node.operator.id}: {node.api}")
            node.child.start()
        for node in nodes[:RUNNING]:
            await node.until_answering(patience_s=NODE_PATIENCE_S)
        observer, spares = (
            DutyBook(
                beacons.urls,
                genesis_time=genesis_time,
                slot_seconds=slot_seconds,
                validators=shares.genesis,
                watched=set(watched),
            )
            for watched in (shares.held, shares.spare)
        )
        nursery.start_soon(observer.run)
        nursery.start_soon(spares.run)
        root, witness = await _witness(beacons.urls, range(shares.genesis))
        world = World(
            folder=folder,
            slot_seconds=slot_seconds,
            shares=shares,
            chain=chain,
            everybody=everybody,
            registry=registry,
            beacons=beacons,
            nodes={int(node.operator.id): node for node in nodes},
            observer=observer,
            spares=spares,
            spies=spies,
            witness=witness,
            genesis_validators_root=root,
            submitted=submitted,
            beacon_proxies={operator: each.beacons for operator, each in upstreams.items()},
            execution_proxies={operator: each.execution for operator, each in upstreams.items()},
            say=say,
            undo=undo,
            running=set(range(1, RUNNING + 1)),
            spare=list(shares.spare),
        )
        say(f"genesis in {observer.seconds_to_genesis():.0f} s")
        yield world


async def _start_proxies(
    nursery: trio.Nursery,
    registry: LocalRegistry,
    beacons: BeaconNetwork,
    submitted: Submitted,
) -> dict[int, _Upstreams]:
    """Each operator's own, so that a fault can be one operator's; each prefers another node."""
    found: dict[int, _Upstreams] = {}
    for place, operator in enumerate(registry.operator_ids):
        first = place % len(beacons.urls)
        turned = (*beacons.urls[first:], *beacons.urls[:first])
        own = tuple(BeaconProxy(url, submitted) for url in turned)
        execution = ExecutionProxy(registry.chain.url, registry.deployment.registry)
        for proxy in (*own, execution):
            await nursery.start(proxy.run)
        found[int(operator)] = _Upstreams(own, execution)
    return found


def _spy(folder: Path, committee: tuple[int, ...]) -> Spy:
    make_private_folder(folder)
    return Spy(folder, committee)


def _turn_to(node: LocalNode, upstreams: _Upstreams) -> None:
    """Write its settings anew, with the proxies for upstreams."""
    change_settings(
        node.config,
        eth2={"BeaconNodeAddr": ";".join(each.url for each in upstreams.beacons)},
        eth1={"ETH1Addr": upstreams.execution.url},
    )


def change_settings(config: Path, **sections: object) -> None:
    """Write a node's settings file anew, with these top-level entries instead of its own."""
    settings = json.loads(config.read_bytes()) | sections
    write_private(config, json.dumps(settings, indent=2).encode(), overwrite=True)


async def _witness(urls: Sequence[str], validators: range) -> tuple[bytes, Witness]:
    """The chain's genesis validators root, and a witness that knows every validator."""
    config = (await ask_any(urls, "/eth/v1/config/spec"))["data"]
    genesis = (await ask_any(urls, "/eth/v1/beacon/genesis"))["data"]
    root = parse_hex(genesis["genesis_validators_root"], what="root")
    spec = from_config(
        config, genesis_time=int(genesis["genesis_time"]), genesis_validators_root=root
    )
    keys = {index: interop_key(index) for index in validators}
    return root, Witness(spec, Generation.BOOLE, keys)
