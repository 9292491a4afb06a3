"""Sets whose product code is not built yet: their cases are counted as not run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from tests.vectors.case import Case


def run_sub_tests(folder: Path) -> Iterator[Case]:
    """One case per family of a consensus set, counting its sub-tests."""
    families = json.loads((folder / "INDEX.json").read_bytes())["families"]
    for name, family in families.items():
        yield Case(name, was_run=False, count=family["subtests"])


def run_files(folder: Path) -> Iterator[Case]:
    """One case per file."""
    for path in sorted(folder.glob("*.json")):
        yield Case(path.stem, was_run=False)
