"""The scheduler: tells which duty is to be begun, at its moment, and nothing else.

It follows head events, keeps the plan of the running and the next slot, sleeps until the next duty
is due and hands it over. Slots that passed while the machine slept are counted and left alone.

Source: docs/protocol.md, "Timing" and "Duties".
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol, assert_never

import trio

from operator_node.beacon.types import (
    BeaconEvent,
    BlockSeenEvent,
    FinalizedEvent,
    HeadEvent,
    ReorgEvent,
    SlashingEvent,
    ViewChangedEvent,
)
from operator_node.clock import SlotClock
from operator_node.registry.notices import (
    ExitRequested,
    FeeRecipientChanged,
    Joined,
    Left,
    Liquidated,
    Reactivated,
    RegistryChange,
    RolledBack,
)
from operator_node.scheduler import fetch
from operator_node.scheduler.agenda import Agenda
from operator_node.scheduler.bell import Bell
from operator_node.scheduler.book import Book
from operator_node.scheduler.plan import plan_request, plan_slot
from operator_node.scheduler.requests import Requests
from operator_node.scheduler.roster import Roster
from operator_node.scheduler.timing import EVENT_DELAY_SLOTS, Timing
from operator_node.scheduler.types import (
    EPOCHS_PER_SYNC_PERIOD,
    DutyDue,
    Learner,
    Registry,
    Request,
)
from operator_node.wire.generations import ForkEpochs
from operator_node.wire.ids import RunnerRole
from sdk.errors import BeaconError
from sdk.types import OperatorId, PublicKey, Slot

if TYPE_CHECKING:
    from trio_typing import TaskStatus  # trio's own is hidden by the stubs that libp2p brings

LATE_MS: Final = 50
"""A step that starts later than this was held up by this process (TIM-2)."""
FIRST_RESTART_S: Final = 0.5
LONGEST_RESTART_S: Final = 8.0
"""Half a slot of the public networks; a task that fails at once must not fill the log."""

_log = logging.getLogger(__name__)


class Beacon(fetch.Beacon, Protocol):
    """Adds what the scheduler hears of the beacon nodes."""

    def subscribe(self) -> trio.MemoryReceiveChannel[BeaconEvent]: ...


class Scheduler:
    """From duties to moments.

    Attributes:
        fetcher: keeps the duties up to date.
        skipped_slots: slots that no duty was begun in because the process did not run.
        late_starts: duties begun more than 50 ms after this process meant to.
        crashes: restarts of a task after an error that nobody expected.
    """

    def __init__(
        self,
        *,
        clock: SlotClock,
        timing: Timing,
        forks: ForkEpochs,
        me: OperatorId,
        beacon: Beacon,
        registry: Registry,
        learner: Learner,
        emit: Callable[[DutyDue], None],
    ) -> None:
        """Nothing happens before `run`.

        Args:
            clock: of the chain.
            timing: slot plan of the chain.
            forks: generations of the protocol.
            me: the own operator.
            beacon: the beacon nodes.
            registry: which validators there are.
            learner: told what the beacon chain knows of validators.
            emit: called with each duty at its time; must return at once.
        """
        self.skipped_slots = 0
        self.late_starts = 0
        self.crashes = 0
        self._clock = clock
        self._timing = timing
        self._forks = forks
        self._beacon = beacon
        self._registry = registry
        self._emit = emit
        self._bell = Bell()
        self._agenda = Agenda(timing)
        self._requests = Requests()
        self._roster = Roster()
        chain = timing.chain
        periods = EPOCHS_PER_SYNC_PERIOD[chain.preset]
        self._book = Book(chain, epochs_per_period=periods)
        self.fetcher = fetch.Fetcher(
            clock=clock,
            chain=chain,
            me=me,
            beacon=beacon,
            registry=registry,
            learner=learner,
            book=self._book,
            roster=self._roster,
            bell=self._bell,
        )
        self._events: trio.MemoryReceiveChannel[BeaconEvent] | None = None
        self._last_slot: Slot | None = None
        self._plans: dict[Slot, tuple[trio.Event, tuple[DutyDue, ...]]] = {}

    async def run(self, task_status: TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Schedules until it is cancelled."""
        self._events = self._beacon.subscribe()  # nothing is missed from `started` on
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.fetcher.run)
            nursery.start_soon(self._keep, "listening to events", self._follow)
            nursery.start_soon(self._keep, "beginning duties", self._walk)
            task_status.started()

    # --- what others say ---------------------------------------------------------------------

    def hear_registry(self, change: RegistryChange) -> None:
        """Own validators, or what is asked of them, are not what they were.

        An exit cannot be taken back: whoever tells of a request has proven it.
        """
        match change:
            case ExitRequested():
                self._roster.expect_exit(change.validator_key)
                self._request(RunnerRole.VOLUNTARY_EXIT, change.validator_key, change)
            case FeeRecipientChanged():
                for key, assignment in self._registry.own().items():
                    if assignment.owner == change.owner:
                        self._request(RunnerRole.VALIDATOR_REGISTRATION, key, change)
            case RolledBack():
                self._requests.roll_back(-1 if change.to is None else change.to.number)
            case Joined():
                self._roster.forget(change.assignment.validator_key)
            case Left():
                self._roster.forget(change.validator_key)
            case Liquidated() | Reactivated():
                pass  # the plan begins with the registry's own list
            case _:
                assert_never(change)
        self._bell.ring()

    def delay_proposals(self, delay_ms: int) -> None:
        """Blocks are asked for so long after slot start from the next plan on (DUT-5)."""
        self._timing = replace(self._timing, proposer_delay_ms=delay_ms)
        self._plans.clear()
        self._bell.ring()

    def planned(self, slot: Slot) -> tuple[DutyDue, ...]:
        """What own validators will do in a slot as far as is known, begun or not, requests aside.

        Committee duties are at their due time here; a head event lets them start earlier.
        """
        mark = self._bell.listen()
        cached = self._plans.get(slot)
        if cached is not None and cached[0] is mark:
            return cached[1]
        epoch = self._timing.chain.epoch_of(slot)
        plan = plan_slot(
            slot,
            self._book,
            self._roster.members(self._registry.own(), epoch),
            generation=self._forks.generation_at(slot),
            timing=self._timing,
        )
        self._plans[slot] = (mark, plan)
        return plan

    # --- tasks -------------------------------------------------------------------------------

    async def _keep(self, what: str, task: Callable[[], Awaitable[None]]) -> None:
        """One task for good: the outer boundary of its errors."""
        pause_s = FIRST_RESTART_S
        while True:
            began_s = trio.current_time()
            try:
                await task()
            except Exception:
                self.crashes += 1
                _log.exception("%s stopped, again in %g s", what, pause_s)
            if trio.current_time() - began_s > LONGEST_RESTART_S:
                pause_s = FIRST_RESTART_S
            await trio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_RESTART_S)

    async def _walk(self) -> None:
        """Begin what is due, then sleep until more is."""
        meant_ms = self._clock.now_ms()
        while True:
            rung = self._bell.listen()
            now_ms = self._clock.now_ms()
            slot = self._clock.slot_at(now_ms)
            self._turn_to(slot)
            next_ms = self._clock.start_ms(slot + 1)
            if slot >= 0:
                due_ms = self._begin_due(slot, now_ms, meant_ms)
                next_ms = min(next_ms, due_ms if due_ms is not None else next_ms)
                self.planned(Slot(slot + 1))  # so that nothing has to be worked out at its start
            jumps = self._clock.jumps
            is_rung = await self._clock.wait(rung, until_ms=next_ms)
            is_late_by_itself = not is_rung and self._clock.jumps == jumps
            meant_ms = next_ms if is_late_by_itself else self._clock.now_ms()

    def _begin_due(self, slot: Slot, now_ms: int, meant_ms: int) -> int | None:
        requested = self._requested(slot)
        due = self._agenda.look((*self.planned(slot), *requested), now_ms)
        for each in due.now:
            if each in requested:
                self._requests.note_begun(requested[each], slot)
            late_ms = now_ms - max(meant_ms, each.at_ms)
            if late_ms > LATE_MS:
                self.late_starts += 1
                _log.warning(
                    "%s of slot %d starts %d ms late: this machine is too busy",
                    each.role.name.lower(),
                    each.slot,
                    late_ms,
                )
            try:
                self._emit(each)
            except Exception:  # one duty's failure must not cost the others of the slot
                self.crashes += 1
                _log.exception("%s of slot %d could not be begun", each.role.name, each.slot)
        return due.next_ms

    def _requested(self, slot: Slot) -> dict[DutyDue, Request]:
        requests = self._requests.due(slot)
        if not requests:
            return {}
        epoch = self._timing.chain.epoch_of(slot)
        members = {each.key: each for each in self._roster.members(self._registry.own(), epoch)}
        return {
            plan_request(each, members[each.key], self._timing): each
            for each in requests
            if each.key in members
        }

    def _turn_to(self, slot: Slot) -> None:
        """Count slots that went by unseen, and forget old ones."""
        last, self._last_slot = self._last_slot, slot
        if last == slot:
            return
        skipped = 0 if last is None else max(slot - max(last, -1) - 1, 0)
        if skipped:
            self.skipped_slots += skipped
            _log.warning(
                "%d slots before slot %d were skipped: the process or the machine did not run",
                skipped,
                slot,
            )
        self._agenda.turn_to(slot)
        self._plans = {each: plan for each, plan in self._plans.items() if each >= slot}

    async def _follow(self) -> None:
        async with self._events or self._beacon.subscribe() as events:
            self._events = None
            async for event in events:
                self._hear(event)
        raise BeaconError("the stream of the beacon nodes' events has ended")

    def _hear(self, event: BeaconEvent) -> None:
        now_ms = self._clock.now_ms()
        is_now = isinstance(event, HeadEvent | BlockSeenEvent) and self._is_near(event.slot, now_ms)
        match event:
            case HeadEvent():
                if is_now:
                    self._agenda.note_head(event.slot, now_ms)
                self._book.turn_head(event, now_slot=self._clock.slot_at(now_ms))
            case BlockSeenEvent():
                if is_now:
                    self._agenda.note_block(event.slot, now_ms)
            case FinalizedEvent() | ReorgEvent() | ViewChangedEvent() | SlashingEvent():
                return
            case _:
                assert_never(event)
        self._bell.ring()

    def _is_near(self, slot: Slot, now_ms: int) -> bool:
        """Whether a block of that slot matters now: clocks differ, so one slot to either side."""
        return abs(slot - self._clock.slot_at(now_ms)) <= 1

    def _request(
        self, role: RunnerRole, key: PublicKey, asked: ExitRequested | FeeRecipientChanged
    ) -> None:
        block_slot = max(self._clock.slot_at(asked.block_time_s * 1000), 0)
        request = Request(role, key, Slot(block_slot + EVENT_DELAY_SLOTS))
        self._requests.add(request, block_number=asked.block_number)
