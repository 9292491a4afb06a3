"""One deployed registry for all tests that only look at it or govern it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.chain import Command, Driver, anvil, driver, rpc


@pytest.fixture(scope="package")
def commands() -> Iterator[Driver]:
    with driver() as started:
        yield started


@pytest.fixture(scope="package")
def first_deployment(
    commands: Driver, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Command]:
    """A fresh chain on which `phalanx deploy run --broadcast` has just succeeded."""
    with anvil() as w3:
        command = Command(w3, tmp_path_factory.mktemp("deployment"), commands)
        ran = command("run", "--broadcast")
        assert ran.code == 0, ran.error
        yield command


@pytest.fixture
def deployed(first_deployment: Command, tmp_path: Path) -> Iterator[Command]:
    """The deployed chain with files of one's own; what a test does is undone after it."""
    shutil.copytree(first_deployment.folder / "addresses", tmp_path / "addresses")
    point = rpc(first_deployment.w3, "evm_snapshot")
    yield Command(first_deployment.w3, tmp_path, first_deployment.driver)
    assert rpc(first_deployment.w3, "evm_revert", point)
