"""Sets whose product code is not built yet: their cases are counted as not run."""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterator
from pathlib import Path

from tests.vectors.case import Case


def run_sub_tests(folder: Path) -> Iterator[Case]:
    """One case per family of a consensus set, counting its sub-tests, or its files' lines."""
    index = folder / "INDEX.json"
    if index.is_file():
        for name, family in json.loads(index.read_bytes())["families"].items():
            yield Case(name, was_run=False, count=family["subtests"])
        return
    for path in sorted(folder.glob("*/*.tests.jsonl.xz")):
        with lzma.open(path) as lines:
            yield Case(path.stem, was_run=False, count=sum(1 for _ in lines))


def run_files(folder: Path) -> Iterator[Case]:
    """One case per file."""
    for path in sorted(folder.glob("*.json")):
        yield Case(path.stem, was_run=False)
