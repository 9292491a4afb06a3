"""Tier B of the local network: one beacon node at electra or fulu rules, for their message formats.

Blocks and signatures are judged by Lodestar's state transition; pools, clock and REST routes are
our own (tier_b/node.mjs), and there is neither fork choice nor any peer. Tier A is the network that
nobody here wrote; this one shows what it is too old for. Run alone, it serves until interrupted:

    deploy/toolchain/run .venv/bin/python -m deploy.devnet.later_forks --fork fulu
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import click
import trio

from deploy.devnet.node import NODE, BeaconNode, node_environment
from deploy.devnet.ports import free_ports
from deploy.devnet.process import Child
from sdk.errors import ConfigError

SCRIPT: Final = Path(__file__).parent / "tier_b/node.mjs"
LIBRARY: Final = Path(__file__).parents[2] / "tests/consensus/node_modules"
FORKS: Final = ("electra", "fulu")
LEAD_S: Final = 6
"""Seconds from start to genesis that the node needs on a shared machine."""


@asynccontextmanager
async def running_later_fork(
    folder: Path,
    *,
    genesis_time: int,
    fork: str = "fulu",
    slot_seconds: int = 2,
    validators: int = 64,
    inside: int = 32,
    port: int | None = None,
) -> AsyncIterator[BeaconNode]:
    """The node, serving; when the block is left, its process is gone.

    Args:
        folder: for its log.
        genesis_time: unix seconds; leave `LEAD_S` or so for the start.
        fork: `electra` or `fulu`, from genesis on.
        slot_seconds: length of a slot.
        validators: interop validators active at genesis.
        inside: how many of them, from 0 on, the node runs itself.
        port: of its REST interface, a free one if None.

    Raises:
        ConfigError: there is no such fork, or the library is not installed.
        ProcessEnded: it ended during its start.
        BeaconError: it does not serve.
    """
    if fork not in FORKS:
        raise ConfigError(f"there is no fork {fork} here", hint=f"Take one of {', '.join(FORKS)}.")
    if not LIBRARY.exists():
        raise ConfigError("the consensus library is not installed", hint="Run `make setup`.")
    port = port or free_ports(1)[0]
    settings = {
        "fork": fork,
        "genesis-time": genesis_time,
        "slot-seconds": slot_seconds,
        "validators": validators,
        "inside": inside,
        "port": port,
    }
    flags = [f"--{name}={value}" for name, value in settings.items()]
    child = Child(
        f"beacon node {fork}",
        [NODE, SCRIPT, *flags],
        folder=folder,
        environment=node_environment(),
    )
    node = BeaconNode(child, f"http://127.0.0.1:{port}")
    child.start()
    try:
        await node.ready()
        yield node
    finally:
        await child.stop()


@click.command()
@click.option("--fork", type=click.Choice(FORKS), default="fulu", show_default=True)
@click.option("--slot-seconds", default=2, show_default=True)
@click.option("--validators", default=64, show_default=True)
@click.option("--inside", default=32, show_default=True, help="Run by the node itself.")
def main(fork: str, slot_seconds: int, validators: int, inside: int) -> None:
    """A beacon node at electra or fulu rules, until it is interrupted."""

    async def serve(folder: Path) -> None:
        genesis_time = int(time.time()) + LEAD_S
        async with running_later_fork(
            folder,
            genesis_time=genesis_time,
            fork=fork,
            slot_seconds=slot_seconds,
            validators=validators,
            inside=inside,
        ) as node:
            click.echo(f"genesis time {genesis_time}, log in {folder}")
            click.echo(f"{node.child.name}: {node.url}")
            await node.child.watch()

    with tempfile.TemporaryDirectory(prefix="phalanx-devnet-") as name, suppress(KeyboardInterrupt):
        trio.run(serve, Path(name))


if __name__ == "__main__":
    main()
