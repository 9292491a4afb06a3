"""A real anvil with the registry, four operators, accounts, and a proxy that misbehaves."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from web3 import HTTPProvider, Web3

from sdk.toolchain.anvil import running_anvil
from sdk.toolchain.deploy import deploy_local
from tests.client.proxy import Proxy
from tests.client.world import World

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def tools() -> dict[str, str]:
    """The variables that deploy/toolchain/run gives to a command."""
    ran = subprocess.run(
        [ROOT / "deploy/toolchain/run", "env", "-0"], capture_output=True, text=True, check=True
    )
    return dict(entry.split("=", 1) for entry in ran.stdout.split("\0") if entry)


@pytest.fixture(scope="session")
def anvil_url(tools: dict[str, str]) -> Iterator[str]:
    """The address of an anvil that lives as long as the tests."""
    with running_anvil(env=tools) as url:
        yield url


@pytest.fixture(scope="session")
def prepared_world(anvil_url: str, tools: dict[str, str]) -> World:
    """The registry with operators 1 to 4, deployed once."""
    os.environ.setdefault("SOLCX_BINARY_PATH", tools["SOLCX_BINARY_PATH"])
    w3 = Web3(HTTPProvider(anvil_url))
    world = World(w3, anvil_url, deploy_local(w3))
    world.register_operators()
    return world


@pytest.fixture
def world(prepared_world: World) -> Iterator[World]:
    """The same, with everything a test does taken back."""
    saved = prepared_world.rpc("evm_snapshot")
    yield prepared_world
    prepared_world.rpc("evm_revert", saved)


@pytest.fixture
def proxy(world: World) -> Iterator[Proxy]:
    """An HTTP proxy in front of the anvil; tests give it rules."""
    with Proxy(world.url) as running:
        yield running
