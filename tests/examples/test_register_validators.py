"""The example registers validators on a real local chain and tells what it does."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from examples import register_validators

ROOT = Path(__file__).parents[2]
FIRST_PORT, LAST_PORT = 23_000, 31_999
START_ATTEMPTS = 5

pytestmark = pytest.mark.toolchain


def free_port() -> int:
    for port in range(FIRST_PORT, LAST_PORT):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    pytest.fail("no free port")


@pytest.fixture
def anvil() -> Iterator[str]:
    """A fresh chain; the tools' variables hold in this process, too, for the compiler."""
    ran = subprocess.run(
        [ROOT / "deploy/toolchain/run", "env", "-0"], capture_output=True, text=True, check=True
    )
    tools = dict(entry.split("=", 1) for entry in ran.stdout.split("\0") if entry)
    os.environ.setdefault("SOLCX_BINARY_PATH", tools["SOLCX_BINARY_PATH"])
    for _ in range(START_ATTEMPTS):
        port = free_port()
        chain = subprocess.Popen(
            ["anvil", "--host", "127.0.0.1", "--port", str(port)],
            env=tools,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            assert chain.stdout is not None
            if any(line.startswith("Listening on") for line in chain.stdout):
                Thread(target=chain.stdout.read, daemon=True).start()
                yield f"http://127.0.0.1:{port}"
                return
        finally:
            chain.kill()
            chain.communicate()
    pytest.fail("anvil did not start")


def test_example_tells_the_whole_story(anvil: str, capsys: pytest.CaptureFixture[str]) -> None:
    register_validators.main(anvil)
    told = capsys.readouterr().out
    assert "operators: 1, 2, 3, 4" in told
    assert "registration nonces used up: 0 to 1" in told
    assert "runway 648000 blocks (at least 90 days)" in told
    assert "again: nonce_too_low" in told
    assert "cluster: 2 validators" in told
    assert (
        "refused: cancel the declared fee of operator 1: the operator has no declared fee" in told
    )
