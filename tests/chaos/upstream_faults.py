"""Faults of what nodes ask: beacon nodes and execution nodes, of one operator or of all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from deploy.devnet.keys import interop_key
from sdk.events import Event
from sdk.events.snapshot import ClusterSnapshot
from sdk.events.types import ValidatorRemoved
from sdk.types import OperatorId, Wei, parse_address
from tests.chaos.beacon_proxy import BeaconProxy
from tests.chaos.beacon_proxy import Mode as BeaconMode
from tests.chaos.execution_proxy import Mode as ExecutionMode
from tests.chaos.fault import A_FEW, NOTHING_MISSED, Fault
from tests.chaos.registry_acts import register
from tests.chaos.watching import status_of
from tests.chaos.world import RUNNING, World

ONE: Final = 4
"""The operator whose upstreams fail, where only one's do."""
EVERYBODY: Final = tuple(range(1, RUNNING + 1))
BURIED_SLOTS: Final = 12
"""After which nodes act on a block: eight that lie on top of it, and time to ask for them."""


class Calm(Fault):
    """Nothing: what the machine itself costs."""

    name = "calm"
    about = "nothing goes wrong"


class BeaconNodeKilled(Fault):
    """One of the two beacon nodes, which all operators have in common."""

    name = "beacon-killed"
    about = "one of two beacon nodes is killed with -9, and starts again"

    async def begin(self, world: World) -> None:
        await world.beacons.nodes[0].child.kill()

    async def end(self, world: World) -> None:
        await world.beacons.restart(world.beacons.nodes[0])


class BeaconTrouble(Fault):
    """Beacon nodes behave in one of the ways in which they fail.

    Args:
        name: of the fault.
        about: what happens.
        mode: how they behave.
        operators: whose beacon nodes.
        both: whether both of theirs, or the one that they prefer.
        most_missed: the bar.
    """

    def __init__(
        self,
        name: str,
        about: str,
        mode: BeaconMode,
        *,
        operators: Sequence[int] = (ONE,),
        both: bool = False,
        most_missed: float = NOTHING_MISSED,
    ) -> None:
        self.name, self.about, self.most_missed = name, about, most_missed
        self._mode, self._operators, self._both = mode, tuple(operators), both

    async def begin(self, world: World) -> None:
        self._turn(world, self._mode)

    async def end(self, world: World) -> None:
        self._turn(world, BeaconMode.WELL)

    def _turn(self, world: World, mode: BeaconMode) -> None:
        for operator in self._operators:
            proxies: tuple[BeaconProxy, ...] = world.beacon_proxies[operator]
            for proxy in proxies if self._both else proxies[:1]:
                proxy.turn(mode)


class ExecutionAway(Fault):
    """No operator reaches an execution node."""

    name = "execution-away"
    about = "nobody reaches an execution node"

    async def begin(self, world: World) -> None:
        for operator in EVERYBODY:
            await world.execution_proxies[operator].turn(ExecutionMode.ABSENT)

    async def end(self, world: World) -> None:
        for operator in EVERYBODY:
            await world.execution_proxies[operator].turn(ExecutionMode.WELL)


class ExecutionLies(Fault):
    """One operator's execution node tells another history, and a validator is registered.

    The operator must act on nothing that is not so, and know what is so once the node is honest.

    Args:
        name: of the fault.
        about: what happens.
        mode: which history.
    """

    least_slots = BURIED_SLOTS + 2

    def __init__(self, name: str, about: str, mode: ExecutionMode) -> None:
        self.name, self.about, self._mode = name, about, mode
        self._held = 0
        self._broken: list[str] = []

    async def begin(self, world: World) -> None:
        self._broken = []
        self._held = int((await status_of(world.nodes[ONE]))["validators"])
        invented = _removal(world) if self._mode is ExecutionMode.INVENTING else None
        await world.execution_proxies[ONE].turn(self._mode, invented=invented)
        await register(world, [world.spare.pop(0)])

    async def end(self, world: World) -> None:
        told = await status_of(world.nodes[ONE])
        if told["validators"] not in (self._held, self._held + 1):
            self._broken.append(
                f"operator {ONE} had {self._held} validators, has {told['validators']} by a lie"
            )
        if not any(p["severity"] != "good" for p in told["parts"]) and not told["alarms"]:
            self._broken.append(f"operator {ONE} names nothing wrong with its execution node")
        await world.execution_proxies[ONE].turn(ExecutionMode.WELL)

    async def check(self, world: World) -> list[str]:
        """The registration is known to all, in the end."""
        await world.until_slot(world.slot + BURIED_SLOTS)
        for node in world.live_nodes():
            validators = (await status_of(node))["validators"]
            if validators != self._held + 1:
                self._broken.append(
                    f"{node.child.name} has {validators} validators of {self._held + 1}"
                )
        return self._broken


def _removal(world: World) -> Event:
    """Of a validator whose operators do its duties."""
    registry = world.registry
    return ValidatorRemoved(
        owner=parse_address(registry.owner),
        operator_ids=tuple(OperatorId(each) for each in registry.operator_ids),
        public_key=interop_key(world.shares.held[0]),
        cluster=ClusterSnapshot(len(world.shares.held) - 1, 0, 0, True, Wei(10**18)),
    )


UPSTREAM_FAULTS: Final[tuple[Fault, ...]] = (
    BeaconNodeKilled(),
    BeaconTrouble("beacon-silent", "one operator's first beacon node hangs", BeaconMode.SILENT),
    BeaconTrouble(
        "beacon-slow", "every operator's first beacon node is slow", BeaconMode.SLOW,
        operators=EVERYBODY,
    ),
    BeaconTrouble(
        "beacon-errors", "every operator's first beacon node answers 500", BeaconMode.ERRORS,
        operators=EVERYBODY,
    ),
    BeaconTrouble(
        "beacon-lagging", "every operator's first beacon node lags four slots",
        BeaconMode.LAGGING, operators=EVERYBODY, most_missed=A_FEW,
    ),
    BeaconTrouble(
        "beacon-lying-head", "one operator's first beacon node makes up its head",
        BeaconMode.LYING_HEAD,
    ),
    BeaconTrouble(
        "beacon-lying-target", "one operator's beacon nodes make up a checkpoint",
        BeaconMode.LYING_TARGET, both=True,
    ),
    BeaconTrouble(
        "beacons-away", "one operator has no beacon node at all", BeaconMode.ABSENT, both=True
    ),
    ExecutionAway(),
    ExecutionLies(
        "execution-hides", "one operator's execution node hides events", ExecutionMode.HIDING
    ),
    ExecutionLies(
        "execution-alters", "one operator's execution node alters events", ExecutionMode.ALTERING
    ),
    ExecutionLies(
        "execution-invents", "one operator's execution node invents a removal",
        ExecutionMode.INVENTING,
    ),
)  # fmt: skip
