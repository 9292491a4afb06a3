"""The demo does what it says, and says so truthfully when a step fails."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from examples import demo

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_demo_shows_every_step_and_leaves_nothing_behind(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "examples.demo"],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "demo: all steps did what they should" in ran.stdout
    assert ran.stdout.count("the validator's own, byte for byte") == 4
    assert ran.stdout.count("does not verify") == 6
    assert "culprit: operator 2" in ran.stdout
    assert "share_pubkeys_do_not_recombine" in ran.stdout
    assert list(tmp_path.iterdir()) == []
    # Nothing as long as a secret key stands alone in what it prints.
    assert re.findall(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])", ran.stdout) == []


def test_failed_step_fails_the_demo(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(folder: Path) -> None:
        demo.check(is_right=False, problem="the step did not work")

    monkeypatch.setattr(demo, "make_keys", fail)
    assert demo.main() == 1
    assert "demo FAILED: the step did not work" in capsys.readouterr().out


def test_command_with_another_exit_code_fails_its_step() -> None:
    with pytest.raises(demo.DemoFailed, match="exit code 2, wanted 0"):
        demo.phalanx("nonsense", quiet=True)
