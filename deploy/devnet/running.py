"""`phalanx devnet down | status | logs | faucet`: on a network that another process runs.

Source: docs/devnet.md.
"""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any, BinaryIO, Final

import click
import trio

from deploy.devnet.health import health_of, is_stalled
from deploy.devnet.home import Home
from deploy.devnet.options import dir_option
from deploy.devnet.postgres import end_left_postgres
from deploy.devnet.rest import ask_rpc
from sdk.cli.output import Output, counted, json_option
from sdk.errors import InputError, NetworkError, UsageError
from sdk.types import checksum_address, parse_address
from sdk.units import format_ether, parse_ether

STOP_S: Final = 90.0
"""Beacon nodes get five seconds, nodes as many; Postgres closes its files on busy cores."""
POLL_S: Final = 0.2
LINES: Final = 40
TAIL_BYTES: Final = 262_144
"""Read from the end of a log at most, for the lines that are asked for."""
CHUNK_BYTES: Final = 65_536
MOST_ETHER: Final = 1_000_000
"""Of one gift; more is a slip of the keyboard."""
NOT_WELL: Final = NetworkError.exit_code


@click.command()
@dir_option
@json_option
def down(folder: Path, as_json: bool) -> None:
    """End the network; says what it ended."""
    home, output = Home(folder), Output(as_json=as_json)
    pid = home.holder()
    if pid is None:
        # Whoever was killed could not end it, and it does not die with its parent.
        left = ["postgres"] if end_left_postgres(home.run / "indexer/data") else []
        told = "stopped a Postgres that was left" if left else f"nothing runs in {home.folder}"
        output.result({"stopped": left}, told)
        return
    parts = [part["name"] for part in home.read().get("parts", [])]
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_S
    while home.holder() is not None:
        if time.monotonic() > deadline:
            raise NetworkError(
                f"process {pid} still runs {STOP_S:g} s after SIGTERM",
                hint=f"See {home.log}; SIGKILL ends it and its parts with it.",
            )
        time.sleep(POLL_S)
    told = f"stopped {', '.join(parts)}" if parts else "stopped while it was starting"
    output.result({"stopped": parts, "pid": pid}, told)


@click.command()
@dir_option
@json_option
def status(folder: Path, as_json: bool) -> None:
    """Each part with process, port and health; exit code 0 only if all is well."""
    home, output = Home(folder), Output(as_json=as_json)
    facts = _running(home)
    found = trio.run(health_of, facts["parts"])
    is_well = all(each.is_good for each in found)
    rows = [
        {"name": p.name, "pid": p.pid, "port": p.port, "health": p.health, "good": p.is_good}
        for p in found
    ]
    lines = [f"{p.name:<14} {p.pid or '-':>8} {p.port or '-':>6}  {p.health}" for p in found]
    head = f"{'part':<14} {'process':>8} {'port':>6}  health"
    output.result(
        {"state": facts["state"], "pid": facts["pid"], "good": is_well, "parts": rows},
        "\n".join([head, *lines]),
    )
    if is_stalled(found):
        output.note(
            "every beacon node is behind and none is left to catch up with, as after a sleep of "
            "the machine, or eight slots for which it was too busy. The chain does not go on by "
            "itself: `down`, then `up`, if need be with longer slots (--slot-seconds)"
        )
    if not is_well:
        raise click.exceptions.Exit(NOT_WELL)


@click.command()
@click.argument("part")
@dir_option
@click.option("--lines", type=click.IntRange(0, 10_000), default=LINES, show_default=True)
@click.option("--follow", is_flag=True, help="Go on with what is added, until Ctrl-C.")
@json_option
def logs(part: str, folder: Path, lines: int, follow: bool, as_json: bool) -> None:
    """The end of a part's log; `status` names the parts."""
    home = Home(folder)
    log = _log_of(home.read(), part)
    with log.open("rb") as file:
        last = _last_lines(file, lines)
        if as_json and not follow:
            facts = {"part": part, "log": str(log), "lines": last}
            click.echo(json.dumps(facts, indent=2))
            return
        for line in last:
            _say(line, as_json=as_json)
        if follow:
            _follow(file, as_json=as_json)


@click.command()
@click.argument("address")
@click.argument("amount")
@dir_option
@json_option
def faucet(address: str, amount: str, folder: Path, as_json: bool) -> None:
    """Give an address ether of the network's chain; the registry is paid in nothing else."""
    facts = _running(Home(folder))
    to = checksum_address(parse_address(address))
    wei = parse_ether(amount)
    if not 0 < wei <= MOST_ETHER * 10**18:
        raise InputError(
            f"{amount} ether cannot be given", code="amount", hint=f"At most {MOST_ETHER} at once."
        )
    balance_wei = trio.run(_give, facts["rpc"], to, wei)
    given = {"address": to, "given_wei": str(wei), "balance_wei": str(balance_wei)}
    text = f"{to} has {format_ether(balance_wei)} ETH"
    Output(as_json=as_json).result(given, text)


async def _give(rpc: str, to: str, wei: int) -> int:
    """The balance afterwards."""
    balance_wei = int(await ask_rpc(rpc, "eth_getBalance", to, "latest"), 16) + wei
    await ask_rpc(rpc, "anvil_setBalance", to, hex(balance_wei))
    return balance_wei


def _running(home: Home) -> dict[str, Any]:
    """What the network says of itself.

    Raises:
        UsageError: none was ever started here.
        NetworkError: `not_running`, with what ended it.
    """
    facts = home.read()
    if home.holder() is not None and facts["state"] == "running":
        return facts
    problem = facts.get("problem")
    state = "is still starting" if facts["state"] == "starting" and home.holder() else "has ended"
    raise NetworkError(
        f"the network in {home.folder} {state}" + (f": {problem}" if problem else ""),
        code="not_running",
        data={"problem": problem},
    )


def _log_of(facts: dict[str, Any], part: str) -> Path:
    """The log of a part, whose name may have hyphens for blanks."""
    wanted = part.replace("-", " ")
    parts = {each["name"]: each for each in facts.get("parts", [])}
    if wanted not in parts:
        known = ", ".join(parts) or "none yet"
        raise UsageError(
            f"there is no part {part!r} among {counted(len(parts), 'part')}: {known}",
            code="part_unknown",
        )
    return Path(parts[wanted]["log"])


def _last_lines(file: BinaryIO, count: int) -> list[str]:
    """The last lines, leaving the file at its end."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - TAIL_BYTES))
    lines = file.read().decode(errors="replace").splitlines()
    return lines[-count:] if count else []


def _follow(file: BinaryIO, *, as_json: bool) -> None:
    """Never returns: whole lines as they are added."""
    rest = b""
    while True:
        added = file.read(CHUNK_BYTES)
        if not added:
            time.sleep(POLL_S)
            continue
        *whole, rest = (rest + added).split(b"\n")
        for line in whole:
            _say(line.decode(errors="replace"), as_json=as_json)


def _say(line: str, *, as_json: bool) -> None:
    click.echo(json.dumps({"line": line}) if as_json else line)
