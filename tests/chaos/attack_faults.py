"""Faults that somebody wants: a byzantine operator, and peers that are none of the network's."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

from deploy.devnet.network import NODE_PATIENCE_S
from deploy.devnet.operators import LocalNode, environment
from deploy.devnet.process import Child
from operator_node.testing.faults import Lie
from tests.chaos.fault import Fault
from tests.chaos.world import COMMITTEES, World

ONE: Final = 4
"""The operator that lies; f of four."""
LIAR: Final = Path(__file__).with_name("liar.py")
LED_SHARE: Final = 0.35
"""Of duties that a hostile leader may cost: it leads the first round of every fourth slot, and at
short slots round two ends too late for sync committee messages and for blocks."""
ROOT: Final = Path(__file__).parents[2]
A_DAY_S: Final = 86_400
FLOOD: Final = 40
"""Messages of junk with each own one: some hundred a second where duties are begun."""


class Byzantine(Fault):
    """One operator's node is replaced by one that lies.

    Args:
        name: of the fault.
        about: what happens.
        habits: of the liar.
        flood: messages of junk with each of its own.
    """

    most_missed = LED_SHARE
    least_slots = 12

    def __init__(self, name: str, about: str, habits: Iterable[Lie], *, flood: int = 0) -> None:
        self.name, self.about = name, about
        self._habits, self._flood = tuple(habits), flood
        self._honest: LocalNode | None = None
        self._since = 0

    async def begin(self, world: World) -> None:
        self._honest = node = world.nodes[ONE]
        await node.child.stop()
        members = ",".join(map(str, COMMITTEES[0]))
        words = (",".join(self._habits), members, str(self._flood))
        child = Child(
            f"{node.child.name} {self.name}",
            (sys.executable, "-P", LIAR, *words, "node", "run", "--config", node.config),
            folder=node.child.folder,
            environment=environment(),
        )
        self._since = world.slot
        child.start()
        world.nodes[ONE] = replace(node, child=child)
        await world.nodes[ONE].until_answering(patience_s=NODE_PATIENCE_S)

    async def end(self, world: World) -> None:
        if self._honest is not None:
            await world.nodes[ONE].child.stop()
            world.lies.append((ONE, range(self._since, world.slot + 1)))
            world.nodes[ONE] = self._honest
            self._honest.child.start()


class Sybils(Fault):
    """Many peers flood one operator's node and abuse gossip's own messages (`tests.p2p.sybils`)."""

    name = "sybils"
    about = "twenty peers send one node 2,000 invalid messages a second, GRAFT and IWANT abuse"
    least_slots = 8
    _attackers: Child | None = None

    async def begin(self, world: World) -> None:
        topic = world.topic
        words = ("--target", world.nodes[ONE].peer, "--topic", topic, "--seconds", str(A_DAY_S))
        self._attackers = Child(
            "sybils",
            (sys.executable, "-m", "tests.p2p.sybils", *words),
            folder=world.folder / "sybils",
            environment={**environment(), "PYTHONPATH": str(ROOT)},
        )
        self._attackers.start()

    async def end(self, world: World) -> None:
        if self._attackers is not None:
            self._attackers.check()  # an attack that ended by itself tested nothing
            await self._attackers.stop()


ATTACK_FAULTS: Final[tuple[Fault, ...]] = (
    Byzantine(
        "byzantine-equivocates",
        "one operator proposes and votes for two values, and forges justifications",
        (Lie.TWO_PROPOSALS, Lie.TWO_VOTES, Lie.FALSE_CHANGES),
    ),
    Byzantine(
        "byzantine-floods",
        "one operator sends bad values, bad signatures, others' messages again, and junk",
        (Lie.BAD_VALUES, Lie.BAD_PARTIALS, Lie.REPLAYS),
        flood=FLOOD,
    ),
    Sybils(),
)
