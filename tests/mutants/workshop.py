"""A copy of the checkout in a temporary directory, in which sources are spoilt and tested.

Contracts are compiled for fewer runs there, which takes less time; no fault depends on it. What was
compiled is kept in `.build/mutants`, by content.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.patches import FAMILIES, ROOT, Mutant, apply

COPIED = (
    *("ape-config.yaml", "foundry.toml", "pyproject.toml", "package.json"),
    *("contracts", "deploy", "sdk", "operator_node"),
    *("tests/__init__.py", "tests/contracts", "tests/forge", "tests/simulation"),
)
SPOILT = ("contracts", "operator_node")
"""Where faults are made; everything else of the copy stays as it is."""
LINKED = ("node_modules", ".venv", ".venv-contracts")
# What a test run leaves behind; none of it may travel.
LEFT_OUT = shutil.ignore_patterns("__pycache__", ".cache", ".build", ".pytest_cache")
RUNS = re.compile(r'("runs": |optimizer_runs = )[0-9_]+')
# Far fewer, and the compiler moves constants behind the code, which the EVM of the invariants
# would take for code when it prepares a contract for its base fee.
FEWER_RUNS = 200
LONGEST_S = 1_800


@dataclass(frozen=True, slots=True)
class Result:
    """How one test command ended.

    Attributes:
        failed: a test failed.
        passed: all tests ran and passed; neither if something else went wrong.
        output: all that was printed.
    """

    failed: bool
    passed: bool
    output: str

    @property
    def reason(self) -> str:
        """The line that says what failed, or the last one."""
        lines = [line.strip() for line in self.output.splitlines() if line.strip()]
        marks = ("Violation:", "[FAIL", "FAILED ", ": safety: ", ": liveness: ", "Error")
        telling = [line for mark in marks for line in lines if mark in line]
        line = (telling or lines or ["no output"])[0][:140]
        return "".join(letter for letter in line if letter.isprintable())


class Workshop:
    """The copy. Each mutant is made from the sources as they were when it was opened."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in COPIED:
            _copy(ROOT / name, root / name)
        for name in LINKED:
            (root / name).symlink_to(ROOT / name)
        kept = ROOT / ".build" / "mutants"
        kept.mkdir(parents=True, exist_ok=True)
        (root / ".build").mkdir()
        (root / ".build" / "contracts").symlink_to(kept)
        for name in SPOILT:
            _copy(root / name, root / "sound" / name)
        for name in ("sdk/toolchain/compile.py", "foundry.toml"):
            _compile_faster(root / name)

    def spoil(self, mutant: Mutant | None) -> None:
        """Put the sources back, then make one fault in them, if any."""
        for name in SPOILT:
            shutil.rmtree(self.root / name)
            _copy(self.root / "sound" / name, self.root / name)
        if mutant is not None:
            apply(mutant, self.root)

    def test(self, family: str, arguments: tuple[str, ...]) -> Result:
        """Run tests on the sources as they are in the copy."""
        chosen = FAMILIES[family]
        command = ["deploy/toolchain/run", *chosen.command, *_placed(family, arguments)]
        environment = os.environ | dict(chosen.environment)
        # The caller's own sources must not be found before those of the copy.
        environment["PYTHONPATH"] = str(self.root)
        ran = subprocess.run(
            command,
            cwd=self.root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LONGEST_S,
        )
        failed = ran.returncode != 0 and any(marker in ran.stdout for marker in chosen.markers)
        return Result(failed=failed, passed=ran.returncode == 0, output=ran.stdout)


@contextmanager
def open_workshop() -> Iterator[Workshop]:
    """A copy that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        yield Workshop(Path(folder).resolve())


def _placed(family: str, arguments: tuple[str, ...]) -> tuple[str, ...]:
    """Behaviour tests are named by their file alone."""
    if family != "behaviour":
        return arguments
    file, *rest = arguments
    return (f"tests/contracts/behaviour/{file}", *rest)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=LEFT_OUT)
    else:
        shutil.copy(source, target)


def _compile_faster(settings: Path) -> None:
    text, count = RUNS.subn(rf"\g<1>{FEWER_RUNS}", settings.read_text())
    if count != 1:
        raise RuntimeError(f"{settings.name} sets the optimiser's runs {count} times, not once")
    settings.write_text(text)
