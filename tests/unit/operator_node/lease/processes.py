"""Processes with a real record and a lease in a real file, on clocks that are set by hand."""

from __future__ import annotations

from pathlib import Path

from operator_node.lease import Lease, LeasedRecord, Moment, SharedFile
from operator_node.lease.terms import VALID_MS
from operator_node.signer.store import SlashingStore
from tests.unit.operator_node.mock_time import GENESIS, SLOTS_PER_EPOCH, Wall
from tests.unit.operator_node.signer.disk import open_store

OWNER = "cd" * 32


class Clocks:
    """Both clocks, set by hand."""

    def __init__(self) -> None:
        self.now = Moment(50_000, GENESIS * 1000)

    def __call__(self) -> Moment:
        return self.now

    def go(self, ms: int) -> None:
        self.now = self.now.later(ms)


class Instance:
    """One process: its record, its lease, what it was told."""

    def __init__(self, folder: Path, shared: Path, clocks: Clocks, *, resumed: bool = False):
        shared.touch(mode=0o600)  # as the operator does once
        self.store = open_store(folder)
        self.told: list[str] = []
        self.clocks = clocks
        self.lease = Lease(
            SharedFile(shared),
            owner=OWNER,
            record=self.leased(self.store),
            is_resumed=resumed,
            on_change=self.told.append,
            clocks=clocks,
        )

    def leased(self, store: SlashingStore) -> LeasedRecord:
        clock = Wall(slot=10 * SLOTS_PER_EPOCH).slot_clock()
        clock._wall = lambda: self.clocks.now.wall / 1000
        return LeasedRecord(store, clock, clocks=self.clocks)

    def wait_for_it(self) -> None:
        self.lease.turn()
        self.clocks.go(VALID_MS)
        self.lease.turn()
        assert self.lease.is_held()
