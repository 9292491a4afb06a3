"""The whole local network: registry, beacon nodes, operator nodes, and what the chain says of them.

    deploy/toolchain/run .venv/bin/python -m deploy.devnet.network --slots 40

Validators 0 to 31 of 64 are run by the beacon nodes, 32 to 63 by the operators: more than a third,
so that nothing is finalized without them. With `--fork fulu` the operators are on a beacon node of
tier B, whose formats are newer and which has no peers (`deploy.devnet.later_forks`). Ends with the
demo's closing line, judged by the blocks of the beacon chain alone.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import click
import trio

from deploy.devnet.beacon import LEAD_S, BeaconOptions, running_beacons
from deploy.devnet.chain import running_chain
from deploy.devnet.inclusion import Report
from deploy.devnet.indexer import PATIENCE_S as INDEXER_PATIENCE_S
from deploy.devnet.indexer import LocalIndexer, running_indexer
from deploy.devnet.later_forks import FORKS as LATER_FORKS
from deploy.devnet.later_forks import running_later_fork
from deploy.devnet.live import Live, StartUp, report_lines
from deploy.devnet.node import BeaconNode
from deploy.devnet.observer import Observer
from deploy.devnet.operators import NEVER, LocalNode, make_nodes
from deploy.devnet.registry import LocalRegistry, set_up_registry
from deploy.devnet.screen import Screen, own_screen
from operator_node.engine.explaining import first_of
from sdk.errors import PhalanxError

VALIDATORS: Final = 64
INSIDE: Final = 32
CAPELLA: Final = "capella"
"""The fork of tier A."""
TROUBLES_SHOWN: Final = 3
FINALIZING_SLOT: Final = 39
"""A run up to this slot sees epoch 5 begin, and epoch 2 or 3 finalized if all is well."""
SETTLE_SLOTS: Final = 3
"""After the last slot that is judged: its attestations may be included in the next ones."""
ENOUGH: Final = 0.9
NODE_PATIENCE_S: Final = 60.0
NODE_LEAD_S: Final = 4
"""From the start of an operator's node to its first duty, on cores that all nodes share."""
FIRST_SLOT: Final = 8
"""Of a report. Votes of the genesis epoch have one checkpoint as source and target, and operators
agree only on votes whose source is below the target."""


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


@dataclass(frozen=True, slots=True)
class LocalNetwork:
    """A network that runs.

    Attributes:
        indexer: None unless the options ask for one.
    """

    options: NetworkOptions
    genesis_time: int
    registry: LocalRegistry
    beacons: tuple[BeaconNode, ...]
    nodes: tuple[LocalNode, ...]
    observer: Observer
    indexer: LocalIndexer | None

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
    async with AsyncExitStack() as stack:
        say("starting the registry's chain")
        chain = await stack.enter_async_context(
            running_chain(options.folder, slot_seconds=options.slot_seconds)
        )
        say(f"registering {options.operators} operators and {len(options.validators)} validators")
        registry = await set_up_registry(
            chain, options.folder, operators=options.operators, validators=options.validators
        )
        indexer = None
        if options.indexed:
            say("starting the indexer, its API and the explorer")
            indexer = await stack.enter_async_context(running_indexer(registry, options.folder))
            await indexer.until_ready(patience_s=INDEXER_PATIENCE_S)
        genesis_time = int(time.time()) + LEAD_S + NODE_LEAD_S * options.operators
        await chain.align(genesis_time)
        nursery = await stack.enter_async_context(trio.open_nursery())
        stack.callback(nursery.cancel_scope.cancel)
        nursery.start_soon(chain.mine_slots)
        if indexer is not None:
            nursery.start_soon(indexer.follower.watch)
            nursery.start_soon(indexer.server.watch)
        say(f"starting the beacon chain at {options.fork} rules")
        beacons = await stack.enter_async_context(_running_beacon_nodes(options, genesis_time))
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
        )
        for node in nodes:
            say(f"starting the node of operator {node.operator.id}: {node.api}")
            stack.push_async_callback(node.child.stop)
            node.child.start()
            nursery.start_soon(node.child.watch)
        for node in nodes:
            await node.until_answering(patience_s=NODE_PATIENCE_S)
        observer = Observer(
            urls,
            genesis_time=genesis_time,
            slot_seconds=options.slot_seconds,
            validators=VALIDATORS,
            watched=set(options.validators),
        )
        nursery.start_soon(observer.run)
        say(f"genesis in {max(0.0, genesis_time - time.time()):.0f} s")
        yield LocalNetwork(options, genesis_time, registry, beacons, nodes, observer, indexer)


