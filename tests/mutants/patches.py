"""The faults: unified diffs against `contracts/` or `operator_node/` under two lines about them.

`Fault:` says what is wrong with the changed source; `Caught by:` names the tests that must fail
then, as `FAMILIES` and arguments. A patch must apply as it is, or it says nothing any more.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(__file__).parent / "patches"


@dataclass(frozen=True, slots=True)
class Family:
    """Tests of one kind.

    Attributes:
        command: how they are started, from the root of a checkout; arguments follow.
        markers: what stands in the output when one failed, one of them at least, and not when none
            could be run.
        environment: variables besides those of deploy/toolchain/run.
    """

    command: tuple[str, ...]
    markers: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()


FAMILIES = {
    "invariants": Family(
        (".venv-contracts/bin/python", "-m", "tests.contracts.invariants"), ("violation at step",)
    ),
    "forge": Family(("forge", "test", "--offline"), ("[FAIL",), (("FOUNDRY_PROFILE", "maths"),)),
    "behaviour": Family(
        (".venv-contracts/bin/ape", "test", "--network", "ethereum:local:foundry", "-q"),
        ("\nFAILED ",),
    ),
    "simulation": Family(
        (".venv/bin/python", "-m", "tests.simulation"), (": safety: ", ": liveness: ")
    ),
}
"""In the order in which they are worth trying: the first two take seconds."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault.

    Attributes:
        name: of its file, without the ending.
        fault: what is wrong, in a sentence.
        family: which tests must see it, a key of `FAMILIES`.
        arguments: for that family's command.
    """

    name: str
    path: Path
    fault: str
    family: str
    arguments: tuple[str, ...]


class UnusablePatch(Exception):
    """A patch has no proper head, or does not apply to the sources as they are now."""


def all_mutants(folder: Path = FOLDER) -> list[Mutant]:
    """Every fault, by name."""
    return [read(path) for path in sorted(folder.glob("*.patch"))]


def read(path: Path) -> Mutant:
    """The fault that a patch describes in its first two lines."""
    first, second, *_ = path.read_text().splitlines()
    if not first.startswith("Fault: ") or not second.startswith("Caught by: "):
        raise UnusablePatch(f"{path.name} does not begin with its Fault: and Caught by: lines")
    family, *arguments = shlex.split(second.removeprefix("Caught by: "))
    if family not in FAMILIES:
        raise UnusablePatch(f"{path.name} names {family}, not one of {', '.join(FAMILIES)}")
    return Mutant(path.stem, path, first.removeprefix("Fault: "), family, tuple(arguments))


def apply(mutant: Mutant, root: Path = ROOT, *, only_check: bool = False) -> None:
    """Change the sources below `root`, or see whether they could be.

    Raises:
        UnusablePatch: the text that it changes is no longer there.
    """
    command = ["git", "apply", *(["--check"] if only_check else []), str(mutant.path)]
    environment = {name: text for name, text in os.environ.items() if name[:4] != "GIT_"}
    # A repository above a temporary directory would decide which paths are meant.
    environment["GIT_CEILING_DIRECTORIES"] = str(root.parent)
    ran = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    if ran.returncode != 0:
        raise UnusablePatch(
            f"{mutant.path.name} does not apply any more: {ran.stderr.strip()}. "
            "Make the same fault in the sources as they are and write the patch anew."
        )
