"""One Postgres and one anvil for all tests of the indexer."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from web3 import HTTPProvider, Web3

from indexer.store import database
from sdk.toolchain.anvil import running_anvil
from sdk.toolchain.deploy import deploy_local
from tests.client.world import World
from tests.indexer import databases
from tests.indexer.indexing import live

ROOT = Path(__file__).parents[2]
EPOCH_BLOCKS = 4
"""Blocks after which anvil's safe and finalized tags move."""
HISTORY = 150
"""Blocks after the last log: more than are read one by one."""


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of the server.

    Not in a folder of pytest, which closes it to other users whenever another run begins: a root
    user's Postgres runs as another one.
    """
    with TemporaryDirectory() as folder, database(None, Path(folder) / "data") as url:
        databases.prepare(url)
        yield url


@pytest.fixture
def url(server: str) -> Iterator[str]:
    """The address of a database with empty tables."""
    with databases.fresh(server) as own:
        yield own


@pytest.fixture(scope="session")
def tools() -> dict[str, str]:
    """The variables that deploy/toolchain/run gives to a command."""
    ran = subprocess.run(
        [ROOT / "deploy/toolchain/run", "env", "-0"], capture_output=True, text=True, check=True
    )
    return dict(entry.split("=", 1) for entry in ran.stdout.split("\0") if entry)


@pytest.fixture(scope="session")
def prepared_world(tools: dict[str, str]) -> Iterator[World]:
    """A chain with the registry and operators 1 to 4."""
    os.environ.setdefault("SOLCX_BINARY_PATH", tools["SOLCX_BINARY_PATH"])
    with running_anvil("--slots-in-an-epoch", str(EPOCH_BLOCKS), env=tools) as address:
        w3 = Web3(HTTPProvider(address))
        world = World(w3, address, deploy_local(w3))
        world.register_operators()
        yield world


@pytest.fixture(scope="module")
def history(prepared_world: World) -> Iterator[World]:
    """A chain with logs that are so old that they are read in ranges."""
    saved = prepared_world.rpc("evm_snapshot")
    live(prepared_world)
    prepared_world.mine(HISTORY)
    yield prepared_world
    prepared_world.rpc("evm_revert", saved)


@pytest.fixture
def old_world(history: World) -> Iterator[World]:
    """The same, with everything a test does taken back."""
    saved = history.rpc("evm_snapshot")
    yield history
    history.rpc("evm_revert", saved)


@pytest.fixture
def world(prepared_world: World) -> Iterator[World]:
    """The same, with everything a test does taken back."""
    saved = prepared_world.rpc("evm_snapshot")
    yield prepared_world
    prepared_world.rpc("evm_revert", saved)
