"""Faults of one operator's own node: its process, clock, disk, store, and a second one like it."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Final

import trio

from deploy.devnet.network import NODE_PATIENCE_S
from deploy.devnet.operators import PHALANX, LocalNode, environment
from deploy.devnet.ports import free_ports
from deploy.devnet.process import Child
from sdk.errors import NetworkError
from sdk.files import make_private_folder, write_private
from tests.chaos.disk_fault import DiskFull
from tests.chaos.fault import Fault
from tests.chaos.watching import status_of
from tests.chaos.world import World

ONE: Final = 4
"""The operator whose node is in trouble."""
SEED: Final = 20_261_123
LEAST_LIFE_S: Final = 1.0
MOST_LIFE_S: Final = 15.0
"""From one kill to the next: some while the node starts, some while it signs."""
SKEW_S: Final = 0.35
"""Below what keeps a node from starting, above what peers forgive."""
SKEWED: Final = Path(__file__).with_name("skewed.py")
SAFETY: Final = ("safety.sqlite", "safety.sqlite-wal", "safety.sqlite-shm")


class Kills(Fault):
    """One node is killed at random instants, and starts again at once."""

    name = "kills"
    about = "one operator's node is killed with -9 again and again"

    async def during(self, world: World) -> None:
        random = Random(SEED)
        child = world.nodes[ONE].child
        while True:
            await trio.sleep(random.uniform(LEAST_LIFE_S, MOST_LIFE_S))
            await child.kill()
            child.start()

    async def end(self, world: World) -> None:
        child = world.nodes[ONE].child
        if not child.is_running:  # between a kill and its start
            child.start()


class Down(Fault):
    """One node is away: three of four are a quorum."""

    name = "operator-down"
    about = "one operator's node is stopped"

    async def begin(self, world: World) -> None:
        await world.nodes[ONE].child.stop()
        world.running.discard(ONE)

    async def end(self, world: World) -> None:
        world.running.add(ONE)
        world.nodes[ONE].child.start()


class Skew(Fault):
    """One node's wall clock is wrong.

    Args:
        name: of the fault.
        about: what happens.
        seconds: that it is ahead.
    """

    def __init__(self, name: str, about: str, seconds: float) -> None:
        self.name, self.about, self._seconds = name, about, seconds
        self._true: LocalNode | None = None

    async def begin(self, world: World) -> None:
        self._true = node = world.nodes[ONE]
        await node.child.stop()
        words = (str(self._seconds), "node", "run", "--config", node.config)
        child = Child(
            f"{node.child.name} skewed",
            (sys.executable, "-P", SKEWED, *words),
            folder=node.child.folder,
            environment=environment(),
        )
        child.start()
        world.nodes[ONE] = replace(node, child=child)
        await world.nodes[ONE].until_answering(patience_s=NODE_PATIENCE_S)

    async def end(self, world: World) -> None:
        if self._true is not None:
            await world.nodes[ONE].child.stop()
            world.nodes[ONE] = self._true
            self._true.child.start()


class Twin(Fault):
    """The same operator key at work twice, each with a slashing record of its own."""

    name = "twin"
    about = "a second node is started with one operator's key"
    least_slots = 8
    _twin: LocalNode | None = None
    _states: tuple[str, str] = ("", "")

    async def begin(self, world: World) -> None:
        self._twin = twin = _twin_of(world.nodes[ONE])
        twin.child.start()
        await twin.until_answering(patience_s=NODE_PATIENCE_S)  # one that never ran stops nothing

    async def end(self, world: World) -> None:
        node, twin = world.nodes[ONE], self._twin
        if twin is None:
            return
        self._states = (await _state(node), await _state(twin))
        await twin.child.stop()
        if self._states[0] == "fenced":  # nothing else ends that
            await node.child.stop()
            node.child.start()

    async def check(self, world: World) -> list[str]:
        """One of the two has noticed."""
        if not {"fenced", "ended"} & set(self._states):
            first, second = self._states
            return [f"neither has stopped: the node is {first}, its twin {second}"]
        return []


class OldBackup(Fault):
    """One node's slashing record is replaced by a copy of some slots before.

    Args:
        name: of the fault.
        about: what happens.
        whole: whether the counter file beside it is old, too, which hides the age.
    """

    least_slots = 10

    def __init__(self, name: str, about: str, *, whole: bool) -> None:
        self.name, self.about, self._whole = name, about, whole

    async def begin(self, world: World) -> None:
        node = world.nodes[ONE]
        data = node.config.parent / "data"
        backup = node.config.parent / "backup"
        await node.child.stop()
        shutil.rmtree(backup, ignore_errors=True)
        await trio.to_thread.run_sync(shutil.copytree, data, backup)
        node.child.start()

    async def end(self, world: World) -> None:
        node = world.nodes[ONE]
        data, backup = node.config.parent / "data", node.config.parent / "backup"
        await node.child.stop()
        await trio.to_thread.run_sync(_restore, backup, data, self._whole)
        node.child.start()


def _twin_of(node: LocalNode) -> LocalNode:
    """Another node with the same operator key: its own folder, ports and place in the network."""
    home = node.config.parent.with_name(f"twin-{node.operator.id}")
    shutil.rmtree(home, ignore_errors=True)
    make_private_folder(home / "data")
    tcp, api, metrics = free_ports(3)
    settings = json.loads(node.config.read_bytes())
    settings["db"] = {"Path": str(home / "data")}
    settings["p2p"]["TcpPort"] = tcp
    settings |= {"SSVAPIPort": api, "MetricsAPIPort": metrics}
    config = home / "node.yaml"
    write_private(config, json.dumps(settings, indent=2).encode())
    return replace(
        node,
        config=config,
        child=Child(
            f"twin {node.operator.id}",
            (PHALANX, "node", "run", "--config", config),
            folder=home,
            environment=environment(),
        ),
        api=f"http://127.0.0.1:{api}",
        metrics=f"http://127.0.0.1:{metrics}",
    )


async def _state(node: LocalNode) -> str:
    if not node.child.is_running:
        return "ended"
    try:
        return str((await status_of(node))["state"])
    except NetworkError:
        return "silent"


def _restore(backup: Path, data: Path, whole: bool) -> None:
    """The old record in place of the new one; other files stay."""
    for name in SAFETY:
        (data / name).unlink(missing_ok=True)
        if (backup / name).exists():
            shutil.copy2(backup / name, data / name)
    if whole:
        shutil.copy2(backup / "safety.sqlite.sequence", data / "safety.sqlite.sequence")


OPERATOR_FAULTS: Final[tuple[Fault, ...]] = (
    Down(),
    Kills(),
    Skew("clock-ahead", "one operator's clock is ahead", SKEW_S),
    Skew("clock-behind", "one operator's clock is behind", -SKEW_S),
    Twin(),
    DiskFull(),
    OldBackup("old-record", "one operator's slashing record is an older copy", whole=False),
    OldBackup(
        "old-backup",
        "one operator's slashing record is an older copy, with the counter that would tell",
        whole=True,
    ),
)
