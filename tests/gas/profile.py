"""Where a row's gas goes: `python -m tests.gas --profile ROW ...`.

Sums the trace of the row's transaction by instruction, and lists every storage access with what it
cost. A call's own price is what is left of its cost after the frame that it opened.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sdk.errors import UsageError
from tests.gas.bench import Bench
from tests.gas.chain import Receipt

STORAGE = ("SLOAD", "SSTORE", "TLOAD", "TSTORE")
BASE_GAS = 21_000
SHOWN = 16


@dataclass(frozen=True, slots=True)
class Step:
    """One executed instruction, with its own gas and the key if it accesses storage."""

    name: str
    gas: int
    depth: int
    key: str | None


def print_profile(bench: Bench, names: list[str]) -> None:
    """Prints the profile of each row.

    Raises:
        UsageError: no such row.
    """
    unknown = [name for name in names if name not in bench.rows]
    if unknown:
        raise UsageError(f"no row {', '.join(unknown)}", hint="`make gas` lists the rows.")
    for name in names:
        _print_row(bench, name, bench.rows[name])


def _print_row(bench: Bench, name: str, receipt: Receipt) -> None:
    trace = bench.traces[name]
    steps = list(steps_of(trace))
    executed = sum(step.gas for step in steps)
    calldata = receipt.calldata_gas
    refund = BASE_GAS + calldata + executed - receipt.gas
    print(f"\n{name}: {receipt.gas:,} gas (floor {receipt.floor:,})")
    print(f"  base {BASE_GAS:,}, calldata {calldata:,}, executed {executed:,}, refunded {refund:,}")
    by_name: Counter[str] = Counter()
    times: Counter[str] = Counter()
    for step in steps:
        by_name[step.name] += step.gas
        times[step.name] += 1
    for instruction, gas in by_name.most_common(SHOWN):
        print(f"  {instruction:<16}{gas:>10,}  {times[instruction]:>6,} times")
    print(f"  {'others':<16}{executed - sum(g for _, g in by_name.most_common(SHOWN)):>10,}")
    for step in steps:
        if step.name in STORAGE:
            print(f"    depth {step.depth} {step.name:<6} {step.gas:>7,}  {step.key}")


def steps_of(trace: list[dict[str, Any]]) -> Iterator[Step]:
    """Each instruction with the gas that it alone took."""
    for index, entry in enumerate(trace):
        name, depth, gas = str(entry["op"]), int(entry["depth"]), int(entry["gas"])
        key = _key(entry) if name in STORAGE else None
        following = trace[index + 1] if index + 1 < len(trace) else None
        if following is None or following["depth"] < depth:
            yield Step(name, int(entry["gasCost"]), depth, key)  # the frame ends here
        elif following["depth"] == depth:
            yield Step(name, gas - int(following["gas"]), depth, key)
        else:
            yield Step(name, gas - _gas_after(trace, index) - _inside(trace, index), depth, key)


def _gas_after(trace: list[dict[str, Any]], call: int) -> int:
    """Gas left when the frame that `call` opened has returned."""
    depth = trace[call]["depth"]
    return next(int(entry["gas"]) for entry in trace[call + 1 :] if entry["depth"] == depth)


def _inside(trace: list[dict[str, Any]], call: int) -> int:
    """Gas that the frame opened by `call` used, with everything below it."""
    depth = trace[call]["depth"]
    last = call + 1
    while last + 1 < len(trace) and trace[last + 1]["depth"] > depth:
        last += 1
    return int(trace[call + 1]["gas"]) - int(trace[last]["gas"]) + int(trace[last]["gasCost"])


def _key(entry: dict[str, Any]) -> str:
    return hex(int(entry["stack"][-1], 16))
