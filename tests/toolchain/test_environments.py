"""Two environments, one source: what is pure loads beside Ape as well as beside web3 8."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

pytestmark = pytest.mark.toolchain

IMPORT_ALL = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)"


def pure_modules(root: Path) -> list[str]:
    """Every module of the SDK under the names that the import contract for pure rooms lists.

    The node's rooms are not loaded beside Ape: nothing there uses them.
    """
    linter = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["importlinter"]
    (rooms,) = [c for c in linter["contracts"] if c["name"].startswith("pure rooms")]
    names: list[str] = []
    for room in (each for each in rooms["source_modules"] if each.startswith("sdk.")):
        path = root / room.replace(".", "/")
        files = sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]
        names += [".".join(f.relative_to(root).with_suffix("").parts) for f in files]
    return [name.removesuffix(".__init__") for name in names]


@pytest.mark.parametrize("environment", [".venv", ".venv-contracts"])
def test_pure_modules_load_in_both_environments(
    root: Path, tmp_path: Path, environment: str
) -> None:
    modules = pure_modules(root)
    assert "sdk.types" in modules
    ran = subprocess.run(
        [root / environment / "bin/python", "-P", "-c", IMPORT_ALL, *modules],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr


def test_every_module_of_crypto_loads_beside_ape(root: Path, tmp_path: Path) -> None:
    modules = [f"sdk.crypto.{path.stem}" for path in (root / "sdk/crypto").glob("[!_]*.py")]
    assert modules
    ran = subprocess.run(
        [root / ".venv-contracts/bin/python", "-P", "-c", IMPORT_ALL, *modules],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr


def test_ape_is_absent_from_the_runtime_environment() -> None:
    assert find_spec("ape") is None


def test_console_command_is_installed() -> None:
    assert (Path(sys.prefix) / "bin/phalanx").is_file()
