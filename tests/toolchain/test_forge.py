"""The contracts agree with their plain twins, and solhint has nothing to say about them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.toolchain

FORGE = {"FOUNDRY_PROFILE": "maths"}
SUITES = 6


def test_assembly_and_packed_maths_equal_their_plain_twins(
    root: Path, tools: dict[str, str]
) -> None:
    ran = subprocess.run(
        ["forge", "test", "--offline"],
        cwd=root,
        env=tools | FORGE,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    summary = re.search(
        r"Ran (\d+) test suites in .*: (\d+) tests passed, 0 failed, 0 skipped", ran.stdout
    )
    assert summary, ran.stdout
    assert int(summary[1]) == len(list((root / "tests/forge").glob("*.t.sol"))) == SUITES


def test_solhint_has_nothing_to_say_about_the_contracts(root: Path, tools: dict[str, str]) -> None:
    ran = subprocess.run(
        ["solhint", "--disc", "--max-warnings", "0", "contracts/**/*.sol"],
        cwd=root,
        env=tools,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_rule_that_is_off_has_its_reason(root: Path) -> None:
    page = (root / "docs/static-analysis.md").read_text()
    off = re.findall(r'"([a-z-]+)": "off"', (root / ".solhint.json").read_text())
    assert off
    assert [rule for rule in off if f"| `{rule}` | " not in page] == []
