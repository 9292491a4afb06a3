"""A local network that stays until it is interrupted, with room for one more operator.

    make devnet

The beacon nodes run all validators but a few, so that the chain finalizes from the start; three
operators run, and no validator is theirs yet. In its folder are what a fourth operator and a staker
need: addresses, an account each with ether of the local chain, and keystores of the validators that
are left. docs/run-a-node.md goes on from here. Every key in it is public or worth nothing.
"""

from __future__ import annotations

import secrets
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import click
import trio
from eth_account import Account

from deploy.devnet.chain import Chain
from deploy.devnet.keys import interop_secret
from deploy.devnet.live import Live, Node, StartUp
from deploy.devnet.network import VALIDATORS, LocalNetwork, NetworkOptions, running_network
from deploy.devnet.rest import ask
from deploy.devnet.screen import Screen, own_screen
from operator_node.engine.explaining import first_of
from sdk.crypto.keystore_files import create_keystore
from sdk.crypto.password_box import Pbkdf2
from sdk.crypto.secret import Password
from sdk.errors import BeaconError, NetworkError, PhalanxError, UsageError
from sdk.files import make_private_folder, write_private
from sdk.types import OperatorId

FOLDER: Final = Path(".build/devnet")
OPERATORS: Final = 3
INSIDE: Final = 60
"""Of the chain's 64 validators; those from here on are for whoever practises."""
GUEST: Final = OperatorId(OPERATORS + 1)
"""The id that the registry gives next."""
GUEST_API: Final = "http://127.0.0.1:16000"
"""Where docs/run-a-node.md has the fourth operator's API."""
BALANCE_WEI: Final = 100 * 10**18
PASSWORD_BYTES: Final = 18


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
    await _write_account(network.registry.chain, folder / "operator.key")
    staker = await _write_account(network.registry.chain, folder / "staker.key")
    await trio.to_thread.run_sync(_write_validators, folder / "validators")
    # The last file: whoever finds it finds the others.
    write_private(folder / "network.env", environment(network, staker=staker).encode())


async def _write_account(chain: Chain, path: Path) -> str:
    """A new account with ether; its address."""
    account = Account.create()
    await chain.ask("anvil_setBalance", account.address, hex(BALANCE_WEI))
    write_private(path, f"0x{account.key.hex().removeprefix('0x')}\n".encode())
    return str(account.address)


def _write_validators(folder: Path) -> None:
    make_private_folder(folder)
    password = secrets.token_urlsafe(PASSWORD_BYTES).encode()
    write_private(folder / "password", password + b"\n")
    for index in range(INSIDE, VALIDATORS):
        # The cheaper derivation: what is kept here is public anyway.
        keystore = create_keystore(interop_secret(index), Password(password), kdf=Pbkdf2())
        write_private(folder / f"keystore-{index}.json", keystore)


def environment(network: LocalNetwork, *, staker: str) -> str:
    """Shell text that sets the network's addresses."""
    registry = network.registry
    values = {
        "PHALANX_RPC": registry.chain.url,
        "PHALANX_REGISTRY": registry.deployment.registry,
        "PHALANX_START_BLOCK": registry.deployment.start_block,
        "DEVNET_BEACON_NODES": ";".join(beacon.url for beacon in network.beacons),
        "DEVNET_PEER": network.nodes[0].peer,
        "DEVNET_INDEXER": "" if network.indexer is None else network.indexer.url,
        "DEVNET_STAKER": staker,
    }
    return "".join(f"export {name}='{value}'\n" for name, value in values.items())


@click.command()
@click.option("--slot-seconds", type=click.IntRange(2, 12), default=3, show_default=True)
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
        problem = first_of(group)
        click.echo(f"error: {problem}", err=True)
        sys.exit(problem.exit_code if isinstance(problem, PhalanxError) else 1)
    except* KeyboardInterrupt:
        screen.close()
        click.echo(f"stopped; nothing is left running, and files are in {folder}")


if __name__ == "__main__":
    main()
