"""A fresh chain for examples that need one."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sdk.toolchain.anvil import running_anvil

ROOT = Path(__file__).parents[2]


@pytest.fixture
def anvil() -> Iterator[str]:
    """Its address; the tools' variables hold in this process, too, for the compiler."""
    ran = subprocess.run(
        [ROOT / "deploy/toolchain/run", "env", "-0"], capture_output=True, text=True, check=True
    )
    tools = dict(entry.split("=", 1) for entry in ran.stdout.split("\0") if entry)
    os.environ.setdefault("SOLCX_BINARY_PATH", tools["SOLCX_BINARY_PATH"])
    with running_anvil(env=tools) as url:
        yield url
