"""One node on a quarter of a core and with 256 MiB, as an estimate for a small board.

    nice -n -10 .venv/bin/python -m tests.bench.small_board

Needs root and control groups of version 1, as containers without systemd have them. Node 1 is held
to its share; its co-operators are not. Everything else is as in `tests.bench.sockets.load`.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from statistics import fmean
from unittest.mock import patch

from tests.bench.sockets import children, figures, fleet
from tests.bench.sockets.children import Child, say
from tests.bench.sockets.setting import Plan, Told

GROUPS = Path("/sys/fs/cgroup")
PERIOD_US = 10_000
"""Short beside a duty, so that a share of a core is like a slower core."""
SHARE = 0.25
"""Of a core: as if it were four times as slow."""
MEMORY_BYTES = 256 * 1024 * 1024
VALIDATORS = (10, 100)
SLOT_S = 4
IDLE_SLOTS = 2
DUTY_SLOTS = 7
COMMITTEE = (1, 2, 3, 4)


@contextmanager
def held(share: float) -> Iterator[list[Path]]:
    """Groups that hold whoever is in them to a share of a core and to the memory."""
    (memory,) = [
        line.split(":", 2)[2]
        for line in Path("/proc/self/cgroup").read_text().splitlines()
        if ":memory:" in line
    ]
    # Below our own group, so that no limit that is there is left.
    groups = [GROUPS / "cpu/phalanx-bench", GROUPS / f"memory{memory}/phalanx-bench"]
    for group in groups:
        group.mkdir()
    try:
        (groups[0] / "cpu.cfs_period_us").write_text(str(PERIOD_US))
        (groups[0] / "cpu.cfs_quota_us").write_text(str(int(PERIOD_US * share)))
        (groups[1] / "memory.limit_in_bytes").write_text(str(MEMORY_BYTES))
        yield groups
    finally:
        for group in groups:
            group.rmdir()


def run() -> None:
    """Prints the table."""
    print(
        "| core | validators | duties | decided at the first attempt "
        "| duty start → group signature, ms p50 | most | CPU ms per slot | RSS MiB |"
    )
    print("|" + " ---: |" * 8, flush=True)
    with held(SHARE) as groups, _first_child_in(groups):
        for validators in VALIDATORS:
            say(f"{validators} validators on {SHARE:g} of a core")
            _, plan, told = fleet.run(
                operators=len(COMMITTEE),
                committees=[COMMITTEE],
                validators=validators,
                slot_s=SLOT_S,
                idle_slots=IDLE_SLOTS,
                duty_slots=DUTY_SLOTS,
                aggregates=True,
            )
            figures.check(told)
            print(f"| {SHARE:g} | {validators} | {_cells(plan, told[0])} |", flush=True)


@contextmanager
def _first_child_in(groups: Sequence[Path]) -> Iterator[None]:
    """While it lasts, node 1 of every fleet is in the groups from its first moment."""

    @asynccontextmanager
    async def started(
        module: str, arguments: Sequence[Sequence[str]], folder: Path
    ) -> AsyncIterator[list[Child]]:
        async with children.started(module, arguments, folder) as found:
            for group in groups:
                (group / "cgroup.procs").write_text(str(found[0]._process.pid))
            yield found

    with patch.object(fleet, "started", started):
        yield


def _cells(plan: Plan, node: Told) -> str:
    slots = range(plan.first, plan.end)
    votes = figures.votes_of(node)
    signed = figures.signed_ms([node], slots)
    idle = figures.idle_ms_per_s(node, plan, SLOT_S)
    duties = fmean(figures.cpu_ms(node, plan, slots)) - idle * SLOT_S
    swift = sum(map(figures.is_swift, votes))
    return (
        f"{len(votes)} | {swift} | {figures.quantile(signed, 0.5):.0f} | {max(signed):.0f} "
        f"| {duties:.0f} | {node.rss_mib:.0f}"
    )


if __name__ == "__main__":
    if os.geteuid() != 0:
        sys.exit("control groups need root")
    # However it is ended, the groups go with it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    run()
