"""Runs slither on the contracts and fails unless docs/static-analysis.md explains all it says.

The page's table of accepted findings is the list this compares with: a finding without a row
fails, and so does a row without a finding. Slither is that of .venv-audit (`make audit`); nothing
is downloaded.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "static-analysis.md"
NOT_OURS = "node_modules|contracts/mocks|tests/"
# Only the syntax trees are looked at, so time spent on fast code would be lost.
FORGE = {
    "FOUNDRY_OUT": ".build/slither/out",
    "FOUNDRY_CACHE_PATH": ".build/slither/cache",
    "FOUNDRY_OPTIMIZER": "false",
}
ROW = re.compile(r"^\| `([a-z0-9-]+)` \| (`[^|]+`) \| ([^|]+) \|$", re.MULTILINE)
DISAGREE = 1
COULD_NOT_RUN = 2


@dataclass(frozen=True, order=True, slots=True)
class Finding:
    """What a detector says about one place.

    Attributes:
        detector: its name, as in slither's documentation.
        place: contract and function, or event, variable and the like.
    """

    detector: str
    place: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """A row of the table; its patterns are those of the shell."""

    detector: str
    patterns: tuple[str, ...]

    def covers(self, finding: Finding) -> bool:
        """Whether the row is about that finding."""
        return finding.detector == self.detector and any(
            fnmatchcase(finding.place, pattern) for pattern in self.patterns
        )


def accepted_in(page: str) -> list[Accepted]:
    """Rows `| detector | place, place | reason |` of the page."""
    return [
        Accepted(detector, tuple(re.findall(r"`([^`]+)`", places)))
        for detector, places, _ in ROW.findall(page)
    ]


def findings_in(report: dict[str, Any]) -> list[Finding]:
    """Every place in slither's JSON report, once per detector."""
    detectors = report["results"].get("detectors", [])
    return sorted({Finding(said["check"], _place(said["elements"][0])) for said in detectors})


def compare(findings: Iterable[Finding], accepted: Iterable[Accepted]) -> list[str]:
    """What does not agree, a line each; nothing if page and findings do."""
    found, rows = list(findings), list(accepted)
    lines = [
        f"new: {finding.detector}: {finding.place}"
        for finding in found
        if not any(row.covers(finding) for row in rows)
    ]
    for row in rows:
        for pattern in row.patterns:
            alone = Accepted(row.detector, (pattern,))
            if not any(alone.covers(finding) for finding in found):
                lines.append(f"no longer found: {row.detector}: {pattern}")
    return lines


def run_slither() -> dict[str, Any]:
    """Its report on all of our contracts, those for tests left out."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "slither.json"
        slither = ROOT / ".venv-audit" / "bin" / "slither"
        ran = subprocess.run(  # noqa: S603 - our own tool, fixed arguments
            [slither, ".", "--skip-clean", "--filter-paths", NOT_OURS, "--json", report],
            cwd=ROOT,
            env=os.environ | FORGE,
            capture_output=True,
            text=True,
        )
        read: dict[str, Any] = {"success": False}
        if report.exists():
            read = json.loads(report.read_text())
    if not read["success"]:
        sys.stderr.write(f"{ran.stdout}\n{ran.stderr}\nslither could not analyse this; see above\n")
        sys.exit(COULD_NOT_RUN)
    return read


def _place(element: dict[str, Any]) -> str:
    """`Contract.function.variable`, as far as there are such."""
    fields = element.get("type_specific_fields", {})
    parent = fields.get("parent")
    name = str(element["name"])
    return name if parent is None or parent["type"] == "file" else f"{_place(parent)}.{name}"


def main() -> int:
    """0 if every finding has its row and every row its finding."""
    parser = argparse.ArgumentParser(prog="deploy/audit.py", description=__doc__)
    parser.add_argument("--report", type=Path, help="slither's JSON from earlier; else run it")
    given = parser.parse_args()
    report = json.loads(given.report.read_text()) if given.report else run_slither()
    findings = findings_in(report)
    lines = compare(findings, accepted_in(PAGE.read_text()))
    disagreements = len(lines)
    if lines:
        lines.append(f"Mend the contracts, or the table of {PAGE.relative_to(ROOT)}.")
    total = f"slither: {len(findings)} places, {disagreements} disagree with the page"
    sys.stdout.write("\n".join([*lines, total, ""]))
    return DISAGREE if disagreements else 0


if __name__ == "__main__":
    sys.exit(main())
