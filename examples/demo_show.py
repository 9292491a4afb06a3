"""What the demo's steps share: titles, lines, checks, and running the console command.

Nothing here knows a step.
"""

from __future__ import annotations

import subprocess
import sys


class DemoFailed(Exception):
    """A step did not do what it should."""


def title(text: str) -> None:
    """Says what comes next."""
    print(f"\n==> {text}", flush=True)


def say(text: str) -> None:
    """One line of a step."""
    print(f"  {text}", flush=True)


def check(is_right: bool, problem: str) -> None:
    """Fails the demo with `problem` unless `is_right`."""
    if not is_right:
        raise DemoFailed(problem)


def phalanx(*words: str, quiet: bool = False, wanted: int = 0) -> str:
    """Runs the console command, shows it, and fails the demo on another exit code."""
    if not quiet:
        say(f"$ phalanx {' '.join(words)}")
    answer = subprocess.run(
        [sys.executable, "-m", "sdk.cli.main", *words],
        capture_output=True,
        text=True,
        check=False,
    )
    said = answer.stderr + answer.stdout
    if not quiet:
        for line in said.splitlines():
            say(f"  {line}")
    check(answer.returncode == wanted, f"exit code {answer.returncode}, wanted {wanted}:\n{said}")
    return answer.stdout
