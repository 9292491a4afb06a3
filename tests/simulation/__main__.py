"""Run seeds of the simulation: python -m tests.simulation --seeds 1000 [--size 4] [--seed 1].

One seed alone prints its transcript. Without a size, seeds are spread over all four.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable

from tests.simulation.seeds import SIZES, Outcome, replay, run_seeds


def at_least(low: int) -> Callable[[str], int]:
    """A reader of whole numbers that are not below this."""

    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or int(text) < low:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {low} up")
        return int(text)

    return read


def main() -> int:
    """Run what the arguments ask for; 0 only if every checker was content."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seeds", type=at_least(1), default=200, help="how many")
    parser.add_argument("--seed", type=at_least(0), default=1, help="the first one")
    parser.add_argument("--size", type=int, choices=SIZES, help="operators per committee")
    parser.add_argument("--real", action="store_true", help="BLS and RSA instead of stand-ins")
    parser.add_argument("--processes", type=at_least(1), default=1)
    parser.add_argument("--stop", action="store_true", help="end at the first failing seed")
    parser.add_argument("--figures", action="store_true", help="say what was covered")
    given = parser.parse_args()
    if given.seeds == 1:
        outcome = replay(given.seed, given.size, real=given.real)
        print(outcome.transcript)
        return conclude([outcome], figures=given.figures)
    outcomes = run_seeds(
        range(given.seed, given.seed + given.seeds),
        given.size,
        real=given.real,
        processes=given.processes,
    )
    collected = []
    started = time.monotonic()
    for outcome in outcomes:
        collected.append(outcome)
        for finding in outcome.findings:
            print(f"seed {outcome.seed}, n = {outcome.size}: {finding}", flush=True)
        if outcome.findings:
            print(f"  replay: {outcome.command}", flush=True)
            if given.stop:
                break
    return conclude(collected, figures=given.figures, seconds=time.monotonic() - started)


def conclude(outcomes: list[Outcome], *, figures: bool, seconds: float = 0.0) -> int:
    """Print the last line, and figures before it if they are wanted."""
    safety = sum(outcome.safety for outcome in outcomes)
    liveness = sum(outcome.liveness for outcome in outcomes)
    if figures:
        stories = Counter(outcome.story for outcome in outcomes)
        duties, owed = sum(o.duties for o in outcomes), sum(o.owed for o in outcomes)
        done, events = sum(o.done for o in outcomes), sum(o.events for o in outcomes)
        print(f"stories: {', '.join(f'{name} {count}' for name, count in stories.most_common())}")
        print(f"duties: {duties}, owed by the liveness rule {owed}, done {done}; {events} events")
    seconds = seconds or sum(outcome.seconds for outcome in outcomes)
    print(
        f"sim: {len(outcomes)} seeds, {safety} safety violations, {liveness} liveness failures, "
        f"{len(outcomes) / seconds:.0f} seeds/s"
    )
    return int(bool(safety or liveness))


if __name__ == "__main__":
    sys.exit(main())
