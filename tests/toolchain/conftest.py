"""What the toolchain tests share: the tools' environment, a throwaway project, a local chain."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from web3 import HTTPProvider, Web3

ROOT = Path(__file__).parents[2]

# Linux hands out ports from 32768 upwards by itself; below it a bind races with nobody's dial.
FIRST_PORT, LAST_PORT = 21_000, 31_999
START_ATTEMPTS = 5


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


def free_port() -> int:
    """A loopback port outside the ephemeral range on which nobody listens at this moment."""
    for port in range(FIRST_PORT, LAST_PORT):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    pytest.fail(f"no free port between {FIRST_PORT} and {LAST_PORT}")


@pytest.fixture
def chain(tools: dict[str, str]) -> Iterator[Web3]:
    """A client of a fresh anvil on loopback; the process ends with the test."""
    for _ in range(START_ATTEMPTS):  # another test may take the port between probe and start
        port = free_port()
        anvil = subprocess.Popen(
            ["anvil", "--host", "127.0.0.1", "--port", str(port)],
            env=tools,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            assert anvil.stdout is not None
            # Reading ends at the line that says so, or when the process gives up.
            if any(line.startswith("Listening on") for line in anvil.stdout):
                # From here on nobody reads, and anvil would stop at a full pipe.
                threading.Thread(target=anvil.stdout.read, daemon=True).start()
                yield Web3(HTTPProvider(f"http://127.0.0.1:{port}"))
                return
        finally:
            anvil.kill()
            anvil.wait()
    pytest.fail(f"anvil did not start in {START_ATTEMPTS} attempts")
