"""Fuzz the registry from one seed: python -m tests.contracts.invariants --steps 2000 --seed 1."""

from __future__ import annotations

import argparse
import sys

from tests.contracts.anvil import anvil_chain
from tests.contracts.invariants.runner import SCENARIOS, Report, in_memory, run


def main() -> int:
    """Run what the arguments ask for; 0 only if every invariant held."""
    parser = argparse.ArgumentParser(prog="python -m tests.contracts.invariants")
    parser.add_argument("--steps", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1, help="decides everything")
    parser.add_argument("--world", type=int, default=0, help="begin with this world of the seed")
    parser.add_argument("--scenario", choices=sorted(SCENARIOS), default="open")
    parser.add_argument("--anvil", action="store_true", help="on a real node instead of pyrevm")
    parser.add_argument("--outcomes", action="store_true", help="count successes and errors")
    given = parser.parse_args()
    report = run(
        seed=given.seed,
        steps=given.steps,
        first_world=given.world,
        scenario=SCENARIOS[given.scenario],
        new_chain=anvil_chain if given.anvil else in_memory,
        say=lambda line: print(line, flush=True),
    )
    if given.outcomes:
        for (function, outcome), count in sorted(report.outcomes.items()):
            print(f"{count:8} {function} {outcome}")
    return conclude(report, seed=given.seed)


def conclude(report: Report, *, seed: int) -> int:
    """Print the last line, and the failure before it if there is one."""
    if report.failure:
        print(report.failure)
    rate = report.steps / report.seconds if report.seconds else 0
    violations = int(bool(report.failure))
    print(
        f"invariants: {report.steps} steps, seed {seed}, {violations} violations, "
        f"{rate:.0f} steps/s"
    )
    return violations


if __name__ == "__main__":
    sys.exit(main())
