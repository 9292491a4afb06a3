"""Shows that the suite notices every fault: python -m tests.mutants [name ...].

The sound sources must pass the same tests first, or a failure would show nothing.
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.mutants.patches import Mutant, UnusablePatch, all_mutants, apply
from tests.mutants.workshop import Result, Workshop, open_workshop

MOST_SHOWN = 5_000
"""Characters of a test's output, from its end, where the verdict alone says too little."""


def main() -> int:
    """Run what the arguments ask for; 0 only if every fault was caught."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    parser.add_argument("names", nargs="*", help="faults to make; all of them if none is named")
    parser.add_argument("--list", action="store_true", help="only say which there are")
    given = parser.parse_args()
    known = {mutant.name: mutant for mutant in all_mutants()}
    unknown = [name for name in given.names if name not in known]
    if unknown:
        parser.error(f"no such mutant: {', '.join(unknown)}; see --list")
    chosen = [known[name] for name in given.names] or list(known.values())
    if given.list:
        for mutant in chosen:
            print(f"{mutant.name:32} {mutant.fault}")
        return 0
    try:
        for mutant in chosen:
            apply(mutant, only_check=True)
    except UnusablePatch as stale:
        print(stale)
        return 2
    with open_workshop() as workshop:
        if not is_sound(workshop, chosen):
            return 2
        return 0 if run(workshop, chosen) else 1


def is_sound(workshop: Workshop, mutants: list[Mutant]) -> bool:
    """Whether the unchanged sources pass every test that is to catch something."""
    workshop.spoil(None)
    for family, arguments in sorted({(mutant.family, mutant.arguments) for mutant in mutants}):
        started = time.monotonic()
        result = workshop.test(family, arguments)
        words = " ".join((family, *arguments))
        verdict = "passes" if result.passed else "does not pass"
        print(f"sound sources: {words} {verdict} ({_since(started)})", flush=True)
        if not result.passed:
            print(result.output[-MOST_SHOWN:])
            return False
    return True


def run(workshop: Workshop, mutants: list[Mutant]) -> bool:
    """Make each fault in turn and say whether it was caught; the last line sums up."""
    caught = 0
    for mutant in mutants:
        started = time.monotonic()
        workshop.spoil(mutant)
        result = workshop.test(mutant.family, mutant.arguments)
        caught += result.failed
        print(
            f"{_verdict(result):8} {mutant.name}: {mutant.fault} ({_since(started)})\n"
            f"         {mutant.family}: {result.reason}",
            flush=True,
        )
        if not result.failed and not result.passed:
            print(result.output[-MOST_SHOWN:])
    print(f"mutants: {caught} caught, {len(mutants) - caught} survived")
    return caught == len(mutants)


def _verdict(result: Result) -> str:
    if result.failed:
        return "caught"
    return "SURVIVED" if result.passed else "BROKEN"


def _since(started: float) -> str:
    return f"{time.monotonic() - started:.0f} s"


if __name__ == "__main__":
    sys.exit(main())
