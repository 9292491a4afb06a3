"""`phalanx devnet up`: starts a local network, and stays until it is ended.

What it says of the network is in `network.json` from the start on: each part's process as it is
now, and at last why the network ended. `--detach` starts the same command in a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import click
import trio

from deploy.devnet.belongings import (
    environment,
    facts_of,
    write_account,
    write_keystores,
)
from deploy.devnet.console import Console, own_terminal
from deploy.devnet.ending import interrupt_at_signals, why_it_ended
from deploy.devnet.home import Home
from deploy.devnet.live import Live
from deploy.devnet.lookout import NetworkLookout
from deploy.devnet.network import (
    LocalNetwork,
    NetworkOptions,
    running_network,
    share_genesis,
)
from deploy.devnet.options import BASE, dir_option, operators_option, slot_seconds_option
from deploy.devnet.ports import SPAN, PortPlan
from deploy.devnet.screen import own_screen
from deploy.devnet.verbs import NetworkVerbs
from sdk.cli.output import Output, json_option
from sdk.errors import NetworkError, PhalanxError, UsageError
from sdk.files import write_private

TOOLS: Final = Path(__file__).parents[1] / "toolchain/run"
TOOLS_S: Final = 30.0
MOST_VALIDATORS: Final = 128
"""Held by the operators: they are split on a core that all parts share."""
SPARE: Final = 4
"""Genesis validators that nobody runs: their keystores are for whoever develops."""
WRITE_S: Final = 1.0
START_S: Final = 600.0
"""Of a detached start: contracts may have to be compiled, on cores that are busy."""
POLL_S: Final = 0.2
TAIL_LINES: Final = 15


@click.command()
@dir_option
@operators_option
@click.option(
    "--validators",
    type=click.IntRange(1, MOST_VALIDATORS),
    default=8,
    show_default=True,
    help="Held by the operators; the beacon nodes run the others.",
)
@slot_seconds_option
@click.option(
    "--ports",
    type=int,
    default=BASE,
    show_default=True,
    help=f"Base of all ports; a network takes up to {SPAN} from it on.",
)
@click.option("--detach", is_flag=True, help="Return once the network runs.")
@click.option("--plain", is_flag=True, help="Lines on a terminal, instead of the view with keys.")
@json_option
def up(
    folder: Path,
    operators: str,
    validators: int,
    slot_seconds: int,
    ports: int,
    detach: bool,
    plain: bool,
    as_json: bool,
) -> None:
    """Start a network; it stays until `q`, Ctrl-C or `down`."""
    home, output = Home(folder), Output(as_json=as_json)
    plan = PortPlan(ports)
    if detach:
        given = {
            "--dir": home.folder,
            "--operators": operators,
            "--validators": validators,
            "--slot-seconds": slot_seconds,
            "--ports": ports,
        }
        facts = _detach(home, given, output)
        output.result(facts, _told(home, facts))
        return
    shares = share_genesis(validators, spare=SPARE)
    options = NetworkOptions(
        folder=home.run,
        slot_seconds=slot_seconds,
        operators=int(operators),
        validators=shares.held,
        inside=shares.inside,
        genesis=shares.genesis,
        spare=shares.spare,
        indexed=True,
        ports=plan,
    )
    terminal = None if plain or as_json else own_terminal()
    _set_tools()
    with home.held():
        _run(home, options, output, terminal)
    output.note("stopped; nothing is left running", files=str(home.run))


def _run(home: Home, options: NetworkOptions, output: Output, terminal: int | None) -> None:
    """Start it, stay, and say why it ended.

    Raises:
        PhalanxError: a part did not start, or ended unasked.
    """
    home.write({"state": "starting", "pid": os.getpid()})
    problem: BaseException | None = None
    try:
        trio.run(_live, home, options, output, terminal)
    except* PhalanxError as group:
        problem = why_it_ended(group)
    except* KeyboardInterrupt:
        problem = None
    facts = home.read()
    home.write({**facts, "state": "ended", "problem": None if problem is None else str(problem)})
    if problem is not None:
        raise problem


async def _live(home: Home, options: NetworkOptions, output: Output, terminal: int | None) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(interrupt_at_signals)
        async with running_network(options, output.step) as network:
            accounts = await _write_belongings(home, network)
            facts = {"state": "running", "pid": os.getpid(), **facts_of(network, accounts=accounts)}
            home.write(facts)
            if terminal is None:
                output.result(facts, _told(home, facts))
            async with trio.open_nursery() as inner:
                inner.start_soon(_keep_writing, home, network, accounts, facts)
                await _show(network, output, terminal)
                inner.cancel_scope.cancel()
        nursery.cancel_scope.cancel()


async def _write_belongings(home: Home, network: LocalNetwork) -> dict[str, str]:
    """Addresses of the accounts for whoever develops."""
    chain = network.registry.chain
    accounts = {
        name: await write_account(chain, home.run / f"{name}.key")
        for name in ("staker", "operator")
    }
    spare = network.options.spare
    await trio.to_thread.run_sync(write_keystores, home.run / "validators", spare)
    text = environment(network, staker=accounts["staker"])
    write_private(home.environment, text.encode(), overwrite=True)
    return accounts


async def _keep_writing(
    home: Home, network: LocalNetwork, accounts: Mapping[str, str], written: Mapping[str, Any]
) -> None:
    """Never returns: keeps the processes in `network.json` those that run."""
    while True:
        await trio.sleep(WRITE_S)
        parts = facts_of(network, accounts=accounts)["parts"]
        if parts != written["parts"]:
            written = {**written, "parts": parts}
            home.write(written)


async def _show(network: LocalNetwork, output: Output, terminal: int | None) -> None:
    """The view until `q`; without a terminal, lines for people until the end."""
    if terminal is not None:
        verbs = NetworkVerbs(network)
        await Console(
            NetworkLookout(network, verbs),
            verbs,
            operators=len(network.nodes),
            beacons=len(network.beacons),
            terminal=terminal,
        ).run()
    elif output.as_json:
        await trio.sleep_forever()
    else:
        nodes = {node.operator.id: node for node in network.nodes}
        await Live(nodes, network.observer, own_screen()).run()


def _set_tools() -> None:
    """This process gets the checkout's tools, unless it was started with them.

    Raises:
        UsageError: `no_tools`, nothing is installed in the checkout.
    """
    if "SOLCX_BINARY_PATH" in os.environ:
        return
    try:
        ran = subprocess.run(  # noqa: S603 - our own script
            [TOOLS, "env", "-0"], capture_output=True, text=True, check=True, timeout=TOOLS_S
        )
    except (OSError, subprocess.SubprocessError) as problem:
        raise UsageError(
            "the checkout's tools are not there", code="no_tools", hint="Run `make setup`."
        ) from problem
    for entry in ran.stdout.split("\0"):
        name, _, text = entry.partition("=")
        if name:
            os.environ[name] = text


def _detach(home: Home, given: Mapping[str, object], output: Output) -> dict[str, Any]:
    """The network's facts once it runs in a process of its own.

    Raises:
        NetworkError: it ended instead, or does not run in time.
    """
    if home.holder() is not None:
        with home.held():  # says who has it
            pass
    home.folder.mkdir(parents=True, exist_ok=True)
    words = [str(word) for pair in given.items() for word in pair]
    with home.log.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "deploy.devnet", "up", "--json", *words],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    output.step(f"starting; steps are in {home.log}")
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        with suppress(PhalanxError):  # not written yet
            facts = home.read()
            if facts["pid"] == process.pid and facts["state"] == "running":
                return facts
        if process.poll() is not None:
            raise _why_not(home, process.returncode)
        time.sleep(POLL_S)
    process.terminate()
    raise NetworkError(f"the network does not run after {START_S:g} s; its log is {home.log}")


def _why_not(home: Home, code: int) -> NetworkError:
    """Why a detached network ended: its own error if it could tell one, else its last lines."""
    lines = home.log.read_text(errors="replace").splitlines()[-TAIL_LINES:]
    with suppress(ValueError, IndexError, TypeError, KeyError):
        told = json.loads(lines[-1])
        return NetworkError(
            str(told["message"]), code=told["code"], hint=told["hint"], data=told["data"]
        )
    tail = "\n".join(lines)
    return NetworkError(
        f"the network ended with {code} instead. The end of its log:\n{tail}",
        hint=f"All of it is in {home.log}.",
    )


def _told(home: Home, facts: Mapping[str, Any]) -> str:
    """The network for people."""
    operators = [f"operator {each['id']}: {each['api']}" for each in facts["operators"]]
    return "\n".join(
        [
            f"registry: {facts['registry']}, since block {facts['start_block']}",
            f"its chain: {facts['rpc']}, chain id {facts['chain_id']}",
            f"beacon nodes: {' '.join(facts['beacon_nodes'])}",
            f"explorer and API: {facts['api']}/",
            *operators,
            f"as variables: source {home.environment}",
            f"as JSON: {home.facts}",
        ]
    )
