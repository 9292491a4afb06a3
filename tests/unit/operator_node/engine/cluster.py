"""Four whole operators in one process: real engines, keys, gossip validation and slashing records.

Only the network between them is in memory, and the beacon nodes answer from a table. Time is
trio's, so that a mock clock moves everything.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

import trio
import trio.testing

from operator_node.clock import SlotClock
from operator_node.doppelganger import Twins
from operator_node.duties.types import (
    CommitteeDuty,
)
from operator_node.engine import (
    Counts,
    Desk,
    DutyRecord,
    Engine,
    Errands,
    Filter,
    History,
    Intake,
    Maker,
    Own,
    Policy,
)
from operator_node.engine.desk import Quiet
from operator_node.engine.types import Work
from operator_node.scheduler.types import DutyDue
from operator_node.testing.fake_beacon import FakeBeacon
from operator_node.testing.signing import Liveness
from operator_node.testing.signing import Signer as ShareSigner
from operator_node.testing.world import BOOLE_DOMAIN, CHAIN, FEE_RECIPIENT, GRAFFITI
from operator_node.validation import (
    Accept,
    Reject,
    Verdict,
)
from operator_node.wire.codec import decode_signed
from operator_node.wire.generations import Generation
from operator_node.wire.ids import BeaconRole, RunnerRole
from operator_node.wire.messages import SignedMessage
from operator_node.wire.records import Share, ShareMember
from operator_node.wire.values import ValidatorDuty
from sdk.types import Epoch, OperatorId, Slot

if TYPE_CHECKING:
    from trio_typing import TaskStatus
from tests.unit.operator_node.engine.surroundings import (
    COMMITTEE,
    DEALT,
    HOP_S,
    IDS,
    KEYS,
    NETWORK,
    SIGNATURES,
    SLOT_MS,
    VALIDATORS,
    Beacon,
    Everybody,
    Registry,
    Signer,
    inline,
)


@dataclass(frozen=True, slots=True)
class Sent:
    """A message on the wire."""

    sender: OperatorId
    topic: str
    message: SignedMessage
    at_ms: int
    data: bytes


class Hub:
    """Carries messages between nodes, each after one hop; those of the dead are gone."""

    def __init__(self, nursery: trio.Nursery, clock: SlotClock) -> None:
        self.nodes: dict[OperatorId, Node] = {}
        self.sent: list[Sent] = []
        self.verdicts: list[Verdict] = []
        self._nursery = nursery
        self._clock = clock

    def carry(self, sender: OperatorId, topic: str, data: bytes, to: Collection[int]) -> None:
        message = decode_signed(data, Generation.BOOLE)
        self.sent.append(Sent(sender, topic, message, self._clock.now_ms(), data))
        for operator in sorted(self.nodes):
            if operator in to and operator != sender:
                self._nursery.start_soon(self._hop, operator, topic, data)

    async def _hop(self, to: OperatorId, topic: str, data: bytes) -> None:
        await trio.sleep(HOP_S)
        node = self.nodes.get(to)
        if node is not None and topic in node.engine.topics():
            verdict = node.judge(data, topic)
            assert not isinstance(verdict, Reject), verdict
            self.verdicts.append(verdict)


@dataclass(frozen=True, slots=True)
class Line:
    """One node's end of the hub."""

    me: OperatorId
    hub: Hub

    async def publish(self, topic: str, data: bytes, /) -> None:
        self.hub.carry(self.me, topic, data, IDS)

    async def send_to(self, operator: OperatorId, topic: str, data: bytes, /) -> bool:
        self.hub.carry(self.me, topic, data, (operator,))
        return operator in self.hub.nodes

    def operators_connected(self) -> frozenset[OperatorId]:
        return frozenset(self.hub.nodes) - {self.me}


