"""What each step of the demo cost, beside the reference network's figure for the same operation.

SSV's figures are recorded ones of its v2 contracts, in a network in use; docs/benchmarks.md tells
how. `make gas` compares every row under those conditions. Here the staker is new, so that its first
registration also pays for the owner's first nonce.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from examples.demo_show import say

BASELINE = Path(__file__).parents[1] / "tests" / "gas" / "baseline.json"


@dataclass(frozen=True, slots=True)
class Cost:
    """Gas of one transaction here, and of the same operation in SSV's v2 contracts."""

    row: str
    ours: int
    ssv: int

    @property
    def ratio(self) -> float:
        """Ours as a part of SSV's."""
        return self.ours / self.ssv


@dataclass(slots=True)
class Costs:
    """All transactions of the demo that SSV has a figure for, in order."""

    spent: list[Cost] = field(default_factory=list)

    def add(self, row: str, gas: int) -> None:
        """Keeps a figure and shows it."""
        cost = Cost(row, gas, ssv_gas(row))
        self.spent.append(cost)
        say(f"gas: {cost.ours:,}; SSV: {cost.ssv:,} ({row}), {cost.ratio:.2f} of SSV's")

    def show(self) -> None:
        """The table, and what all of it cost."""
        say(f"{'transaction':<44}{'gas here':>10}{'SSV v2':>10}{'of SSV':>8}")
        for cost in self.spent:
            say(f"{cost.row:<44}{cost.ours:>10,}{cost.ssv:>10,}{cost.ratio:>8.2f}")
        total = self.total
        say(f"{total.row:<44}{total.ours:>10,}{total.ssv:>10,}{total.ratio:>8.2f}")

    @property
    def total(self) -> Cost:
        """The sum over all transactions."""
        ours, ssv = sum(cost.ours for cost in self.spent), sum(cost.ssv for cost in self.spent)
        return Cost("all of them", ours, ssv)


def ssv_gas(row: str) -> int:
    """SSV's figure for a row."""
    return int(json.loads(BASELINE.read_text())[row]["v2"])
