"""Starts the contracts on an anvil of Ape's, once; every test begins with the same chain.

Ape lives in .venv-contracts alone. In any other environment there is nothing to collect here.
"""

from __future__ import annotations

import importlib.util
import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contracts.behaviour.anvil import Anvil
from tests.contracts.behaviour.world import World

if importlib.util.find_spec("ape") is None:
    collect_ignore_glob = ["test_*.py"]

FIRST_PORT, LAST_PORT = 21_000, 31_999
"""Below the ephemeral range, so that nobody's dial takes the port between probe and start."""


def free_port() -> int:
    """A loopback port on which nobody listens at this moment; differs between processes."""
    count = LAST_PORT - FIRST_PORT
    for step in range(count):
        port = FIRST_PORT + (os.getpid() * 7 + step) % count
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise pytest.UsageError(f"no free port between {FIRST_PORT} and {LAST_PORT}")


# Ape would otherwise join an anvil that already listens on its default port, whoever's it is.
os.environ.setdefault("APE_FOUNDRY_HOST", f"http://127.0.0.1:{free_port()}")


def pytest_configure(config: pytest.Config) -> None:
    """Ape's own isolation is switched off: `world` undoes every test, with fewer questions."""
    if hasattr(config.option, "disable_isolation"):
        config.option.disable_isolation = True


@pytest.fixture(scope="session", autouse=True)
def deployment() -> World:
    """The registry as deployed, before anybody used it."""
    from ape import networks

    provider: Any = networks.provider.web3.provider
    return World.deploy(Anvil(provider))


@pytest.fixture
def world(deployment: World) -> Iterator[World]:
    """The deployed registry; what a test does to it is undone afterwards."""
    deployment.keys_used = 0
    with deployment.anvil.undone():
        yield deployment
