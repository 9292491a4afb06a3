"""docs/cli.md, "Try it", by copy and paste: everything from nothing, in an empty folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.docs.commands import blocks

pytestmark = pytest.mark.slow

LONGEST_S = 300.0


def test_page_leads_from_nothing_to_a_sound_keyshares_file(tmp_path: Path) -> None:
    (block,) = [block for block in blocks("docs/cli.md") if block.first == "umask 077"]
    tools = Path(sys.executable).parent
    ran = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", block.text],
        cwd=tmp_path,
        env={"PATH": f"{tools}:{os.environ['PATH']}", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "sound" in ran.stdout
    made = {path.name for path in tmp_path.iterdir()}
    assert {"keyshares.json", "operators.json", "validator"} <= made
    assert (tmp_path / "keyshares.json").stat().st_mode & 0o077 == 0
