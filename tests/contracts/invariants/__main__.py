"""Fuzz the registry from one seed: python -m tests.contracts.invariants --steps 2000 --seed 1.

Without a scenario, one step in five goes to the coalitions (I19) and the rest to everybody.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from tests.contracts.anvil import anvil_chain
from tests.contracts.invariants.runner import (
    COALITION,
    OPEN,
    SCENARIOS,
    Report,
    in_memory,
    run,
)

COALITION_SHARE = 5
"""One step in so many."""


def main() -> int:
    """Run what the arguments ask for; 0 only if every invariant held."""
    parser = argparse.ArgumentParser(prog="python -m tests.contracts.invariants")
    parser.add_argument("--steps", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1, help="decides everything")
    parser.add_argument("--world", type=int, default=0, help="begin with this world of the seed")
    parser.add_argument("--scenario", choices=sorted(SCENARIOS), help="only this one")
    parser.add_argument("--anvil", action="store_true", help="on a real node instead of pyrevm")
    parser.add_argument("--outcomes", action="store_true", help="count successes and errors")
    given = parser.parse_args()
    report = Report(0, 0.0, Counter())
    for name, steps in shares(given.steps, given.scenario).items():
        print(f"scenario {name}: {steps} steps", flush=True)
        part = run(
            seed=given.seed,
            steps=steps,
            first_world=given.world,
            scenario=SCENARIOS[name],
            new_chain=anvil_chain if given.anvil else in_memory,
            say=lambda line: print(line, flush=True),
            replay_options=" --anvil" if given.anvil else "",
        )
        report = Report(
            report.steps + part.steps,
            report.seconds + part.seconds,
            report.outcomes + part.outcomes,
            part.failure,
        )
        if part.failure:
            break
    if given.outcomes:
        for (function, outcome), count in sorted(report.outcomes.items()):
            print(f"{count:8} {function} {outcome}")
    return conclude(report, seed=given.seed)


def shares(steps: int, scenario: str | None) -> dict[str, int]:
    """Steps of each scenario."""
    if scenario:
        return {scenario: steps}
    coalition = steps // COALITION_SHARE
    return {OPEN.name: steps - coalition, COALITION.name: coalition}


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
