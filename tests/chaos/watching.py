"""What is read off the running network: health, memory, records, and what was signed.

Asks, and changes nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import trio

from deploy.devnet.duty_rows import Record
from deploy.devnet.operators import LocalNode
from deploy.devnet.process import Child
from operator_node.testing.checkers import Slashing
from sdk.errors import NetworkError, PhalanxError
from tests.chaos.world import QUORUM, World

POLL_S: Final = 0.5
RECORDS_ASKED: Final = 1000
"""Of one node and one request; a slot has three or four."""
SLOTS_ASKED: Final = 100
MIB: Final = 1024 * 1024
_SICK: Final = ("starting", "syncing_registry", "waiting_operator", "fenced")


async def status_of(node: LocalNode) -> dict[str, Any]:
    """What the node says of itself.

    Raises:
        NetworkError: it does not answer.
    """
    told: dict[str, Any] = await node.ask("/v2/status")
    return told


async def trouble_of(node: LocalNode) -> str:
    """Why a node is not well, in words; empty if it is."""
    if not node.child.is_running:
        return f"{node.child.name} does not run"
    try:
        told = await status_of(node)
    except (NetworkError, ValueError) as problem:
        return f"{node.child.name}: {problem}"
    if told["state"] in _SICK:
        return f"{node.child.name} is {told['state']}"
    bad = [f"{p['name']}: {p['problem']}" for p in told["parts"] if p["severity"] == "bad"]
    return f"{node.child.name}: {bad[0]}" if bad else ""


async def troubles(world: World) -> list[str]:
    """Of all nodes that are to run."""
    found = [await trouble_of(node) for node in world.live_nodes()]
    return [each for each in found if each]


async def until_well(world: World, *, patience_slots: int) -> list[str]:
    """What is still wrong when all nodes are well, or the patience has ended."""
    last_slot = world.slot + patience_slots
    while found := await troubles(world):
        if world.slot > last_slot:
            return found
        await trio.sleep(POLL_S)
    return []


async def records_of(world: World, first_slot: int, last_slot: int) -> list[Record]:
    """What all nodes that run have on record of these slots."""
    found: list[Record] = []
    for node in world.live_nodes():
        for start in range(first_slot, last_slot + 1, SLOTS_ASKED):
            end = min(last_slot, start + SLOTS_ASKED - 1)
            with suppress(NetworkError):
                told = await node.ask(
                    "/v2/duties", **{"from": start, "to": end, "limit": RECORDS_ASKED}
                )
                found += told["data"]
    return found


@dataclass(frozen=True, slots=True)
class Memory:
    """Of nodes at one moment: by process id, so that a node that was started anew is another."""

    mib: dict[int, float]

    def growth_mib(self, later: Memory) -> float | None:
        """Of the one that grew most; None if none is the same."""
        same = self.mib.keys() & later.mib.keys()
        return max((later.mib[pid] - self.mib[pid] for pid in same), default=None)


def memory_of(children: Iterable[Child]) -> Memory:
    """Resident memory of processes, each with those that it started."""
    page = os.sysconf("SC_PAGE_SIZE")
    sizes: dict[int, float] = {}
    for child in children:
        if child.pid is not None:
            sizes[child.pid] = 0.0
            for pid in processes_of(child):
                with suppress(OSError):  # it has just ended
                    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
                    sizes[child.pid] += pages * page / MIB
    return Memory(sizes)


def processes_of(child: Child) -> list[int]:
    """The process and all that it started: they share the session that it was given."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                # After the name, which may hold anything: state, parent, group, session.
                words = (folder / "stat").read_text().rpartition(")")[2].split()
                if int(words[3]) == child.pid:
                    found.append(int(folder.name))
    return found


class Evidence:
    """What was signed, judged again and again; tells what is new.

    Args:
        world: whose wire and submissions these are.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._told: set[str] = set()
        self.junk = 0

    def listen(self) -> None:
        """Tell the witness what the spies have heard."""
        for spy in self._world.spies:
            for data in spy.take():
                try:
                    self._world.witness.hear(data)
                except PhalanxError:
                    self.junk += 1  # honest nodes send none: of a liar, or a flood

    @property
    def seen(self) -> tuple[int, int]:
        """How many signatures were heard, and votes and blocks submitted, so far."""
        submitted = self._world.submitted
        return len(self._world.witness.heard), len(submitted.votes) + len(submitted.blocks)

    def fresh_pairs(self) -> list[str]:
        """Slashable pairs that were not told before, on the wire or submitted.

        For a worker, as it takes a while: nobody may `listen` meanwhile.
        """
        duties = self._world.observer.attesters()
        found = [*self._heard(), *self._world.submitted.slashable(duties)]
        fresh = [each for each in dict.fromkeys(found) if each not in self._told]
        self._told.update(fresh)
        return fresh

    def _heard(self) -> list[str]:
        world = self._world
        checker = Slashing(frozenset())
        operators = {each.operator for each in world.witness.heard}
        found = []
        for each, guard in world.witness.signed():
            if world.is_lie(each.operator, each.slot):
                continue
            key = world.witness.keys[each.validator]
            dealing = dict.fromkeys(operators, key)
            violation = checker.signed(each.operator, key, guard, dealing, QUORUM)
            if violation is not None:
                found.append(f"validator {each.validator}: {violation.text}")
        return found
