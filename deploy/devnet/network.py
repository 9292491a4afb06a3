"""The whole local network: registry, beacon nodes, operator nodes, and what the chain says of them.

    deploy/toolchain/run .venv/bin/python -m deploy.devnet.network --slots 40

Validators 0 to 31 of 64 are run by the beacon nodes, 32 to 63 by the operators: more than a third,
so that nothing is finalized without them. Ends with the demo's closing line, judged by the blocks
of the beacon chain alone.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click
import trio

from deploy.devnet.beacon import LEAD_S, BeaconNetwork, BeaconOptions, running_beacons
from deploy.devnet.chain import running_chain
from deploy.devnet.inclusion import Report
from deploy.devnet.observer import Observer
from deploy.devnet.operators import NEVER, LocalNode, make_nodes
from deploy.devnet.registry import LocalRegistry, set_up_registry
from operator_node.engine.explaining import first_of
from sdk.errors import PhalanxError

VALIDATORS: Final = 64
INSIDE: Final = 32
TROUBLES_SHOWN: Final = 10
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
        boole_epoch: when Boole begins; `NEVER` stays with Alan.
        relay: builder relay of the beacon nodes.
    """

    folder: Path
    slot_seconds: int = 3
    operators: int = 4
    validators: tuple[int, ...] = tuple(range(INSIDE, VALIDATORS))
    boole_epoch: int = 0
    relay: str | None = None


@dataclass(frozen=True, slots=True)
class LocalNetwork:
    """A network that runs."""

    options: NetworkOptions
    registry: LocalRegistry
    beacons: BeaconNetwork
    nodes: tuple[LocalNode, ...]
    observer: Observer

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
        genesis_time = int(time.time()) + LEAD_S + NODE_LEAD_S * options.operators
        await chain.align(genesis_time)
        nursery = await stack.enter_async_context(trio.open_nursery())
        stack.callback(nursery.cancel_scope.cancel)
        nursery.start_soon(chain.mine_slots)
        say("starting two beacon nodes")
        beacons = await stack.enter_async_context(
            running_beacons(
                BeaconOptions(
                    folder=options.folder,
                    genesis_time=genesis_time,
                    slot_seconds=options.slot_seconds,
                    validators=VALIDATORS,
                    inside=INSIDE,
                    relay=options.relay,
                )
            )
        )
        nursery.start_soon(beacons.watch)
        nodes = make_nodes(
            registry,
            options.folder,
            beacon_urls=beacons.urls,
            boole_epoch=options.boole_epoch,
        )
        for node in nodes:
            say(f"starting the node of operator {node.operator.id}: {node.api}")
            stack.push_async_callback(node.child.stop)
            node.child.start()
            nursery.start_soon(node.child.watch)
        for node in nodes:
            await node.until_answering(patience_s=NODE_PATIENCE_S)
        observer = Observer(
            beacons.urls,
            genesis_time=genesis_time,
            slot_seconds=options.slot_seconds,
            validators=VALIDATORS,
            watched=set(options.validators),
        )
        nursery.start_soon(observer.run)
        say(f"genesis in {max(0.0, genesis_time - time.time()):.0f} s")
        yield LocalNetwork(options, registry, beacons, nodes, observer)


@click.command()
@click.option("--slots", type=click.IntRange(16, 10_000), default=40, show_default=True)
@click.option("--slot-seconds", type=click.IntRange(2, 12), default=3, show_default=True)
@click.option("--operators", type=click.Choice(["4", "7", "10", "13"]), default="4")
@click.option("--alan", is_flag=True, help="Stay with the Alan rules; Boole otherwise.")
@click.option("--kill-at", type=int, help="Slot at which the last operator's node is killed.")
@click.option("--folder", type=click.Path(path_type=Path), help="A new one unless given.")
def main(
    slots: int,
    slot_seconds: int,
    operators: str,
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
    )
    _say(f"files in {options.folder}")
    try:
        report = trio.run(_live, options, slots, kill_at)
    except* PhalanxError as group:
        problem = first_of(group)
        click.echo(f"error: {problem}", err=True)
        sys.exit(problem.exit_code if isinstance(problem, PhalanxError) else 1)
    except* KeyboardInterrupt:
        click.echo("stopped; nothing is left running", err=True)
        sys.exit(130)
    sys.exit(0 if _is_as_it_should_be(report) else 1)


def _say(text: str) -> None:
    click.echo(f"==> {text}", err=True)


def _is_as_it_should_be(report: Report) -> bool:
    """Whether nearly all votes that could be in the chain are: a busy machine costs a few."""
    healthy = report.healthy_attestations
    included = sum(each.included_at is not None for each in healthy)
    return bool(healthy) and included >= ENOUGH * len(healthy)


async def _live(options: NetworkOptions, slots: int, kill_at: int | None) -> Report:
    async with running_network(options, _say) as network:
        for slot in range(slots):
            await network.observer.until_slot(slot + 0.9)
            if slot == kill_at:
                _say(f"killing {network.nodes[-1].child.name}")
                await network.nodes[-1].child.kill()
            await _show_slot(network, slot)
        report = await network.report(FIRST_SLOT, slots - 1)
        await _show_troubles(network, slots - 1)
        _show_report(report)
        return report


async def _show_slot(network: LocalNetwork, slot: int) -> None:
    """What the first operator says of the slot."""
    found = await network.nodes[0].ask("/v2/duties", slot=slot)
    told = [
        f"{duty['id']} {duty['outcome']}"
        + ("" if duty["reason"] in (None, "done") else f" ({duty['reason']})")
        for duty in found["data"]
    ]
    click.echo(f"slot {slot:>3}: " + ("; ".join(told) or "no duty"))


async def _show_troubles(network: LocalNetwork, last_slot: int) -> None:
    """Duties that the first operator has not done, as `phalanx node why` tells them."""
    for outcome in ("missed", "partly", "running"):
        wanted = {"from": FIRST_SLOT, "to": last_slot, "outcome": outcome, "limit": TROUBLES_SHOWN}
        click.echo((await network.nodes[0].tell("/v2/duties", **wanted)).rstrip(), err=True)


def _show_report(report: Report) -> None:
    healthy = report.healthy_attestations
    included = [each for each in healthy if each.included_at is not None]
    click.echo(
        f"attestations in healthy slots: {len(healthy)}, included {len(included)}, "
        f"head right {sum(each.is_head_right for each in included)}, "
        f"target right {sum(each.is_target_right for each in included)}"
    )
    click.echo(
        f"blocks: {len(report.proposals)} due, "
        f"{sum(each.is_canonical for each in report.proposals)} canonical; sync messages: "
        f"{len(report.sync)} due, {sum(each.done == each.due for each in report.sync)} included; "
        f"empty slots: {len(report.empty_slots)}"
    )
    for each in healthy:
        if each.included_at is None:
            click.echo(
                f"not in any block: the vote of {each.duty.validator}, slot {each.duty.slot}"
            )
    click.echo(report.closing_line())


if __name__ == "__main__":
    main()
