"""A node's registry with a real slashing record, which may be killed before the arming.

Run as a module with a folder, it follows a chain in memory up to a liquidation and reactivation in
one step, and ends by SIGKILL between that step's commit and the arming.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from operator_node.node.admission import Admission
from operator_node.registry import Registry
from operator_node.shares import ShareSigner
from operator_node.signer.record_file import Owner
from operator_node.signer.store import SlashingStore
from sdk.types import PublicKey
from tests.unit.operator_node.registry.world import (
    Follow,
    encoded,
    liquidated,
    operators,
    reactivated,
    registered,
)
from tests.unit.sdk.chain.pretend_node import Node

OLD_EPOCH, NEW_EPOCH = 10, 100
SLOTS_PER_EPOCH = 32


@dataclass
class Epochs:
    """A clock that stands."""

    now: int

    def epoch(self) -> int:
        return self.now

    def slot(self) -> int:
        return self.now * SLOTS_PER_EPOCH


def chain() -> Node:
    """The same blocks at every call: four operators and two of their validators."""
    node = Node()
    node.mine(events=encoded(*operators()))
    node.mine(events=encoded(registered(1, 0, total=2), registered(2, 1)))
    return node


def come_back(node: Node) -> None:
    """In one block."""
    node.mine(events=encoded(liquidated(2), reactivated(2)))


def open_record(folder: Path) -> SlashingStore:
    return SlashingStore.open(folder / "safety.sqlite", Owner("test", bytes(32)))


def run(node: Node, record: SlashingStore, folder: Path, *, epoch: int, is_killed: bool) -> None:
    """Follows the chain to its end; a process that is killed sees the cluster come back."""
    clock = Epochs(epoch)
    signer = ShareSigner(record=record, clock=clock)
    admission = Admission(signer, clock, None)  # type: ignore[arg-type]  # epochs are enough
    follow = Follow(node, folder / "state.sqlite")
    is_back = False

    async def admit(keys: Sequence[PublicKey]) -> None:
        if is_back:
            os.kill(os.getpid(), signal.SIGKILL)
        await admission.admit(keys)

    def keep(key: PublicKey, secret: object) -> None:
        signer.keep_share(key, secret)  # type: ignore[arg-type]

    async def check(registry: Registry) -> None:
        nonlocal is_back
        if is_killed:
            await follow.caught_up(registry)
            is_back = True
            come_back(node)
        await follow.caught_up(registry)

    follow.run(check, admit=admit, keep_share=keep, drop_share=signer.drop_share)


if __name__ == "__main__":
    place = Path(sys.argv[1])
    run(chain(), open_record(place), place, epoch=OLD_EPOCH, is_killed=True)
