"""Mutated inputs against every decoder and gossip validation, for as long as wanted.

Exit code 0 only if something ran and nothing went wrong. The seed is printed; a failure names its
era, and `--seed S --era E` runs that era again.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from collections.abc import Iterator
from itertools import count, islice
from multiprocessing import get_context
from typing import Final

from tests.fuzz.run import ERA_INPUTS, Report, run_era

DEFAULT_MINUTES: Final = 1.0
PROGRESS_S: Final = 10.0
MEMORY_GROWTH_MIB: Final = 128.0
"""Between the first era and the last. One era holds some MB, so this much is a leak."""

Era = tuple[int, int, int]


def main(arguments: list[str] | None = None) -> int:
    """Runs until time or inputs are used up; returns the exit code."""
    options = _options().parse_args(arguments)
    print(f"fuzz: seed {options.seed}, {options.processes} processes", flush=True)
    started = time.monotonic()
    deadline = None if options.inputs or options.era is not None else started + 60 * options.minutes
    total, shown, first_peak = Report(), started, 0.0
    for report in _reports(_eras(options, deadline), options.processes):
        total.add(report)
        first_peak = first_peak or report.peak_mib
        now = time.monotonic()
        if now >= shown + PROGRESS_S:
            shown = now
            _progress(total, now - started)
    _progress(total, time.monotonic() - started)
    _summary(total)
    return conclude(total, grown_mib=total.peak_mib - first_peak)


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=DEFAULT_MINUTES)
    parser.add_argument("--inputs", type=_positive, help="so many, however long it takes")
    parser.add_argument("--seed", type=int, default=secrets.randbits(32))
    parser.add_argument("--era", type=int, help="run this era of the seed only")
    parser.add_argument("--processes", type=_positive, default=1)
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is below 1")
    return number


def _eras(options: argparse.Namespace, deadline: float | None) -> Iterator[Era]:
    """Seed, era and inputs of what is to be run; drawn when a process is free."""
    if options.era is not None:
        yield options.seed, options.era, options.inputs or ERA_INPUTS
        return
    left = options.inputs
    for era in count():
        if (left is not None and left <= 0) or (deadline and time.monotonic() >= deadline):
            return
        yield options.seed, era, ERA_INPUTS if left is None else min(left, ERA_INPUTS)
        left = None if left is None else left - ERA_INPUTS


def _reports(eras: Iterator[Era], processes: int) -> Iterator[Report]:
    if processes == 1:
        yield from (run_era(*era) for era in eras)
        return
    with get_context("spawn").Pool(processes) as pool:
        waiting = [pool.apply_async(run_era, era) for era in islice(eras, processes)]
        while waiting:
            yield waiting.pop(0).get()
            waiting += [pool.apply_async(run_era, era) for era in islice(eras, 1)]


def _progress(total: Report, seconds: float) -> None:
    rate = total.inputs / max(seconds, 1e-9)
    print(
        f"{seconds:7.0f} s  {total.inputs:>12,} inputs  {rate:>8,.0f} inputs/s  "
        f"{total.failed} undocumented exceptions  {total.peak_mib:.0f} MiB",
        flush=True,
    )


def _summary(total: Report) -> None:
    for name in sorted(total.accepted.keys() | total.refused.keys()):
        accepted, refused = total.accepted[name], total.refused[name]
        print(f"  {name:<32} {accepted:>10,} accepted {refused:>12,} refused")
    accepted = total.verdicts["accept"]
    refused = total.verdicts.total() - accepted
    rules = len(total.verdicts.keys() - {"accept"})
    print(f"  {'validation':<32} {accepted:>10,} accepted {refused:>12,} refused by {rules} rules")


def conclude(total: Report, *, grown_mib: float) -> int:
    """Prints failures and the last line; returns the exit code.

    Args:
        total: of all eras.
        grown_mib: by how much the peak memory rose after the first era.
    """
    for failure in total.failures:
        print(failure, file=sys.stderr)
    leaks = grown_mib > MEMORY_GROWTH_MIB
    if leaks:
        print(f"fuzz: memory grew by {grown_mib:.0f} MiB after the first era", file=sys.stderr)
    print(
        f"fuzz: {total.inputs} inputs, {total.failed} undocumented exceptions, "
        f"peak memory {total.peak_mib:.0f} MiB"
    )
    return 0 if total.inputs and not total.failed and not leaks else 1


if __name__ == "__main__":
    sys.exit(main())
