"""The example registers validators on a real local chain and tells what it does."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from examples import register_validators
from sdk.toolchain.anvil import running_anvil

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.toolchain


@pytest.fixture
def anvil() -> Iterator[str]:
    """A fresh chain; the tools' variables hold in this process, too, for the compiler."""
    ran = subprocess.run(
        [ROOT / "deploy/toolchain/run", "env", "-0"], capture_output=True, text=True, check=True
    )
    tools = dict(entry.split("=", 1) for entry in ran.stdout.split("\0") if entry)
    os.environ.setdefault("SOLCX_BINARY_PATH", tools["SOLCX_BINARY_PATH"])
    with running_anvil(env=tools) as url:
        yield url


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
