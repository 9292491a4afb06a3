"""What the rows of the report do, one file per subject; each begins in the same steady state."""

from __future__ import annotations

from tests.gas.bench import Bench
from tests.gas.scenarios import access, balances, clusters, governance, operators, steady

__all__ = ["run_all"]


def run_all(bench: Bench) -> None:
    """Measures every row."""
    with bench.restored_afterwards():
        operators.measure_registrations(bench)
    steady.prepare(bench)
    for size in clusters.SIZES:
        with bench.restored_afterwards():
            clusters.measure_life(bench, size)
        with bench.restored_afterwards():
            clusters.measure_liquidation_by_third_party(bench, size)
    for size in balances.SIZES:
        with bench.restored_afterwards():
            balances.measure_proofs(bench, size)
        with bench.restored_afterwards():
            balances.measure_proven_cluster(bench, size)
    for scenario in (*access.SCENARIOS, *operators.SCENARIOS, governance.measure):
        with bench.restored_afterwards():
            scenario(bench)
