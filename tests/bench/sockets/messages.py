"""What one message costs a node, from the socket's bytes to its last effect, and where time goes.

One committee of four with 100 validators, a process per node; node 1 is watched. Alone:
`python -m tests.bench messages`.
"""

from __future__ import annotations

from statistics import fmean

from tests.bench.sockets import figures, fleet, watch
from tests.bench.sockets.sampling import PLACES, SLICE_S, THREADS, TRIO
from tests.bench.sockets.setting import Plan, Told

SLOT_S = 1
IDLE_SLOTS = 2
DUTY_SLOTS = 40
VALIDATORS = 100
TARGET_MS = 10
"""p50 of a message's own work (issue 5)."""


def run() -> None:
    """Prints the tables.

    Raises:
        RuntimeError: the target is missed.
    """
    print("One message of a committee of 4, over sockets:\n")
    _, plan, told = fleet.run(
        operators=4,
        committees=[(1, 2, 3, 4)],
        validators=VALIDATORS,
        slot_s=SLOT_S,
        idle_slots=IDLE_SLOTS,
        duty_slots=DUTY_SLOTS,
        aggregates=True,
        watched=True,
    )
    figures.check(told)
    node = told[0]
    print("\n| step | count | p50 µs | p99 µs | mean µs |\n| --- |" + " ---: |" * 4)
    for name in watch.STEPS:
        times = node.times[name]
        cells = " | ".join(f"{figures.quantile(times, part):,.0f}" for part in (0.5, 0.99))
        print(f"| {name} | {len(times)} | {cells} | {fmean(times):,.0f} |")
    _print_profile(node, plan)
    own_ms = figures.quantile(node.times[watch.RECEIPT], 0.5) / 1000
    print(f"receipt to applied: {own_ms:.2f} ms p50 (target {TARGET_MS})\n", flush=True)
    if own_ms > TARGET_MS:
        raise RuntimeError(f"{own_ms:.2f} ms are more than {TARGET_MS}")


def _print_profile(node: Told, plan: Plan) -> None:
    """Where processor time went while there were duties."""
    spent_s, count = node.profile, node.taken + node.sent
    total_s = sum(spent_s.values())
    slots_ms = sum(figures.cpu_ms(node, plan, range(plan.first, plan.end)))
    print(
        f"\nProcessor time of that node: {slots_ms / DUTY_SLOTS:.0f} ms a slot; {count} messages "
        f"in and out. Sampled every {1000 * SLICE_S:.0f} ms of it:\n"
    )
    print("| where | share | ms per message |\n| --- | ---: | ---: |")
    names = dict.fromkeys([name for _, name in PLACES] + [THREADS, TRIO])
    for name in sorted(names, key=lambda each: -spent_s.get(each, 0)):
        own_s = spent_s.get(name, 0.0)
        print(f"| {name} | {100 * own_s / total_s:.0f} % | {1000 * own_s / count:.2f} |")
    print()
