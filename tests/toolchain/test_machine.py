"""`make setup` says exactly which Debian packages a machine lacks, and installs them as root."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.toolchain

SCRIPT = 'set -euo pipefail; root="$1"; . deploy/toolchain/machine.sh; prepare_machine'
COMMANDS = ("sh", "bash", "env", "cc", "c++", "make", "id", "chromium")
USER_ID, ROOT_ID = 1000, 0


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A directory that stands for a machine's PATH and holds all that setup looks for."""
    for name in COMMANDS:
        found = shutil.which(name)
        assert found, name
        (tmp_path / name).symlink_to(found)
    (tmp_path / "python3").symlink_to(sys._base_executable)  # type: ignore[attr-defined]
    return tmp_path


def replace(program: Path, text: str) -> None:
    program.unlink(missing_ok=True)
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)


def prepare(root: Path, machine: Path, *, user_id: int) -> subprocess.CompletedProcess[str]:
    replace(machine / "id", f"echo {user_id}")
    return subprocess.run(
        [machine / "bash", "-c", SCRIPT, "setup", root],
        cwd=root,
        # Real compilers call their own assembler and linker, never one of ours.
        env={"PATH": str(machine), "COMPILER_PATH": os.defpath},
        capture_output=True,
        text=True,
    )


def test_complete_machine_is_accepted(root: Path, machine: Path) -> None:
    ran = prepare(root, machine, user_id=USER_ID)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("==> machine: Python 3.")


def test_user_is_told_the_exact_packages(root: Path, machine: Path) -> None:
    (machine / "c++").unlink()
    replace(machine / "cc", "exit 1")
    ran = prepare(root, machine, user_id=USER_ID)
    assert ran.returncode == 1
    assert ran.stderr.rstrip().endswith("As root, run: apt-get install g++ libgmp-dev")


def test_root_installs_what_is_missing(root: Path, machine: Path) -> None:
    (machine / "c++").unlink()
    install = f'echo "$@" >> {machine}/calls; : > {machine}/c++; /bin/chmod +x {machine}/c++'
    replace(machine / "apt-get", install)
    ran = prepare(root, machine, user_id=ROOT_ID)
    assert ran.returncode == 0, ran.stderr
    calls = (machine / "calls").read_text().splitlines()
    assert calls == ["update", "install --yes --no-install-recommends g++"]


def test_old_python_is_refused_with_a_remedy(root: Path, machine: Path) -> None:
    replace(machine / "python3", "exit 1")
    ran = prepare(root, machine, user_id=USER_ID)
    assert ran.returncode == 1
    assert "no Python 3.11 or newer" in ran.stderr
    assert "apt-get install python3 python3-venv python3-dev" in ran.stderr
