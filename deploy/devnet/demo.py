"""The whole local network as a show: it starts, does duties, and ends with what the chain has.

    deploy/toolchain/run .venv/bin/python -m deploy.devnet.network --slots 40

On a terminal there is one view with keys (`console`); elsewhere, or with `--plain`, lines. The
closing line is judged by the blocks of the beacon chain alone.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import click
import trio

from deploy.devnet.console import Console, own_terminal
from deploy.devnet.duty_rows import Record
from deploy.devnet.ending import interrupt_at_signals, why_it_ended
from deploy.devnet.faults import MOST_SLOT, Fault, carry_out, plan_faults
from deploy.devnet.inclusion import Report
from deploy.devnet.later_forks import FORKS as LATER_FORKS
from deploy.devnet.live import Live, StartUp, report_lines
from deploy.devnet.lookout import NetworkLookout
from deploy.devnet.misses import VOTES, missed_slots
from deploy.devnet.network import (
    BEACONS,
    CAPELLA,
    FIRST_SLOT,
    SETTLE_SLOTS,
    LocalNetwork,
    NetworkOptions,
    running_network,
    share_genesis,
)
from deploy.devnet.observer import Observer
from deploy.devnet.operators import NEVER
from deploy.devnet.options import operators_option, slot_seconds_option
from deploy.devnet.ports import PortPlan
from deploy.devnet.screen import Screen, own_screen
from deploy.devnet.verbs import NetworkVerbs
from sdk.errors import NetworkError, PhalanxError
from sdk.types import OperatorId

SLOTS: Final = 20
"""Of a run without a terminal: the first epoch with votes and a half."""
MOST_VALIDATORS: Final = 128
"""Held by the operators; registered eight at a time, and split on a core that all share."""
SPARE: Final = 2
"""Validators that may be added on a terminal. More would leave too many slots without a block."""
TROUBLES_SHOWN: Final = 3
FINALIZING_SLOT: Final = 39
"""A run up to this slot sees epoch 5 begin, and epoch 2 or 3 finalized if all is well."""
ENOUGH: Final = 0.9
AGGREGATED_THIRDS: Final = 2
"""Of a slot, when its votes are aggregated (consensus-specs, phase0/validator.md)."""
EXPLAINED_SLOTS: Final = 200
"""Slots whose missing votes the operators are asked about; each is a request to every node."""
NOT_SHOWN: Final = (
    "what this network does not show:",
    "  the registry's chain is not the beacon chain's own execution chain;",
    "  no deposits to the beacon chain: validators are there from its genesis, with public keys;",
    "  no balance proofs: the registry knows no root of this beacon chain",
)


@click.command()
@click.option("--slots", type=click.IntRange(16, 10_000), help="20, or until q on a terminal.")
@slot_seconds_option
@operators_option
@click.option(
    "--validators",
    type=click.IntRange(1, MOST_VALIDATORS),
    default=32,
    show_default=True,
    help="Held by the operators; the beacon nodes run at least as many.",
)
@click.option("--fork", type=click.Choice([CAPELLA, *LATER_FORKS]), default=CAPELLA)
@click.option("--alan", is_flag=True, help="Stay with the Alan rules; Boole otherwise.")
@click.option("--kill", multiple=True, metavar="OPERATOR@SLOT", help="Kill an operator's node.")
@click.option("--restart", multiple=True, metavar="OPERATOR@SLOT", help="Start it again.")
@click.option(
    "--stop-beacon",
    multiple=True,
    metavar="NODE@FIRST-LAST",
    help="Kill a beacon node and start it again after the last of these slots.",
)
@click.option("--ports", type=int, help="Base of all ports; free ones unless given.")
@click.option("--plain", is_flag=True, help="Lines on a terminal too.")
@click.option("--folder", type=click.Path(path_type=Path), help="A new one unless given.")
def main(
    slots: int | None,
    slot_seconds: int,
    operators: str,
    validators: int,
    fork: str,
    alan: bool,
    kill: tuple[str, ...],
    restart: tuple[str, ...],
    stop_beacon: tuple[str, ...],
    ports: int | None,
    plain: bool,
    folder: Path | None,
) -> None:
    """Runs the network for some slots and reports what the chain says."""
    screen = own_screen()
    try:
        terminal = None if plain else own_terminal()
        slots = slots or (SLOTS if terminal is None else None)
        faults = plan_faults(
            kill=kill,
            restart=restart,
            stop_beacon=stop_beacon,
            operators=int(operators),
            beacons=BEACONS if fork == CAPELLA else 1,
            slots=slots or MOST_SLOT,
        )
        shares = share_genesis(validators, spare=0 if terminal is None else SPARE)
        options = NetworkOptions(
            folder=folder or Path(tempfile.mkdtemp(prefix="phalanx-network-")),
            slot_seconds=slot_seconds,
            operators=int(operators),
            validators=shares.held,
            inside=shares.inside,
            genesis=shares.genesis,
            spare=shares.spare,
            boole_epoch=NEVER if alan else 0,
            fork=fork,
            indexed=True,
            ports=None if ports is None else PortPlan(ports),
        )
        screen.line(f"==> files in {options.folder}")
        report = trio.run(_live, options, screen, slots, faults, terminal)
    except* PhalanxError as group:
        screen.close()
        problem = why_it_ended(group)
        click.echo(f"error: {problem}", err=True)
        sys.exit(problem.exit_code if isinstance(problem, PhalanxError) else 1)
    except* KeyboardInterrupt:
        screen.close()
        click.echo("stopped; nothing is left running", err=True)
        sys.exit(130)
    sys.exit(0 if report is None or _is_as_it_should_be(report) else 1)


def _is_as_it_should_be(report: Report) -> bool:
    """Whether nearly all votes that could be in the chain are: a busy machine costs a few.

    A run that is long enough has to finalize, too.
    """
    healthy = report.healthy_attestations
    included = sum(each.is_included for each in healthy)
    has_finalized = report.finalized_epoch > 0 or report.last_slot < FINALIZING_SLOT
    return bool(healthy) and included >= ENOUGH * len(healthy) and has_finalized


async def _live(
    options: NetworkOptions,
    screen: Screen,
    slots: int | None,
    faults: Sequence[Fault],
    terminal: int | None,
) -> Report | None:
    """The report; None if it ended before there was anything to count."""
    start = StartUp(screen)
    report: Report | None
    first: tuple[int, float] | None = None
    told: dict[int, dict[OperatorId, list[Record] | None]] = {}
    async with trio.open_nursery() as nursery:
        nursery.start_soon(interrupt_at_signals)
        nursery.start_soon(start.run)
        async with running_network(options, start.say) as network:
            start.end()
            if network.indexer is not None:
                screen.line(f"==> explorer and API: {network.indexer.url}/ while this runs")
            if terminal is None:
                report = await _show_lines(network, screen, slots or SLOTS, faults)
            else:
                report = await _show_view(network, terminal, slots, faults)
            if report is not None:
                told = await _records(network, missed_slots(report)[:EXPLAINED_SLOTS])
                await _show_troubles(network, screen, report.last_slot)
                first = await network.first_duty()
        nursery.cancel_scope.cancel()
    if report is None:
        screen.line(f"ended before slot {FIRST_SLOT} was over: there is nothing to count")
        return None
    for line in NOT_SHOWN:
        screen.line(line)
    if first is not None:
        slot, seconds = first
        screen.line(f"first duty in a block: slot {slot}, {seconds:.0f} s after the first process")
    aggregated_ms = options.slot_seconds * 1000 * AGGREGATED_THIRDS // 3
    for line in report_lines(report, told, aggregated_ms=aggregated_ms):
        screen.line(line)
    return report


async def _show_lines(
    network: LocalNetwork, screen: Screen, slots: int, faults: Sequence[Fault]
) -> Report:
    """The slots as they go by, and what the chain has of them."""
    counted = f"duties of slots {FIRST_SLOT} to {slots - 1} count"
    screen.line(f"==> {counted}; before them operators agree on no vote")
    nodes = {node.operator.id: node for node in network.nodes}
    live = Live(nodes, network.observer, screen, last_slot=slots - 1)

    def say(text: str) -> None:
        screen.line(f"==> {text}")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(live.run)
        nursery.start_soon(_carry_out, faults, network, NetworkVerbs(network), say)
        report = await network.report(FIRST_SLOT, slots - 1)
        nursery.cancel_scope.cancel()
    live.finish()
    return report


async def _show_view(
    network: LocalNetwork, terminal: int, slots: int | None, faults: Sequence[Fault]
) -> Report | None:
    """The view until the last slot or `q`; then what the chain has up to there."""
    verbs, observer = NetworkVerbs(network), network.observer
    last_slot = None if slots is None else slots - 1
    lookout = NetworkLookout(network, verbs, last_slot=last_slot)
    console = Console(
        lookout,
        verbs,
        operators=len(network.nodes),
        beacons=len(network.beacons),
        terminal=terminal,
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_carry_out, faults, network, verbs, console.say)
        if last_slot is not None:
            nursery.start_soon(_cancel_after, last_slot, observer, nursery.cancel_scope)
        await console.run()
        nursery.cancel_scope.cancel()
    settled = observer.current_slot() - SETTLE_SLOTS - 1
    last_slot = settled if last_slot is None else min(settled, last_slot)
    return None if last_slot < FIRST_SLOT else await observer.report(FIRST_SLOT, last_slot)


async def _cancel_after(last_slot: int, observer: Observer, scope: trio.CancelScope) -> None:
    await observer.until_slot(last_slot + SETTLE_SLOTS + 1)
    scope.cancel()


async def _carry_out(
    faults: Sequence[Fault],
    network: LocalNetwork,
    verbs: NetworkVerbs,
    say: Callable[[str], None],
) -> None:
    await carry_out(faults, verbs, until_slot=network.observer.until_slot, say=say)


async def _records(
    network: LocalNetwork, slots: Sequence[int]
) -> dict[int, dict[OperatorId, list[Record] | None]]:
    """By slot, what each operator has on record of its votes; None if it does not answer."""
    told: dict[int, dict[OperatorId, list[Record] | None]] = {}
    for slot in slots:
        for node in network.nodes:
            records: list[Record] | None = None
            if node.child.is_running:
                with suppress(NetworkError):
                    records = (await node.ask("/v2/duties", slot=slot, role=VOTES))["data"]
            told.setdefault(slot, {})[node.operator.id] = records
    return told


async def _show_troubles(network: LocalNetwork, screen: Screen, last_slot: int) -> None:
    """Duties that an operator has not done, as `phalanx node why` tells them."""
    node = next((each for each in network.nodes if each.child.is_running), None)
    if node is None:
        return
    for outcome in ("missed", "partly", "running"):
        wanted = {"from": FIRST_SLOT, "to": last_slot, "outcome": outcome, "limit": TROUBLES_SHOWN}
        if told := (await node.tell("/v2/duties", **wanted)).rstrip():
            screen.line(told)
