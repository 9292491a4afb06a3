"""Faults of the registry: validators that come, go, move, and a chain that takes blocks back.

The validators in question are the guest's (`registry_acts`); those that the network lives of stay.
Their own duties are not counted, since nobody can say to the slot when they begin and end: what has
to become of them is checked for itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import trio

from deploy.devnet.chain import MOST_REORGANISED
from deploy.devnet.inclusion import SLOTS_PER_EPOCH
from deploy.devnet.network import NODE_PATIENCE_S, SETTLE_SLOTS
from deploy.devnet.operators import LocalNode
from sdk.errors import BeaconError, NetworkError
from tests.chaos import registry_acts as acts
from tests.chaos.execution_proxy import Mode
from tests.chaos.fault import A_FEW, Fault
from tests.chaos.watching import status_of
from tests.chaos.world import DISJOINT, OVERLAPPING, RUNNING, World

BURIED_SLOTS: Final = 12
"""After which nodes act on a block: eight that lie on top of it, and time to ask for them."""
WATCHED_SLOTS: Final = 3 * SLOTS_PER_EPOCH
"""A validator that was active before is watched for two whole epochs."""
AT_WORK_SLOTS: Final = BURIED_SLOTS + WATCHED_SLOTS + SLOTS_PER_EPOCH
"""From a registration to a vote."""
EVERYBODY: Final = tuple(range(1, RUNNING + 1))


class ComeAndGo(Fault):
    """Validators are added, removed, liquidated and reactivated."""

    name = "validators-come-and-go"
    about = "validators are added, one is removed, the others liquidated and reactivated"
    least_slots = 2 * BURIED_SLOTS
    _stays = -1
    _goes = -1

    async def during(self, world: World) -> None:
        first = world.slot
        self._stays, self._goes = world.spare.pop(0), world.spare.pop(0)
        await acts.register(world, [self._stays, self._goes])
        await world.until_slot(first + BURIED_SLOTS)
        await acts.remove(world, [self._goes])
        await acts.liquidate(world)
        await world.until_slot(world.slot + 2)
        await acts.reactivate(world)
        await trio.sleep_forever()

    async def check(self, world: World) -> list[str]:
        """Who stays votes in the end, and who went does not."""
        at_work = await _vote_of(world, self._stays, patience_slots=AT_WORK_SLOTS)
        found = [] if at_work else [f"validator {self._stays} does not vote after it was added"]
        if await _vote_of(world, self._goes, patience_slots=0):
            found.append(f"validator {self._goes} voted after it was removed")
        return found


class Reorganised(Fault):
    """The chain takes back the block of a registration, and has it in another one again."""

    name = "registration-reorged"
    about = "the registry's chain replaces seven blocks, a registration among them"
    least_slots = BURIED_SLOTS
    _held = 0

    async def begin(self, world: World) -> None:
        self._held = int((await status_of(world.nodes[1]))["validators"])

    async def during(self, world: World) -> None:
        await acts.register(world, [world.spare.pop(0)])
        await world.until_slot(world.slot + 2)
        await world.chain.reorganise(MOST_REORGANISED)
        await trio.sleep_forever()

    async def check(self, world: World) -> list[str]:
        """All have it, once."""
        await world.until_slot(world.slot + BURIED_SLOTS)
        told = {node.child.name: await status_of(node) for node in world.live_nodes()}
        wanted = self._held + 1
        return [
            f"{name} has {each['validators']} validators of {wanted}"
            for name, each in told.items()
            if each["validators"] != wanted
        ]


class Moved(Fault):
    """Validators move while their old operators' execution nodes stand still.

    First to four others, whose nodes run from then on; then to two of these and two of the first.
    Whoever does not know of the move goes on with the duties; whoever knows has to wait.
    """

    name = "validators-moved"
    about = "validators move to others, while the old ones' execution nodes are frozen"
    most_missed = A_FEW
    least_slots = AT_WORK_SLOTS + 2 * (BURIED_SLOTS + SLOTS_PER_EPOCH)

    async def during(self, world: World) -> None:
        moving = [world.spare.pop(0)]
        await acts.register(world, moving)
        await world.until_slot(world.slot + AT_WORK_SLOTS - SLOTS_PER_EPOCH)
        for operator in EVERYBODY:
            await world.execution_proxies[operator].turn(Mode.FROZEN)
        newcomers = [world.nodes[each] for each in DISJOINT]
        await _start(newcomers)
        await acts.remove(world, moving)
        await acts.register(world, moving, committee=DISJOINT)
        await world.until_slot(world.slot + BURIED_SLOTS)
        await acts.remove(world, moving, committee=DISJOINT)
        await acts.register(world, moving, committee=OVERLAPPING)
        await trio.sleep_forever()

    async def end(self, world: World) -> None:
        for operator in EVERYBODY:
            await world.execution_proxies[operator].turn(Mode.WELL)

    async def check(self, world: World) -> list[str]:
        """The old ones learn of it now; then the newcomers go."""
        await world.until_slot(world.slot + BURIED_SLOTS)
        for operator in DISJOINT:
            await world.nodes[operator].child.stop()
        return []


async def _start(nodes: Sequence[LocalNode]) -> None:
    for node in nodes:
        node.child.start()
    for node in nodes:
        await node.until_answering(patience_s=NODE_PATIENCE_S)


async def _vote_of(world: World, validator: int, *, patience_slots: int) -> bool:
    """Whether the chain has a vote of a spare validator of the last epoch, now or later."""
    end = world.slot + patience_slots
    while True:
        last = world.slot - SETTLE_SLOTS
        try:
            report = await world.spares.report(last - SLOTS_PER_EPOCH, last)
        except (BeaconError, NetworkError):
            report = None
        if report is not None and any(
            each.is_included for each in report.attestations if each.duty.validator == validator
        ):
            return True
        if world.slot >= end:
            return False
        await world.until_slot(world.slot + 1)


REGISTRY_FAULTS: Final[tuple[Fault, ...]] = (ComeAndGo(), Reorganised(), Moved())
