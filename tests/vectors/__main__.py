"""Runs published test vectors: `python -m tests.vectors [DIR]`, or `make vectors DIR=...`.

DIR holds any of the sets named in `SETS`. An absent set is no failure. The last line is
`vectors: N passed, M failed, K not run`; the exit code is 1 if anything failed.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.vectors import dkg, keyshares, registry, slashing
from tests.vectors.case import Case, Run
from tests.vectors.ssv import run as ssv

DEFAULT = Path(__file__).parents[3] / "shared" / "vectors"
SETS: dict[str, tuple[Run, str]] = {
    "keyshares": (
        keyshares.run,
        "not published: made with ssv-keys 1.2.0 and 1.1.0 from fresh keys; layout in "
        "docs/vectors.md",
    ),
    "dkg": (
        dkg.run,
        "test data of ssvlabs/ssv-dkg (ceremonies made October 2024, output checker's test data as "
        "of April 2026; no tag); layout in docs/vectors.md",
    ),
    "ssv-spec": (ssv.run, "ssvlabs/ssv-spec, main at 5d11f26bc (Boole)"),
    "ssv-spec-alan": (ssv.run, "ssvlabs/ssv-spec, tag v1.2.2 (Alan)"),
    "slashing-protection": (
        slashing.run,
        "eth-clients/slashing-protection-interchange-tests, release v5.3.0",
    ),
}


def main(arguments: list[str]) -> int:
    """Runs everything found; returns the exit code."""
    folder = Path(arguments[0]) if arguments else DEFAULT
    if not folder.is_dir():
        print(f"no vectors at {folder}. Put the sets into one folder and name it with DIR=:")
        for name, (_, source) in SETS.items():
            print(f"  {name}: {source}")
        if arguments:
            return 2
        print("vectors: 0 passed, 0 failed, 0 not run")
        return 0
    print(f"==> vectors in {folder}")
    total: Counter[str] = Counter()
    for name, (run, _) in SETS.items():
        if (folder / name).is_dir():
            total += _report(name, run, folder / name)
        else:
            print(f"{name}: absent")
    for abi in (folder, folder / "abi", folder.parent / "specs" / "abi"):
        if registry.is_present(abi):
            total += _report("registry", registry.run, abi)
            break
    print(
        f"vectors: {total['passed']} passed, {total['failed']} failed, {total['not run']} not run"
    )
    return 1 if total["failed"] else 0


def _report(name: str, run: Run, folder: Path) -> Counter[str]:
    started = time.monotonic()
    count: Counter[str] = Counter()
    for case in _run_to_the_end(run, folder):
        count[_outcome(case)] += case.count
        if case.problem:
            print(f"  FAILED {name}/{case.name}: {case.problem}")
    numbers = ", ".join(f"{count[key]} {key}" for key in ("passed", "failed", "not run"))
    print(f"{name}: {numbers} ({time.monotonic() - started:.1f} s)")
    return count


def _run_to_the_end(run: Run, folder: Path) -> Iterator[Case]:
    """The set's cases; a set that cannot be read is one failed case, and the next still runs."""
    try:
        yield from run(folder)
    except Exception as problem:
        yield Case("(reading the set)", f"{type(problem).__name__}: {problem}")


def _outcome(case: Case) -> str:
    if not case.was_run:
        return "not run"
    return "failed" if case.problem else "passed"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
