"""Locks pin every package by hash, agree with each other and with what pyproject.toml asks for."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# Which lock answers which part of pyproject.toml: its groups, and whether the project itself.
LOCKS = {
    "runtime": ((), True),
    "dev": (("dev",), True),
    "contracts": (("contracts",), False),
    "audit": (("audit",), False),
    "build": (("build",), False),
    "uv": (("uv",), False),
}


def locked(root: Path, name: str) -> dict[str, set[str]]:
    """Package → versions; more than one only where markers choose between them."""
    text = (root / f"requirements/{name}.txt").read_text().replace("\\\n", " ")
    versions: dict[str, set[str]] = {}
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        pinned = re.match(r"(\S+)==(\S+) .*--hash=sha256:[0-9a-f]{64}", line)
        assert pinned, f"requirements/{name}.txt: not pinned by hash: {line[:100]}"
        versions.setdefault(canonicalize_name(pinned[1]), set()).add(pinned[2])
    return versions


@pytest.mark.parametrize("name", LOCKS)
def test_lock_answers_what_the_project_asks_for(root: Path, name: str) -> None:
    groups, with_project = LOCKS[name]
    pyproject = tomllib.loads((root / "pyproject.toml").read_text())
    asked = [entry for group in groups for entry in pyproject["dependency-groups"][group]]
    if with_project:
        asked += pyproject["project"]["dependencies"]
        for extra in pyproject["project"]["optional-dependencies"].values():
            asked += extra
    versions = locked(root, name)
    assert asked
    for requirement in map(Requirement, asked):
        found = versions.get(canonicalize_name(requirement.name), set())
        assert found, f"{requirement} is missing; run make lock"
        assert all(requirement.specifier.contains(v, prereleases=True) for v in found), requirement


def test_every_lock_belongs_to_a_set(root: Path) -> None:
    assert {path.stem for path in (root / "requirements").iterdir()} == set(LOCKS)


def test_what_is_tested_is_what_is_deployed(root: Path) -> None:
    development = locked(root, "dev")
    runtime = locked(root, "runtime")
    assert runtime == {name: development.get(name) for name in runtime}


@pytest.mark.parametrize("folder", [".", "tests/scanner", "deploy/devnet/lodestar"])
def test_npm_lock_pins_by_hash_without_addresses(root: Path, folder: str) -> None:
    packages = json.loads((root / folder / "package-lock.json").read_text())["packages"]
    del packages[""]
    assert packages
    assert [name for name, entry in packages.items() if "integrity" not in entry] == []
    assert [name for name, entry in packages.items() if "resolved" in entry] == []


def test_pnpm_lock_pins_by_hash_without_addresses(root: Path) -> None:
    text = (root / "tests/consensus/pnpm-lock.yaml").read_text()
    resolutions = re.findall(r"^    resolution: (.*)$", text, re.MULTILINE)
    assert resolutions
    assert [r for r in resolutions if not re.fullmatch(r"\{integrity: sha512-\S+\}", r)] == []