@asynccontextmanager
async def _running_beacon_nodes(
    options: NetworkOptions, genesis_time: int
) -> AsyncIterator[tuple[BeaconNode, ...]]:
    """Those of the tier that has the fork."""
    if options.fork == CAPELLA:
        of_tier_a = BeaconOptions(
            folder=options.folder,
            genesis_time=genesis_time,
            slot_seconds=options.slot_seconds,
            validators=VALIDATORS,
            inside=options.inside,
            relay=options.relay,
        )
        async with running_beacons(of_tier_a) as network:
            yield network.nodes
        return
    async with running_later_fork(
        options.folder,
        genesis_time=genesis_time,
        fork=options.fork,
        slot_seconds=options.slot_seconds,
        validators=VALIDATORS,
        inside=options.inside,
    ) as node:
        yield (node,)


@click.command()
@click.option("--slots", type=click.IntRange(16, 10_000), default=40, show_default=True)
@click.option("--slot-seconds", type=click.IntRange(2, 12), default=3, show_default=True)
@click.option("--operators", type=click.Choice(["4", "7", "10", "13"]), default="4")
@click.option("--fork", type=click.Choice([CAPELLA, *LATER_FORKS]), default=CAPELLA)
@click.option("--alan", is_flag=True, help="Stay with the Alan rules; Boole otherwise.")
@click.option("--kill-at", type=int, help="Slot at which the last operator's node is killed.")
@click.option("--folder", type=click.Path(path_type=Path), help="A new one unless given.")
def main(
    slots: int,
    slot_seconds: int,
    operators: str,
    fork: str,
    alan: bool,
    kill_at: int | None,
    folder: Path | None,
) -> None:
    """Runs the network for some slots and reports what the chain says."""
    options = NetworkOptions(
        folder=folder or Path(tempfile.mkdtemp(prefix="phalanx-network-")),
        slot_seconds=slot_seconds,
        operators=int(operators),
        boole_epoch=NEVER if alan else 0,
        fork=fork,
        indexed=True,
    )
    screen = own_screen()
    screen.line(f"==> files in {options.folder}")
    try:
        report = trio.run(_live, options, screen, slots, kill_at)
    except* PhalanxError as group:
        screen.close()
        problem = first_of(group)
        click.echo(f"error: {problem}", err=True)
        sys.exit(problem.exit_code if isinstance(problem, PhalanxError) else 1)
    except* KeyboardInterrupt:
        screen.close()
        click.echo("stopped; nothing is left running", err=True)
        sys.exit(130)
    sys.exit(0 if _is_as_it_should_be(report) else 1)


def _is_as_it_should_be(report: Report) -> bool:
    """Whether nearly all votes that could be in the chain are: a busy machine costs a few.

    A run that is long enough has to finalize, too.
    """
    healthy = report.healthy_attestations
    included = sum(each.included_at is not None for each in healthy)
    has_finalized = report.finalized_epoch > 0 or report.last_slot < FINALIZING_SLOT
    return bool(healthy) and included >= ENOUGH * len(healthy) and has_finalized


async def _live(options: NetworkOptions, screen: Screen, slots: int, kill_at: int | None) -> Report:
    start = StartUp(screen)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(start.run)
        async with running_network(options, start.say) as network:
            start.end()
            if network.indexer is not None:
                screen.line(f"==> explorer and API: {network.indexer.url}/ while this runs")
            report = await _show(network, screen, slots, kill_at)
    for line in report_lines(report):
        screen.line(line)
    return report


async def _show(network: LocalNetwork, screen: Screen, slots: int, kill_at: int | None) -> Report:
    """The slots as they go by, and what the chain has of them."""
    counted = f"duties of slots {FIRST_SLOT} to {slots - 1} count"
    screen.line(f"==> {counted}; before them operators agree on no vote")
    nodes = {node.operator.id: node for node in network.nodes}
    live = Live(nodes, network.observer, screen, last_slot=slots - 1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(live.run)
        if kill_at is not None:
            nursery.start_soon(_kill, network, kill_at, screen)
        report = await network.report(FIRST_SLOT, slots - 1)
        nursery.cancel_scope.cancel()
    live.finish()
    await _show_troubles(network, screen, slots - 1)
    return report


async def _kill(network: LocalNetwork, slot: int, screen: Screen) -> None:
    """The last operator's node, late in the slot."""
    await network.observer.until_slot(slot + 0.9)
    screen.line(f"==> killing {network.nodes[-1].child.name}")
    await network.nodes[-1].child.kill()


async def _show_troubles(network: LocalNetwork, screen: Screen, last_slot: int) -> None:
    """Duties that the first operator has not done, as `phalanx node why` tells them."""
    for outcome in ("missed", "partly", "running"):
        wanted = {"from": FIRST_SLOT, "to": last_slot, "outcome": outcome, "limit": TROUBLES_SHOWN}
        if told := (await network.nodes[0].tell("/v2/duties", **wanted)).rstrip():
            screen.line(told)


if __name__ == "__main__":
    main()
