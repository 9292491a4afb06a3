"""Kills in the simulation, where the killed operator's slashing record is a file on disk.

At the kill the file is taken as it lies there, as a process that was killed leaves it, and the next
life opens this copy. So what is tested is the record's own promise, not a model of it.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from operator_node.signer.record_file import OnDamage, Owner
from operator_node.signer.store import SlashingStore
from operator_node.testing.cluster import Simulation
from operator_node.testing.faults import Plan
from operator_node.testing.killing import killed_plan
from operator_node.testing.node import OperatorNode
from operator_node.testing.standin import StandIns
from sdk.errors import PhalanxError

OWNER: Final = Owner("simulation", bytes(32))
RECORD: Final = "safety.sqlite"


@dataclass(frozen=True, slots=True)
class SimulatedKill:
    """What came of one.

    Attributes:
        inconsistencies: what is wrong with the record that the kill left.
        violations: of safety, as the simulation's checkers tell them.
        missed_slots: in which a duty was done by nobody.
    """

    seed: int
    inconsistencies: tuple[str, ...]
    violations: tuple[str, ...]
    missed_slots: int


class DurableSimulation(Simulation):
    """A simulation with one operator whose record is on disk.

    Args:
        plan: with one crash.
        folder: empty, for the record and its copies.

    Attributes:
        inconsistencies: what was found wrong at the kill.
    """

    def __init__(self, plan: Plan, folder: Path) -> None:
        super().__init__(plan, StandIns(), with_transcript=False)
        self.inconsistencies: list[str] = []
        self._lives = 0
        self._folder = folder
        self._store = self._open()
        self.nodes[plan.crashes[0].operator].signer.protection = self._store  # type: ignore[assignment]

    def close(self) -> None:
        """Give the file free."""
        self._store.close()

    def _open(self) -> SlashingStore:
        path = self._folder / str(self._lives) / RECORD
        return SlashingStore.open(path, OWNER, on_damage=OnDamage.STOP)

    def _stop(self, node: OperatorNode, keeps_state: bool) -> None:
        super()._stop(node, keeps_state)
        left = self._folder / str(self._lives)
        self._lives += 1
        # As it lies there: whatever is only in the memory of this process is lost.
        copy = Path(shutil.copytree(left, self._folder / str(self._lives)))
        recorded = list(self._store.key_histories())
        self._store.close()
        self._look(copy / RECORD)
        try:
            self._store = self._open()
        except PhalanxError as problem:
            self.inconsistencies.append(problem.message)
            self._store = SlashingStore.open(self._folder / "new" / RECORD, OWNER)
        if self._store.needs_arming:
            self.inconsistencies.append("the record counts as an older copy")
        if list(self._store.key_histories()) != recorded:
            self.inconsistencies.append("the record lacks what was recorded before the kill")
        node.signer.protection = self._store  # type: ignore[assignment]

    def _look(self, record: Path) -> None:
        with closing(sqlite3.connect(record)) as database:
            answers = [answer for (answer,) in database.execute("PRAGMA integrity_check")]
        self.inconsistencies += [each for each in answers if each != "ok"]


def kill_once(seed: int, folder: Path) -> SimulatedKill:
    """One run with one kill.

    Args:
        seed: of everything.
        folder: that does not exist; removed afterwards.
    """
    plan = killed_plan(seed)
    folder.mkdir()
    simulation = DurableSimulation(plan, folder)
    try:
        report = simulation.run()
        missed = _missed_slots(simulation, plan)
    finally:
        simulation.close()
        simulation.take_apart()
        shutil.rmtree(folder)
    return SimulatedKill(
        seed,
        tuple(simulation.inconsistencies),
        tuple(f"{each.rule}: {each.text}" for _, each in report.violations if each.is_safety),
        len(missed),
    )


def _missed_slots(simulation: Simulation, plan: Plan) -> set[int]:
    world = simulation.world
    missed = set()
    for duty in plan.duties:
        cluster = world.clusters[duty.cluster]
        key = world.key_of(duty, cluster)
        if not any(simulation.watch.is_fine(each, key) for each in cluster.committee.operators):
            missed.add(int(duty.slot))
    return missed
