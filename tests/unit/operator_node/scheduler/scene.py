"""A scheduler with all that is around it, on a mock clock."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import trio

from operator_node.registry.notices import (
    Left,
)
from operator_node.scheduler import DutyDue, Scheduler, Timing
from operator_node.spec.chain import ChainSpec
from operator_node.wire.generations import ForkEpochs
from operator_node.wire.ids import BeaconRole, RunnerRole
from sdk.types import Epoch, OperatorId
from tests.unit.operator_node.mock_time import GENESIS, SLOT_MS, SLOTS_PER_EPOCH, Wall, run
from tests.unit.operator_node.scheduler.world import (
    CHAIN,
    FakeBeacon,
    FakeRegistry,
    Learnt,
    key_of,
)

BOOLE = ForkEpochs(SLOTS_PER_EPOCH, Epoch(0))
VALIDATORS = tuple(range(1, 17))
DUE_MS = 3_999


class Scene:
    """A scheduler with all that is around it.

    Attributes:
        begun: every duty, with the moment that it was handed over at.
    """

    def __init__(
        self,
        *,
        slot: float = 8,
        chain: ChainSpec = CHAIN,
        forks: ForkEpochs = BOOLE,
        held: tuple[int, ...] = VALIDATORS,
    ) -> None:
        self.wall = Wall(slot=slot)
        self.clock = self.wall.slot_clock()
        self.beacon = FakeBeacon()
        self.beacon.add(*held)
        self.registry = FakeRegistry()
        self.registry.hold(*held)
        self.learnt = Learnt()
        self.begun: list[tuple[int, DutyDue]] = []
        self.emit: Callable[[DutyDue], None] = lambda due: self.begun.append(
            (self.clock.now_ms(), due)
        )
        self.scheduler = Scheduler(
            clock=self.clock,
            timing=Timing(chain),
            forks=forks,
            me=OperatorId(1),
            beacon=self.beacon,
            registry=self.registry,
            learner=self.learnt,
            emit=lambda due: self.emit(due),
        )

    async def until(self, slot: float) -> None:
        await self.clock.sleep_until(GENESIS * 1000 + round(slot * SLOT_MS))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with trio.open_nursery() as nursery:
            await nursery.start(self.scheduler.run)
            yield
            nursery.cancel_scope.cancel()

    def of(self, role: RunnerRole) -> list[tuple[int, DutyDue]]:
        return [each for each in self.begun if each[1].role is role]

    def slots_of(self, index: int, role: BeaconRole = BeaconRole.ATTESTER) -> list[int]:
        return [
            part.slot
            for _, due in self.begun
            for part in due.parts
            if (part.validator_index, part.role) == (index, role)
        ]

    def into_slot_ms(self, role: RunnerRole) -> set[int]:
        return {at_ms - self.clock.start_ms(due.slot) for at_ms, due in self.of(role)}


def left(number: int) -> Left:
    return Left(key_of(number), key_of(1000 + number))


def play(scene: Scene, act: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        async with scene.running():
            await act()

    run(main)
