"""How long nodes take to agree and to sign, over TCP on one machine, a process for each node.

One committee, one attestation a slot of one second. Direct streams are on for one slot per
operator, so that everybody leads once, then off for as many, and so on: both ways meet the same
machine. Alone: `python -m tests.bench latency`.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from tests.bench.sockets import figures, fleet
from tests.bench.sockets.setting import ATTESTING_SLOTS, Plan, Setting, Told

SIZES = (4, 7)
SLOT_S = 1
TURNS = {4: 7, 7: 4}
"""Pairs of turns: 56 slots."""
IDLE_SLOTS = 3
BAR = 2 / 3
"""Of latency; issue 5 asks for it, or for half the processor time, for streams to be there."""


def run() -> None:
    """Prints the tables."""
    print("Latency over sockets, milliseconds; a process per node, one attestation a second:\n")
    for size in SIZES:
        setting, plan, told = fleet.run(
            operators=size,
            committees=[tuple(range(1, size + 1))],
            validators=ATTESTING_SLOTS,
            slot_s=SLOT_S,
            idle_slots=IDLE_SLOTS,
            duty_slots=2 * size * TURNS[size],
            turns=True,
        )
        figures.check(told)
        _print(setting, plan, told)


def _print(setting: Setting, plan: Plan, told: Sequence[Told]) -> None:
    print(
        "\n| n | way | duties | decided in round 1 | proposal → decided p50 | p99 "
        "| duty start → group signature p50 | p99 | CPU ms per node and slot |"
    )
    print("| ---: | --- | ---: |" + " ---: |" * 6)
    rows = [_row(setting, plan, told, is_direct=is_direct) for is_direct in (True, False)]
    for name, row in zip(("gossip and streams", "gossip alone"), rows, strict=True):
        cells = " | ".join(f"{each:.1f}" for each in row[2:])
        print(f"| {setting.operators} | {name} | {row[0]:.0f} | {row[1]:.0f} | {cells} |")
    ratios = " | ".join(f"{a / b:.2f}" for a, b in zip(*(row[2:] for row in rows), strict=True))
    print(f"| {setting.operators} | ratio (bar {BAR:.2f}) | | | {ratios} |\n", flush=True)


def _row(setting: Setting, plan: Plan, told: Sequence[Told], *, is_direct: bool) -> list[float]:
    slots = [slot for slot in range(plan.first, plan.end) if setting.is_direct(slot) is is_direct]
    duties = [duty for each in told for duty in figures.votes_of(each) if duty.slot in set(slots)]
    decided, signed = figures.decided_ms(told, slots), figures.signed_ms(told, slots)
    return [
        len(duties),
        sum(map(figures.is_swift, duties)),
        *(figures.quantile(decided, part) for part in (0.5, 0.99)),
        *(figures.quantile(signed, part) for part in (0.5, 0.99)),
        fmean(ms for each in told for ms in figures.cpu_ms(each, plan, slots)),
    ]
