"""What the architecture tests share: the checkout and the files that belong to it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("sdk", "indexer", "operator_node")
OUR_HIDDEN_FOLDERS = {".ci"}


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout under test."""
    return ROOT


@pytest.fixture(scope="session")
def project_files() -> list[Path]:
    """Files that git tracks or would track; in an unpacked archive, all but what tools make."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if listed.returncode == 0:
        names = [ROOT / name for name in listed.stdout.split("\0") if name]
        return [path for path in names if path.is_file()]  # one may be deleted and not committed
    return [path for path in ROOT.rglob("*") if path.is_file() and not is_made_by_a_tool(path)]


def is_made_by_a_tool(path: Path) -> bool:
    """Whether the file lies in a cache, an environment or another folder that tools fill."""
    folders = set(path.relative_to(ROOT).parent.parts) - OUR_HIDDEN_FOLDERS
    return any(name.startswith(".") or name in {"node_modules", "__pycache__"} for name in folders)


@pytest.fixture(scope="session")
def sources(project_files: list[Path]) -> list[Path]:
    """The Python modules of the three packages."""
    found = [
        path
        for path in project_files
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in PACKAGES
    ]
    assert found
    return found
