"""docs/stake.md by copy and paste: a staker's path from a key to its exit, on a real network."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.devnet.options import FOLDER
from tests.devnet.terminals import ROOT, Working, shell_blocks

pytestmark = [pytest.mark.toolchain, pytest.mark.slow, pytest.mark.e2e]

PAGE = ROOT / "docs/stake.md"
NETWORK = ROOT / FOLDER
SEEN = 'curl --fail --silent --show-error --noproxy "*" "$DEVNET_INDEXER/validators/$key"'
"""What the browser shows at the address that the page tells."""


@pytest.fixture
def own_network() -> Iterator[None]:
    """The page's folder is this test's, and gone afterwards, as is what runs in it."""
    assert not NETWORK.exists(), f"{NETWORK} is somebody's network; end it and remove the folder"
    # Whoever ends the test run early must not leave a network behind.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    yield
    signal.signal(signal.SIGTERM, before)
    if NETWORK.exists():
        down = [sys.executable, "-m", "deploy.devnet", "down"]
        subprocess.run(down, cwd=ROOT, check=False)
        shutil.rmtree(NETWORK)


@pytest.mark.usefixtures("own_network")
def test_page_takes_a_staker_from_a_key_to_its_exit(tmp_path: Path) -> None:
    work = Working(tmp_path / "state")
    told = ""
    for block in shell_blocks(PAGE):
        told += work.run(block)
        if block.startswith("beacon="):
            check_explorer(work.run(SEEN))
    for line in (
        "wrote operators 1, 2, 3, 4 to operators.json",
        "keyshares.json is sound. 1 validator.",
        "dry run: nothing was sent",
        "1 validator registered in 1 transaction",
        ", signed in epoch ",
        "at least 60 days",
        "active_exiting",
        "exited_unslashed",
    ):
        assert line in told
    assert not NETWORK.exists()


def check_explorer(page: str) -> None:
    (found,) = re.findall(r"<h2>On the beacon chain</h2>(.*?)</section>", page, re.S)
    assert re.search(r"<dt>Status</dt><dd>Active</dd>", found)
    assert re.search(r"<dt>Epoch \d+</dt><dd><span class=\"badge good\">Signed</span>", found)
