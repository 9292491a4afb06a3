"""Faults against a network of real processes: python -m tests.chaos [--only NAME]... [--list].

Prints a row per fault; exit code 1 if a slashable pair was signed or a bar is broken.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import trio

from deploy.devnet.ending import interrupt_at_signals, why_it_ended
from sdk.errors import PhalanxError
from tests.chaos.every_fault import FAULTS
from tests.chaos.fault import Fault, Result
from tests.chaos.table import closing_line, complaints, has_held, table
from tests.chaos.trial import try_faults
from tests.chaos.world import running_world

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs what the arguments ask for."""
    # The spies' library tells of every connection that ends, and here many do.
    logging.getLogger("libp2p").setLevel(logging.CRITICAL)
    names = [each.name for each in FAULTS]
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--only", action="append", choices=names, metavar="NAME", default=[])
    parser.add_argument("--list", action="store_true", help="say which faults there are")
    parser.add_argument("--slots-per-fault", type=int, default=12, metavar="N")
    parser.add_argument("--slot-seconds", type=int, default=4, choices=range(2, 13), metavar="S")
    parser.add_argument("--json", action="store_true", help="results as JSON on the last line")
    parser.add_argument("--folder", type=Path, help="of all files; a new one unless given")
    given = parser.parse_args(arguments)
    if given.slots_per_fault < 1:
        parser.error("--slots-per-fault is at least 1")
    if given.list:
        for fault in FAULTS:
            print(f"{fault.name:<22} {fault.about}")
        return 0
    faults = [each for each in FAULTS if not given.only or each.name in given.only]
    folder = given.folder or Path(tempfile.mkdtemp(prefix="phalanx-chaos-"))
    say(f"files in {folder}")
    try:
        results = trio.run(
            live, folder.absolute(), faults, given.slots_per_fault, given.slot_seconds
        )
    except* PhalanxError as group:
        print(f"error: {why_it_ended(group)}", file=sys.stderr)
        sys.exit(1)
    except* KeyboardInterrupt:
        print("stopped; nothing is left running", file=sys.stderr)
        sys.exit(INTERRUPTED)
    return conclude(results, as_json=given.json)


async def live(
    folder: Path, faults: Sequence[Fault], slots: int, slot_seconds: int
) -> list[Result]:
    """The network, and every fault on it."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(interrupt_at_signals)
        async with running_world(folder, slot_seconds=slot_seconds, say=say) as world:
            results = await try_faults(world, faults, slots=slots)
        nursery.cancel_scope.cancel()
    return results


def conclude(results: Sequence[Result], *, as_json: bool) -> int:
    """Print what was found; 0 only if everything held."""
    if as_json:
        held = has_held(results)
        print(json.dumps({"held": held, "faults": [each.as_json() for each in results]}))
    else:
        for line in (*table(results), *complaints(results), closing_line(results)):
            print(line)
    return 0 if has_held(results) else 1


def say(text: str) -> None:
    """A step, for people."""
    print(f"==> {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
