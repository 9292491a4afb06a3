"""A local network that stays until it is interrupted, with room for one more operator.

    make devnet

The beacon nodes run all validators but a few, so that the chain finalizes from the start; three
operators run, and no validator is theirs yet. In its folder are what a fourth operator and a staker
need: addresses, an account each with ether of the local chain, and keystores of the validators that
are left. docs/run-a-node.md goes on from here. Every key in it is public or worth nothing.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import click
import trio

from deploy.devnet.belongings import environment, write_account, write_keystores
from deploy.devnet.ending import why_it_ended
from deploy.devnet.live import Live, StartUp
from deploy.devnet.network import VALIDATORS, LocalNetwork, NetworkOptions, running_network
from deploy.devnet.options import slot_seconds_option
from deploy.devnet.rest import ask
from deploy.devnet.screen import Screen, own_screen
from deploy.devnet.sight import Node
from sdk.errors import BeaconError, NetworkError, PhalanxError, UsageError
from sdk.files import write_private
from sdk.types import OperatorId

FOLDER: Final = Path(".build/devnet")
OPERATORS: Final = 3
INSIDE: Final = 60
"""Of the chain's 64 validators; those from here on are for whoever practises."""
GUEST: Final = OperatorId(OPERATORS + 1)
"""The id that the registry gives next."""
GUEST_API: Final = "http://127.0.0.1:16000"
"""Where docs/run-a-node.md has the fourth operator's API."""


@dataclass(frozen=True, slots=True)
class Guest:
    """The node of the operator who joins; it may be there or not."""

    api: str

    async def ask(self, path: str, **query: object) -> Any:
        """A route of its API.

        Raises:
            NetworkError: no answer.
        """
        try:
            return await ask(self.api, f"{path}?{urlencode(query)}")
        except BeaconError as problem:
            raise NetworkError(f"no node answers at {self.api}") from problem


async def practise(options: NetworkOptions, screen: Screen) -> None:
    """The network, until it is cancelled.

    Raises:
        PhalanxError: as `running_network`.
    """
    start = StartUp(screen)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(start.run)
        async with running_network(options, start.say) as network:
            await _write_files(network)
            start.end()
            screen.line(f"==> the network runs; its addresses are in {options.folder}/network.env")
            if network.indexer is not None:
                screen.line(f"    explorer and API: {network.indexer.url}/")
            screen.line("    docs/run-a-node.md goes on from here; Ctrl-C ends it")
            nodes: dict[OperatorId, Node] = {node.operator.id: node for node in network.nodes}
            nodes[GUEST] = Guest(GUEST_API)
            await Live(nodes, network.observer, screen).run()


async def _write_files(network: LocalNetwork) -> None:
    folder = network.options.folder
    await write_account(network.registry.chain, folder / "operator.key")
    staker = await write_account(network.registry.chain, folder / "staker.key")
    indices = range(INSIDE, VALIDATORS)
    await trio.to_thread.run_sync(write_keystores, folder / "validators", indices)
    # The last file: whoever finds it finds the others.
    write_private(folder / "network.env", environment(network, staker=staker).encode())


@click.command()
@slot_seconds_option
@click.option("--folder", type=click.Path(path_type=Path), default=FOLDER, show_default=True)
def main(slot_seconds: int, folder: Path) -> None:
    """Runs the network until it is interrupted; exit code 0 then."""
    screen = own_screen()
    try:
        if folder.exists():
            raise UsageError(
                f"{folder} holds an earlier network, which is gone with its chain",
                hint=f"Remove it: rm -r {folder}",
            )
        options = NetworkOptions(
            folder=folder.absolute(),
            slot_seconds=slot_seconds,
            operators=OPERATORS,
            validators=(),
            inside=INSIDE,
            indexed=True,
        )
        trio.run(practise, options, screen)
    except* PhalanxError as group:
        screen.close()
        problem = why_it_ended(group)
        click.echo(f"error: {problem}", err=True)
        sys.exit(problem.exit_code if isinstance(problem, PhalanxError) else 1)
    except* KeyboardInterrupt:
        screen.close()
        click.echo(f"stopped; nothing is left running, and files are in {folder}")


if __name__ == "__main__":
    main()
