"""What the toolchain tests share: the tools' environment, a throwaway project, a local chain."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from web3 import HTTPProvider, Web3

from sdk.toolchain.anvil import running_anvil

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout under test."""
    return ROOT


@pytest.fixture(scope="session")
def tools() -> dict[str, str]:
    """The variables that deploy/toolchain/run gives to a command."""
    ran = subprocess.run(
        [ROOT / "deploy/toolchain/run", "env", "-0"], capture_output=True, text=True, check=True
    )
    return dict(entry.split("=", 1) for entry in ran.stdout.split("\0") if entry)


@pytest.fixture(scope="session")
def solc_version(root: Path) -> str:
    """The compiler version pinned in package.json."""
    version = json.loads((root / "package.json").read_text())["devDependencies"]["solc"]
    assert isinstance(version, str)
    return version


@pytest.fixture
def project(root: Path, tmp_path: Path) -> Path:
    """A copy of the sample contracts under the repository's own compiler settings."""
    shutil.copytree(root / "tests/toolchain/sample", tmp_path / "contracts")
    for name in ("ape-config.yaml", "foundry.toml", ".solhint.json"):
        shutil.copy(root / name, tmp_path / name)
    for name in ("node_modules", ".venv"):
        (tmp_path / name).symlink_to(root / name)
    return tmp_path


@pytest.fixture
def chain(tools: dict[str, str]) -> Iterator[Web3]:
    """A client of a fresh anvil on loopback; the process ends with the test."""
    with running_anvil(env=tools) as url:
        yield Web3(HTTPProvider(url))
