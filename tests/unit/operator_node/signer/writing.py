"""A process that records votes as fast as it can, and says each only when it was recorded."""

from __future__ import annotations

import sys
from pathlib import Path

from operator_node.signer.rules import Safe
from sdk.types import Epoch, Slot
from tests.unit.operator_node.signer.disk import open_store
from tests.unit.operator_node.signer.guards import SHARE, VALIDATOR, block, intent, vote


def main(folder: Path, first: int) -> None:
    """Records until it is killed."""
    with open_store(folder) as store:
        if store.needs_arming:
            sys.exit("the record counts as an older copy")
        if not store.knows(SHARE):
            store.arm(SHARE, VALIDATOR, epoch=Epoch(0), slot=Slot(0))
        number = first
        while True:
            number += 1
            pair = [intent(vote(0, number, number)), intent(block(number, number))]
            if store.check_and_record(pair) == (Safe(), Safe()):
                sys.stdout.write(f"{number}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
