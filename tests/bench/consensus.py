"""One consensus message, and one whole committee duty, as an operator of the committee pays for it.

Times are set against RSA and BLS operations measured in the same run; `primitives` explains how
many of them are unavoidable. Alone: `python -m tests.bench consensus`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean, median

from tests.bench import counting
from tests.bench.committees import build
from tests.bench.counting import STAGES
from tests.bench.measuring import ROUNDS, Result, Steps, measure_duty, measure_messages
from tests.bench.primitives import Gauge, Primitives, sum_additions

SIZES = (4, 13)
MESSAGE_BAR, DUTY_BAR = 3, 1.3
BARRED = (4, 500)
"""Operators and validators of the duty that has a bar."""
OPERATIONS = (
    ("rsa_verify", "RSA verification", counting.RSA_VERIFICATIONS),
    ("rsa_sign", "RSA signature", counting.RSA_SIGNATURES),
    ("hash_to_g2", "message hashed to the curve", counting.HASHES),
    ("sign", "BLS signature, message hashed before", counting.MULTIPLICATIONS),
    ("g2_decode", "signature from bytes, checked", counting.DECODES),
    ("combine", "quorum combined, from points to bytes", counting.COMBINATIONS),
    ("g2_add", "addition in G2", counting.CHECKED),
    ("g1_add", "addition in G1", counting.CHECKED),
    ("pairings", "check of two pairings", counting.CHECKS),
)
"""Field of `Primitives` and `Minimum`, name in tables, name among the counts of a run."""


def run() -> None:
    """Prints the tables."""
    gauges = {size: Gauge(size) for size in SIZES}
    messages = {size: measure_messages(build(size, 1)) for size in SIZES}
    results = [
        measure_duty(world, gauges[world.size], leading=leading)
        for world in (build(size, validators) for size in SIZES for validators in ROUNDS)
        for leading in (False, True)
    ]
    barred = next(each for each in results if (each.world.size, each.world.validators) == BARRED)
    _print_messages(messages)
    _print_stages([each for each in results if not each.leading])
    _print_totals(results)
    _print_counts(barred, gauges[barred.world.size].typical())
    prepare = _times(messages[barred.world.size]["prepare"])
    print(f"prepare: {prepare:.1f} RSA verifications (bar {MESSAGE_BAR})\n")
    print(f"{_title(barred)}: {barred.ratio:.2f} times the floor (bar {DUTY_BAR})\n", flush=True)


def _print_messages(messages: Mapping[int, Mapping[str, Sequence[Steps]]]) -> None:
    print("One consensus message, microseconds of processor time:\n")
    print("| n | message | decode, validate | RSA verify | apply | together | × RSA verification |")
    print("| ---: | --- | ---: | ---: | ---: | ---: | ---: |")
    for size, kinds in messages.items():
        for kind, steps in kinds.items():
            columns = [(each.validate, each.verify, each.apply, each.total) for each in steps]
            cells = " | ".join(f"{fmean(column):.0f}" for column in zip(*columns, strict=True))
            print(f"| {size} | {kind} | {cells} | {_times(steps):.1f} |")
    print()


def _times(steps: Sequence[Steps]) -> float:
    """How many RSA verifications a kind of message costs."""
    return fmean(each.times for each in steps)


def _print_stages(results: Sequence[Result]) -> None:
    print("One committee duty by stage, milliseconds; the operator does not lead:\n")
    print("| stage | " + " | ".join(map(_title, results)) + " |")
    print("| --- |" + " ---: |" * len(results))
    for stage in STAGES:
        cells = " | ".join(f"{median(each.stages[stage]):.2f}" for each in results)
        print(f"| {stage} | {cells} |")
    print()


def _print_totals(results: Sequence[Result]) -> None:
    print("One committee duty, milliseconds of processor time, not split:\n")
    print("| n | validators | leads | duty | floor | × floor |")
    print("| ---: | ---: | --- | ---: | ---: | ---: |")
    for each in results:
        world, leads = each.world, "yes" if each.leading else "no"
        print(
            f"| {world.size} | {world.validators} | {leads} | {median(each.total_ms):.1f} "
            f"| {median(each.floor_ms):.1f} | {each.ratio:.2f} |"
        )
    print()


def _print_counts(result: Result, costs: Primitives) -> None:
    print(f"{_title(result)}, the operator does not lead, and where the floor comes from:\n")
    print("| operation | microseconds | minimum | milliseconds of the floor | done |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, title, counted in OPERATIONS:
        cost, needed = getattr(costs, name), getattr(result.minimum, name)
        done = result.counts[counted]
        if counted == counting.CHECKED:
            done = sum_additions(done)
        print(f"| {title} | {cost:,.1f} | {needed:,} | {cost * needed / 1e3:.1f} | {done:,} |")
    print()


def _title(result: Result) -> str:
    return f"n = {result.world.size}, {result.world.validators} validators"
