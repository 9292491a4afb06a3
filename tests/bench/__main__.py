"""Measured figures: `make bench`. Prints Markdown; docs/benchmarks.md quotes a run of it.

Nothing here is a test: a figure depends on the machine and on what else it does. Comparisons are
ratios within one run.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

from tests.bench import bls, proofs, registry, splitting

ROOT = Path(__file__).parents[2]


def main() -> int:
    """Runs every benchmark; returns the exit code."""
    print(f"machine: {_processor()}, {os.cpu_count()} cores, {platform.system()}")
    print(f"python {platform.python_version()}, commit {_commit()}")
    print(f"load before the run: {os.getloadavg()[0]:.1f}\n", flush=True)
    bls.run()
    registry.run()
    proofs.run()
    return splitting.run(ROOT)


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
    sys.exit(main())
