"""docs/run-a-node.md by copy and paste: every shell block of the page, in its order, for real.

As a newcomer does it: in a terminal that knows nothing of the checkout's tools, and with two more
for what stays, `make devnet` and the node.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.devnet.terminals import ROOT, Working, newcomer, shell_blocks

pytestmark = [pytest.mark.toolchain, pytest.mark.slow, pytest.mark.e2e]

PAGE = ROOT / "docs/run-a-node.md"
FOLDER = ROOT / ".build/devnet"
NETWORK, NODE = "make devnet", "phalanx node run"
"""What stays in its terminal; each ends a block."""
START_S = 400.0
"""Of the network, if the contracts have to be compiled."""
STOP_S = 60.0
POLL_S = 0.2


class Staying:
    """A terminal whose command stays."""

    def __init__(self, block: str, output: Path) -> None:
        self.output = output
        with output.open("wb") as file:
            self._process = subprocess.Popen(
                ["bash", "-e", "-c", block],
                cwd=ROOT,
                env=newcomer(),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self.output.read_text(errors="replace")

    def until(self, text: str) -> None:
        """Returns once it has said the text."""
        deadline = time.monotonic() + START_S
        while text not in self.said:
            assert self._process.poll() is None, f"ended early:\n{self.said}"
            assert time.monotonic() < deadline, f"never said {text!r}:\n{self.said}"
            time.sleep(POLL_S)

    def interrupt(self) -> int:
        """Ctrl-C; its exit code."""
        os.killpg(self._process.pid, signal.SIGINT)
        return self._process.wait(timeout=STOP_S)

    def end(self) -> None:
        """Whatever happened before."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGINT)
            try:
                self._process.wait(timeout=STOP_S)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()


@contextmanager
def staying(block: str, output: Path) -> Iterator[Staying]:
    terminal = Staying(block, output)
    try:
        yield terminal
    finally:
        terminal.end()


@pytest.fixture
def own_folder() -> Iterator[None]:
    """The network's folder is this test's, and gone afterwards, as is what runs in it."""
    assert not FOLDER.exists(), f"{FOLDER} is somebody's network; end it and remove the folder"
    # Whoever ends the test run early must not leave a network behind.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    yield
    signal.signal(signal.SIGTERM, before)
    shutil.rmtree(FOLDER, ignore_errors=True)


@pytest.mark.usefixtures("own_folder")
def test_page_takes_an_operator_from_nothing_to_duties(tmp_path: Path) -> None:
    with ExitStack() as stack:
        work = Working(tmp_path / "state")
        terminals: dict[str, Staying] = {}
        told = ""
        for number, block in enumerate(shell_blocks(PAGE)):
            last = block.rstrip().splitlines()[-1]
            if kind := next((each for each in (NETWORK, NODE) if last.startswith(each)), None):
                output = tmp_path / f"terminal-{number}"
                terminals[kind] = stack.enter_context(staying(block, output))
                if kind is NETWORK:
                    terminals[kind].until("the network runs")
                continue
            if "rm -r" in block:
                check_what_was_seen(told, terminals[NETWORK].said)
                check_the_end(terminals)
            told += work.run(block)
    assert not FOLDER.exists()


def check_what_was_seen(told: str, shown: str) -> None:
    print(shown)
    for line in (
        "the configuration is usable, with 0 warnings",
        "state: ready",
        '{"failing":[]}',
        "operator: 4",
        "validators: 4",
    ):
        assert line in told
    assert re.search(r"^COMMITTEE-1_2_3_4-e\d+-s\d+ +done", told, re.M)
    assert "  reason     done, nobody's doing" in told
    assert re.search(r"^ *\d+  votes +.* [34] of 4 +done", shown, re.M)
    # Nothing as long as a secret key is shown.
    assert re.findall(r"[0-9a-fA-F]{64}", shown) == []


def check_the_end(terminals: dict[str, Staying]) -> None:
    assert terminals[NODE].interrupt() == 0
    assert "==> stopped" in terminals[NODE].said
    terminals[NETWORK].interrupt()
    assert "stopped; nothing is left running" in terminals[NETWORK].said
