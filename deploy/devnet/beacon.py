"""Tier A of the local network: real consensus clients, peered, which nobody here wrote.

Lodestar 1.5.1 at capella rules with the minimal preset. The nodes' own validator clients run the
first part of the genesis validators; the rest is left to whoever tests. Blocks carry payloads of
Lodestar's development engine: no execution client runs. All keys are interop keys, which anybody
can compute. Run alone, it serves until it is interrupted:

    deploy/toolchain/run .venv/bin/python -m deploy.devnet.beacon --slot-seconds 2
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click
import trio

from deploy.devnet.node import NODE, BeaconNode, node_environment
from deploy.devnet.ports import free_ports
from deploy.devnet.process import Child, stop_all
from deploy.devnet.rest import ask
from sdk.errors import BeaconError, ConfigError

LODESTAR: Final = Path(__file__).parent / "lodestar"
LEAD_S: Final = 16
"""Seconds from start to genesis: two nodes need eight of two free cores, and more of busy ones."""
JOIN_PATIENCE_S: Final = 20.0
POLL_S: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class BeaconOptions:
    """What the network is like.

    Attributes:
        folder: where the nodes keep databases and logs.
        genesis_time: unix seconds; leave `LEAD_S` or so for the start.
        slot_seconds: length of a slot.
        nodes: beacon nodes, all peers of the first.
        validators: interop validators active at genesis.
        inside: how many of them, from 0 on, the nodes' own validator clients run, in equal parts.
        relay: builder relay that the nodes ask for payloads and tell registrations, if any.
        ports: two for each node, REST and peers; free ones if None.
    """

    folder: Path
    genesis_time: int
    slot_seconds: int = 2
    nodes: int = 2
    validators: int = 64
    inside: int = 32
    relay: str | None = None
    ports: tuple[int, ...] | None = None


class Lodestar(BeaconNode):
    """One Lodestar of the network.

    Attributes:
        inside: validators that it runs itself.
    """

    def __init__(self, options: BeaconOptions, number: int, *, rest_port: int, port: int) -> None:
        each, more = divmod(options.inside, options.nodes)
        first = number * each + min(number, more)
        self.inside = range(first, first + each + (number < more))
        self._port = port
        child = Child(
            f"lodestar {number + 1}",
            _command(options, self.inside, rest_port=rest_port, port=port),
            # `lodestar dev` writes its genesis state into the working directory.
            folder=options.folder / f"lodestar-{number + 1}",
            # Its node records are signed in JavaScript: the native half would have to be compiled.
            environment={**node_environment(), "NODE_BACKEND": "js"},
        )
        super().__init__(child, f"http://127.0.0.1:{rest_port}")

    async def join(self, other: Lodestar) -> None:
        """Become a peer of another node.

        Raises:
            BeaconError: they do not connect in time.
        """
        identity = await ask(other.url, "/eth/v1/node/identity")
        peer = identity["data"]["peer_id"]
        address = f"/ip4/127.0.0.1/tcp/{other._port}"
        with trio.move_on_after(JOIN_PATIENCE_S):
            while True:
                try:
                    path = f"/eth/v1/lodestar/connect_peer?peerId={peer}&multiaddr={address}"
                    await ask(self.url, path, method="POST")
                    peers = await ask(self.url, "/eth/v1/node/peer_count")
                    if peers["data"]["connected"] != "0":
                        return
                except BeaconError:  # it serves before it is ready to connect
                    pass
                await trio.sleep(POLL_S)
        raise BeaconError(f"{self.child.name} and {other.child.name} do not connect")


@dataclass(frozen=True, slots=True)
class BeaconNetwork:
    """The running network."""

    nodes: tuple[Lodestar, ...]
    options: BeaconOptions

    @property
    def urls(self) -> tuple[str, ...]:
        """REST interfaces, in order."""
        return tuple(node.url for node in self.nodes)

    @property
    def genesis_time(self) -> int:
        """Unix seconds."""
        return self.options.genesis_time

    @property
    def outside(self) -> range:
        """Validators that the nodes leave to others."""
        return range(self.options.inside, self.options.validators)

    async def restart(self, node: Lodestar) -> None:
        """Start a stopped node again, on its database, and connect it to those that run."""
        node.child.start()
        await node.ready()
        for other in self.nodes:
            if other is not node and other.child.is_running:
                await node.join(other)

    async def watch(self) -> None:
        """Never returns; start it beside what uses the network.

        Raises:
            ProcessEnded: a node ended although nobody stopped it.
        """
        while True:
            for node in self.nodes:
                node.child.check()
            await trio.sleep(POLL_S)


@asynccontextmanager
async def running_beacons(options: BeaconOptions) -> AsyncIterator[BeaconNetwork]:
    """The network, serving and peered; when the block is left, its processes are gone.

    Raises:
        ConfigError: Lodestar is not installed.
        ProcessEnded: a node ended during its start.
        BeaconError: a node does not serve, or they do not connect.
    """
    if not (LODESTAR / "node_modules/.bin/lodestar").exists():
        raise ConfigError("Lodestar is not installed", hint="Run `make setup`.")
    ports = options.ports or free_ports(2 * options.nodes)
    nodes = tuple(
        Lodestar(options, number, rest_port=ports[2 * number], port=ports[2 * number + 1])
        for number in range(options.nodes)
    )
    async with AsyncExitStack() as stack:
        stack.push_async_callback(stop_all, [node.child for node in nodes])
        for node in nodes:
            node.child.start()
        for node in nodes:
            await node.ready()
        for node in nodes[1:]:
            await node.join(nodes[0])
        yield BeaconNetwork(nodes, options)


def _command(
    options: BeaconOptions, inside: range, *, rest_port: int, port: int
) -> list[str | Path]:
    forks = ("ALTAIR", "BELLATRIX", "CAPELLA")
    parameters = {
        "SECONDS_PER_SLOT": options.slot_seconds,
        **{f"{fork}_FORK_EPOCH": 0 for fork in forks},
        # Validators may exit from the first epoch on.
        "SHARD_COMMITTEE_PERIOD": 0,
    }
    command: list[str | Path] = [
        NODE,
        *("--import", LODESTAR / "enginepatch.mjs"),
        *(LODESTAR / "node_modules/.bin/lodestar", "dev", "--network", "dev"),
        *("--dataDir", "data", "--logLevel", "info"),
        *("--genesisTime", str(options.genesis_time)),
        *("--genesisValidators", str(options.validators)),
        *("--rest", "--rest.namespace", "*", "--rest.port", str(rest_port)),
        *("--listenAddress", "127.0.0.1", "--port", str(port), "--discv5", "false"),
        "--sync.isSingleNode",
        "--chain.blsVerifyAllMainThread",  # few signatures; its threads would slow the start down
        *("--execution.engineMock", "--terminal-total-difficulty-override", "0"),
        *(f"--params.{name}={value}" for name, value in parameters.items()),
        # Its validator client would talk to the default port, perhaps another network's node.
        *("--beaconNodes", f"http://127.0.0.1:{rest_port}"),
    ]
    if inside:
        command += ["--startValidators", f"{inside.start}..{inside.stop - 1}"]
    if options.relay:
        command += ["--builder", "--builder.urls", options.relay]
    return command


@click.command()
@click.option("--slot-seconds", default=2, show_default=True)
@click.option("--nodes", default=2, show_default=True)
@click.option("--validators", default=64, show_default=True)
@click.option("--inside", default=32, show_default=True, help="Run by the nodes themselves.")
def main(slot_seconds: int, nodes: int, validators: int, inside: int) -> None:
    """Two peered beacon nodes, until they are interrupted."""

    async def serve(folder: Path) -> None:
        options = BeaconOptions(
            folder=folder,
            genesis_time=int(time.time()) + LEAD_S,
            slot_seconds=slot_seconds,
            nodes=nodes,
            validators=validators,
            inside=inside,
        )
        async with running_beacons(options) as network:
            click.echo(f"genesis time {network.genesis_time}, logs in {folder}")
            for node in network.nodes:
                click.echo(f"{node.child.name}: {node.url}")
            await network.watch()

    with tempfile.TemporaryDirectory(prefix="phalanx-devnet-") as name, suppress(KeyboardInterrupt):
        trio.run(serve, Path(name))


if __name__ == "__main__":
    main()
