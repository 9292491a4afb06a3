"""kill -9 at any instant of an export or an import: never two that may sign."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.realtime
def test_killed_at_every_step_there_is_never_a_second_that_may_sign(tmp_path: Path) -> None:
    folder = tmp_path / "machines"
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "tests.unit.operator_node.handover.killing", str(folder)],
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    exports, imports = map(int, done.stdout.split())
    assert min(exports, imports) > 20
