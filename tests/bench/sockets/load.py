"""Processor time and memory of one node with many validators.

Validators attest once in 32 slots, as on mainnet, and are asked for selection proofs with each
attestation. Slots have two seconds. A share of a core is told for slots of 12 s: what duties
take in a slot, and what a connected node takes without duties in 12 s. Node 1 is measured; the
others are processes beside it. Alone: `python -m tests.bench load`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product
from statistics import fmean

from tests.bench.sockets import figures, fleet
from tests.bench.sockets.children import say
from tests.bench.sockets.setting import Plan, Told

SLOT_S = 2
IDLE_SLOTS = 2
DUTY_SLOTS = 10
VALIDATORS = (500, 100, 10)
SLOT_ON_MAINNET_S = 12


def run() -> None:
    """Prints the table."""
    shapes: tuple[tuple[str, int, Sequence[Sequence[int]]], ...] = (
        ("one of 4", 4, [(1, 2, 3, 4)]),
        ("four of 4, five nodes", 5, [(1, *three) for three in combinations((2, 3, 4, 5), 3)]),
    )
    print("Load of one node, a process per node:\n")
    print(
        "| validators | committees | CPU ms per slot | idle CPU ms per s | core at 12 s slots "
        "| RSS MiB | of it without validators | messages per slot, in and out |"
    )
    print("| ---: | --- |" + " ---: |" * 6, flush=True)
    for validators, (name, operators, committees) in product(VALIDATORS, shapes):
        say(f"{validators} validators in {name}")
        _, plan, told = fleet.run(
            operators=operators,
            committees=committees,
            validators=validators,
            slot_s=SLOT_S,
            idle_slots=IDLE_SLOTS,
            duty_slots=DUTY_SLOTS,
            aggregates=True,
        )
        figures.check(told)
        print(f"| {validators} | {name} | {_cells(plan, told)} |", flush=True)
    print(flush=True)


def _cells(plan: Plan, told: Sequence[Told]) -> str:
    node, slots = told[0], range(plan.first, plan.end)
    idle = figures.idle_ms_per_s(node, plan, SLOT_S)
    duties = fmean(figures.cpu_ms(node, plan, slots)) - idle * SLOT_S
    share = (duties + idle * SLOT_ON_MAINNET_S) / (1000 * SLOT_ON_MAINNET_S)
    return (
        f"{duties:.0f} | {idle:.1f} | {100 * share:.1f} % | {node.rss_mib:.0f} "
        f"| {node.start_mib:.0f} | {(node.taken + node.sent) / DUTY_SLOTS:.1f}"
    )
