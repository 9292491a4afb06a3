"""Measured figures: `make bench`. Prints Markdown; docs/benchmarks.md quotes a run of it.

`python -m tests.bench consensus` runs that benchmark alone; several names run several.

Nothing here is a test: a figure depends on the machine and on what else it does. Comparisons are
ratios within one run.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.bench import (
    bls,
    consensus,
    engine,
    indexer,
    indexer_api,
    proofs,
    registry,
    signing,
    splitting,
)
from tests.bench.sockets import flood, latency, load, messages

ROOT = Path(__file__).parents[2]
BENCHMARKS: dict[str, Callable[[], object]] = {
    "bls": bls.run,
    "registry": registry.run,
    "consensus": consensus.run,
    "engine": engine.run,
    "signing": signing.run,
    "latency": latency.run,
    "messages": messages.run,
    "load": load.run,
    "flood": flood.run,
    "indexer": indexer.run,
    "api": indexer_api.run,
    "proofs": proofs.run,
    "splitting": lambda: splitting.run(ROOT),
}
"""In the order in which they run."""


def main(names: Sequence[str]) -> int:
    """Runs the benchmarks of these names, all if none is given; returns the exit code."""
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
        return 2
    print(f"machine: {_processor()}, {os.cpu_count()} cores, {platform.system()}")
    print(f"python {platform.python_version()}, commit {_commit()}")
    print(f"load before the run: {os.getloadavg()[0]:.1f}\n", flush=True)
    for name, run in BENCHMARKS.items():
        if not names or name in names:
            run()
    return 0


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _commit() -> str:
    answer = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.stdout.strip() or "unknown"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
