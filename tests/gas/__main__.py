"""`make gas`: every row of the gas report, ours beside the reference's.

Prints the table and writes it to `build/gas.json`. The last line says how the worst row compares
and how many rows cost more than they may; the exit code is 1 if any does.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from pathlib import Path

from sdk.errors import PhalanxError
from sdk.toolchain.compile import COMPILER, ROOT, SETTINGS
from tests.gas import report
from tests.gas.chain import HARDFORK
from tests.gas.profile import print_profile
from tests.gas.run import measured, snapshot_of

OUTPUT = ROOT / "build" / "gas.json"


def main(arguments: list[str] | None = None) -> int:
    """Runs the report; returns the exit code."""
    chosen = _parser().parse_args(arguments)
    try:
        bench = measured(to_trace=frozenset(chosen.profile))
        if chosen.profile:
            print_profile(bench, chosen.profile)
            return 0
    except PhalanxError as failed:
        print(f"gas: FAILED: {failed}", file=sys.stderr)
        return failed.exit_code
    snapshot = snapshot_of(bench)
    rows = report.rows_of(snapshot)
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(report.as_json(rows))
    if chosen.write:
        report.write_snapshot(snapshot)
    print(_circumstances() + "\n")
    if chosen.markdown:
        print(report.as_markdown(rows, snapshot.code_bytes))
    else:
        print(report.as_table(rows))
        print(report.code_lines(snapshot.code_bytes))
        print(report.last_line(rows))
    is_over = any(row.is_over_target for row in rows) or report.too_large(snapshot.code_bytes)
    return 1 if is_over else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.gas", description=__doc__)
    parser.add_argument(
        "--write",
        action="store_true",
        help="make this run the committed snapshot and the tables of docs/benchmarks.md",
    )
    parser.add_argument(
        "--markdown", action="store_true", help="print the tables as docs/benchmarks.md has them"
    )
    parser.add_argument(
        "--profile", metavar="ROW", nargs="+", default=[], help="say where the gas of rows goes"
    )
    return parser


def _circumstances() -> str:
    """What made the figures; only compiler, settings and rule set can change them."""
    runs = SETTINGS["optimizer"]["runs"]
    return (
        f"Command: `make gas`. solc {COMPILER}, via-IR, {runs:,} runs; anvil, {HARDFORK} rules.\n"
        f"Machine: {_processor()}, {os.cpu_count()} cores, {platform.system()}, "
        f"Python {platform.python_version()}."
    )


def _processor() -> str:
    described = Path("/proc/cpuinfo")
    for line in described.read_text().splitlines() if described.exists() else []:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


if __name__ == "__main__":
    sys.exit(main())
