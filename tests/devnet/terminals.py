"""A newcomer's terminal: blocks of a page by copy and paste, one after the other."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
BLOCK_S = 240.0
"""Of one block: the longest ones wait for several epochs."""


def shell_blocks(page: Path) -> list[str]:
    """What the page says to type."""
    return re.findall(r"^```sh\n(.*?)^```$", page.read_text(), re.M | re.S)


def newcomer() -> dict[str, str]:
    """Variables of somebody who has just opened a terminal."""
    path = [part for part in os.environ["PATH"].split(":") if not part.startswith(str(ROOT))]
    foreign = ("PHALANX_", "DEVNET_", "MAKE", "MFLAGS", "VIRTUAL_ENV", "PYTHON")
    kept = {name: text for name, text in os.environ.items() if not name.startswith(foreign)}
    return {**kept, "PATH": ":".join(path)}


class Working:
    """A terminal in which one block follows the other; folder, variables and umask stay."""

    def __init__(self, state: Path) -> None:
        self._state = state
        state.write_text("")

    def run(self, block: str) -> str:
        """What it says; it must succeed."""
        keep = f"{{ declare -px; umask -p; printf 'cd %q\\n' \"$PWD\"; }} > '{self._state}'"
        # With -a the next block has this one's variables, as in a terminal.
        script = f"source '{self._state}'\nset -ae -o pipefail\n{block}\n{keep}\n"
        ran = subprocess.run(
            ["bash", "-c", script],
            cwd=ROOT,
            env=newcomer(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=BLOCK_S,
            check=False,
        )
        print(f"$ {block}{ran.stdout}")
        assert ran.returncode == 0, f"exit code {ran.returncode} of\n{block}\n{ran.stdout}"
        return ran.stdout
