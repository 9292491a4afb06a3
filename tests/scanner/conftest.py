"""A registry on a chain with the id of a network that the scanner knows, and the scanner."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from web3 import HTTPProvider, Web3

from sdk.networks import HOODI
from sdk.toolchain.anvil import running_anvil
from sdk.toolchain.deploy import deploy_local
from tests.client.world import World
from tests.scanner.installed import Scanner, install, pointed_at

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def tools() -> dict[str, str]:
    """The variables that deploy/toolchain/run gives to a command."""
    ran = subprocess.run(
        [ROOT / "deploy/toolchain/run", "env", "-0"], capture_output=True, text=True, check=True
    )
    return dict(entry.split("=", 1) for entry in ran.stdout.split("\0") if entry)


@pytest.fixture
def anvil_url(tools: dict[str, str]) -> Iterator[str]:
    """The address of a fresh anvil, on a port that the system chose."""
    with running_anvil("--chain-id", str(HOODI.chain_id), env=tools) as url:
        yield url


@pytest.fixture
def world(anvil_url: str, tools: dict[str, str]) -> World:
    """The registry with operators 1 to 4."""
    os.environ.setdefault("SOLCX_BINARY_PATH", tools["SOLCX_BINARY_PATH"])
    w3 = Web3(HTTPProvider(anvil_url))
    prepared = World(w3, anvil_url, deploy_local(w3))
    prepared.register_operators()
    return prepared


@pytest.fixture
def scanner(world: World, tools: dict[str, str], tmp_path: Path) -> Scanner:
    """The scanner, pointed at that registry."""
    install(tools)
    return pointed_at(
        world.deployed.registry,
        start_block=world.deployed.start_block,
        node_url=world.url,
        tools=tools,
        folder=tmp_path,
    )
