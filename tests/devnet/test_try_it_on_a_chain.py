"""docs/cli.md, "Try it on a chain", by copy and paste: from the deployment to a runway."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator

import pytest

from tests.devnet.terminals import ROOT, newcomer
from tests.unit.docs.commands import blocks

pytestmark = [pytest.mark.toolchain, pytest.mark.slow]

PAGE = "docs/cli.md"
FOLDER = ROOT / ".build/trial"
PORT = 8545
LONGEST_S = 600.0
"""Contracts may have to be compiled."""


@pytest.fixture
def own_folder() -> Iterator[None]:
    """The page's folder and its port are this test's."""
    assert not FOLDER.exists(), f"{FOLDER} is somebody's trial; end its anvil and remove it"
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", PORT)), f"somebody listens on {PORT}"
    yield
    shutil.rmtree(FOLDER, ignore_errors=True)


@pytest.mark.usefixtures("own_folder")
def test_page_leads_from_a_deployment_to_a_cluster_with_runway() -> None:
    first, last = (
        block.text
        for begins in ("source .venv/bin/activate", "kill %1")
        for block in blocks(PAGE)
        if block.first == begins
    )
    # However it ends, the chain does, too; a terminal would go on after `kill` as well.
    script = f"trap 'kill %1 2> /dev/null || true; wait' EXIT\nset -e -o pipefail\n{first}\n{last}"
    ran = subprocess.run(
        ["bash", "-c", script],
        cwd=ROOT,
        env=newcomer(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )
    print(ran.stdout)
    assert ran.returncode == 0
    for line in (
        "wrote operators 1, 2, 3, 4 to operators.json",
        "1 validator registered in 1 transaction",
        "runway: 216000 blocks, at least 30.0 days",
    ):
        assert line in ran.stdout
    assert not FOLDER.exists()
