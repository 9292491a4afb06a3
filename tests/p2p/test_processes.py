"""Seven operators as seven processes: the registry and one peer are enough, and soon not needed."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path

import pytest
import trio

from deploy.devnet.chain import Chain, running_chain
from deploy.devnet.ports import free_ports
from deploy.devnet.process import Child
from deploy.devnet.registry import LocalRegistry, set_up_registry
from tests.p2p.nodes import until
from tests.p2p.one_node import BOOK, STATUS, Start, Status

pytestmark = [pytest.mark.slow, pytest.mark.toolchain]

OPERATORS = 7
FOUND_SECONDS = 60.0
"""What is promised. Seven interpreters that start on two cores take a third of it."""
START_SECONDS = 60.0
ROOT = Path(__file__).parents[2]


class Node:
    """One process, as often as it is started."""

    def __init__(self, folder: Path, chain: Chain, registry: LocalRegistry, port: int) -> None:
        self._folder = folder
        self._chain = chain
        self._deployment = registry.deployment
        self._port = port
        folder.mkdir(exist_ok=True)
        folder.chmod(0o700)
        command: list[str | Path] = [
            sys.executable,
            "-m",
            "tests.p2p.one_node",
            folder / "start.json",
        ]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
        self.child = Child("node", command, folder=folder, environment=environment)

    def start(self, bootstrap: tuple[str, ...]) -> None:
        (self._folder / STATUS).unlink(missing_ok=True)
        start = Start(
            url=self._chain.url,
            contract=self._deployment.registry,
            first_block=self._deployment.start_block,
            folder=str(self._folder),
            port=self._port,
            bootstrap=bootstrap,
            has_operator=(self._folder / "key.json").exists(),
        )
        (self._folder / "start.json").write_text(json.dumps(asdict(start)))
        self.child.start()

    def status(self) -> Status | None:
        """What it wrote since it was started."""
        self.child.check()
        try:
            return Status(**json.loads((self._folder / STATUS).read_bytes()))
        except FileNotFoundError:
            return None

    def knows_somebody(self) -> bool:
        """Whether it has heard of an operator besides its own."""
        status = self.status()
        return status is not None and len(status.known) > 1

    def has_found_all(self) -> bool:
        """Whether it is connected to everybody with whom it shares validators, in the mesh too."""
        status = self.status()
        if status is None or len(status.committee) != OPERATORS - 1:
            return False
        return set(status.committee) <= set(status.connected) and status.mesh == OPERATORS - 1

    def has_stored_all(self) -> bool:
        """Whether the address book on disk has everybody, itself too."""
        path = self._folder / BOOK
        return path.exists() and len(json.loads(path.read_bytes())["records"]) == OPERATORS


def test_seven_processes_find_each_other_from_one_peer_that_dies_and_again_without_any(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with running_chain(tmp_path, slot_seconds=12) as chain:
            registry = await set_up_registry(chain, tmp_path, operators=OPERATORS, validators=[0])
            ports = free_ports(OPERATORS + 1)
            helper = Node(tmp_path / "helper", chain, registry, ports[0])
            folders = [tmp_path / f"operator-{number}" for number in range(1, OPERATORS + 1)]
            nodes = [
                Node(folder, chain, registry, port)
                for folder, port in zip(folders, ports[1:], strict=True)
            ]
            try:
                await find_with_one_peer(helper, nodes)
                await find_again_without_any(nodes)
            finally:
                for each in (helper, *nodes):
                    await each.child.kill()

    trio.run(main)


async def find_with_one_peer(helper: Node, nodes: list[Node]) -> None:
    helper.start(())
    await until(lambda: helper.status() is not None, seconds=START_SECONDS)
    status = helper.status()
    assert status is not None
    assert status.me is None
    begin = time.monotonic()
    for each in nodes:
        each.start((status.place,))
    await until(lambda: all(each.knows_somebody() for each in nodes), seconds=START_SECONDS)
    await helper.child.kill()
    death = time.monotonic()
    await until(lambda: all(each.has_found_all() for each in nodes), seconds=FOUND_SECONDS)
    now = time.monotonic()
    print(
        f"\nseven processes: all found {now - begin:.1f} s after their start, "
        f"{now - death:.1f} s after the death of the only peer they were given"
    )
    assert not helper.child.is_running


async def find_again_without_any(nodes: list[Node]) -> None:
    await until(lambda: all(each.has_stored_all() for each in nodes))
    for each in nodes:
        await each.child.kill()
    begin = time.monotonic()
    for each in nodes:
        each.start(())
    await until(lambda: all(each.has_found_all() for each in nodes), seconds=FOUND_SECONDS)
    print(f"seven processes: all found {time.monotonic() - begin:.1f} s after the restart of all")