class Node:
    """One operator. A restart leaves its signer and history, and nothing else."""

    def __init__(
        self,
        me: OperatorId,
        hub: Hub,
        clock: SlotClock,
        work: Work = inline,
        *,
        signer: Signer | None = None,
        history: History | None = None,
        quiet: Quiet = lambda slot: None,
    ) -> None:
        self.me = me
        self.fenced: list[str] = []
        self.twins = Twins(me=me, key=KEYS[me], clock=clock, fence=self.fenced.append)
        self.hub = hub
        self.clock = clock
        self.registry = Registry(me)
        self.beacon = Beacon(clock, FakeBeacon((), Random(me), compare_roots=False))
        self.signer = signer or new_signer(me, clock)
        self.history = history or History(None)
        self.counts = Counts()
        own = Own(self.registry, NETWORK)
        maker = Maker(
            me=me,
            chain=CHAIN,
            registry=self.registry,
            own=own,
            signer=self.signer,
            policy=Policy(graffiti=GRAFFITI, selection=Everybody()),
        )
        self.desk = Desk(own, maker, quiet)
        self.errands = Errands(
            beacon=self.beacon, signer=self.signer, clock=clock, counts=self.counts, work=work
        )
        self.engine = Engine(
            me=me,
            own=own,
            desk=self.desk,
            errands=self.errands,
            beacon=self.beacon,
            key=self.twins,
            transport=Line(me, hub),
            clock=clock,
            history=self.history,
            counts=self.counts,
        )
        self.intake = Intake(
            network=NETWORK,
            registry=self.registry,
            clock=clock,
            concerns=self.engine.concerns,
            take=self.engine.receive,
        )
        self._scope = trio.CancelScope()

    def judge(self, data: bytes, topic: str) -> Verdict:
        """As a node does with what peers send."""
        verdict = self.intake.judge(data, topic, "peer")
        if isinstance(verdict, Accept):
            self.twins.look(verdict.message, "peer")
        return verdict

    async def run(self, task_status: TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Until `stop`."""
        with self._scope:
            await self.engine.run(task_status)

    def stop(self) -> None:
        """The process is gone."""
        del self.hub.nodes[self.me]
        self._scope.cancel()

    def record(self) -> DutyRecord:
        """Of its one duty."""
        (record,) = self.history_of()
        return record

    async def ended(self) -> None:
        """Returns when the duties in hand are over."""
        for job in self.desk.jobs:
            await job.over.wait()

    def history_of(self) -> tuple[DutyRecord, ...]:
        return self.history.find(Filter())


def new_signer(me: OperatorId, clock: SlotClock) -> Signer:
    """With both shares, armed long ago."""

    def since_genesis_ms() -> int:
        return clock.now_ms() - clock.genesis_ms

    shares = ShareSigner(me, SIGNATURES, since_genesis_ms, lambda *_: None, Liveness())
    for index in VALIDATORS:
        share = share_of(me, index)
        shares.protection.arm(share.share_key, share.validator_key, epoch=Epoch(1), slot=Slot(1))
    return Signer(shares)


def share_of(me: OperatorId, index: int) -> Share:
    """A validator as an operator holds it."""
    key, keys = DEALT[index]
    members = tuple(ShareMember(each, keys[each]) for each in IDS)
    return Share(index, key, keys[me], members, BOOLE_DOMAIN, FEE_RECIPIENT, GRAFFITI)


def clock_at(slot: int, into_slot_ms: int = 0) -> SlotClock:
    """A slot clock that starts there and goes with trio's."""
    began_s = CHAIN.slot_start(slot) + into_slot_ms / 1000 - trio.current_time()
    return SlotClock(
        genesis_time=CHAIN.genesis_time,
        slot_ms=SLOT_MS,
        slots_per_epoch=CHAIN.slots_per_epoch,
        wall=lambda: began_s + _time_s(),
        monotonic=trio.current_time,
    )


def _time_s() -> float:
    """Trio's time, also for worker threads."""
    if trio.lowlevel.in_trio_run():  # type: ignore[attr-defined]
        return trio.current_time()
    return trio.from_thread.run_sync(trio.current_time)


def due(
    role: RunnerRole,
    slot: Slot,
    parts: Sequence[ValidatorDuty],
    *,
    at_ms: int = 0,
    data_at_ms: int = 0,
    life_slots: int = 2,
) -> DutyDue:
    """A duty of the committee; times are into its slot."""
    start_ms = CHAIN.slot_start(slot) * 1000
    is_shared = role in (RunnerRole.COMMITTEE, RunnerRole.AGGREGATOR_COMMITTEE)
    return DutyDue(
        role,
        slot,
        COMMITTEE,
        start_ms + at_ms,
        start_ms + data_at_ms,
        start_ms + life_slots * SLOT_MS,
        CommitteeDuty(slot, tuple(parts)) if is_shared else parts[0],
    )


def part(role: BeaconRole, slot: Slot, index: int = VALIDATORS[0]) -> ValidatorDuty:
    """What one validator is to do; everybody aggregates."""
    is_sync = role in (BeaconRole.SYNC_COMMITTEE, BeaconRole.SYNC_CONTRIBUTION)
    return ValidatorDuty(
        role=role,
        public_key=DEALT[index][0],
        slot=slot,
        validator_index=index,
        committee_index=index % 4,
        committee_length=16,
        committees_at_slot=4,
        validator_committee_index=3,
        sync_committee_indices=(3, 131) if is_sync else (),
    )


def votes(slot: Slot, **times: int) -> DutyDue:
    """Both validators attest, and one says a sync committee message."""
    parts = [part(BeaconRole.ATTESTER, slot, each) for each in VALIDATORS]
    parts.append(part(BeaconRole.SYNC_COMMITTEE, slot))
    return due(RunnerRole.COMMITTEE, slot, parts, **{"at_ms": 4_000, **times})


async def begin(duty: DutyDue, nodes: Collection[Node]) -> None:
    """At its time, everywhere."""
    for node in nodes:
        await node.clock.sleep_until(duty.at_ms)
        node.engine.begin(duty)


@dataclass(slots=True)
class Case:
    """A running cluster; nobody in it may take a message of his own for a twin's."""

    nursery: trio.Nursery
    clock: SlotClock
    hub: Hub
    born: list[Node] = field(default_factory=list)
    twins_expected: bool = False

    async def node(self, me: OperatorId, work: Work = inline, **kept: object) -> Node:
        """Starts an operator."""
        node = Node(me, self.hub, self.clock, work, **kept)  # type: ignore[arg-type]
        self.hub.nodes[me] = node
        self.born.append(node)
        await self.nursery.start(node.run)
        return node

    async def nodes(self, ids: Sequence[OperatorId] = IDS, work: Work = inline) -> list[Node]:
        """Starts several of them."""
        return [await self.node(each, work) for each in ids]

    async def until(self, duty: DutyDue, after_ms: int = 0) -> None:
        """To that time after the duty's begin, 0 for its end."""
        end_ms = duty.deadline_ms + 1
        await self.clock.sleep_until(duty.at_ms + after_ms if after_ms else end_ms)
        await trio.testing.wait_all_tasks_blocked()


def play(
    test: Callable[[Case], Awaitable[None]], *, slot: int, into_slot_ms: int = -13_000
) -> None:
    """Runs a case that begins a slot before the one of its duty, on mock time."""

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            clock = clock_at(slot, into_slot_ms)
            it = Case(nursery, clock, Hub(nursery, clock))
            await test(it)
            assert it.twins_expected or not any(node.fenced for node in it.born)
            nursery.cancel_scope.cancel()

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
