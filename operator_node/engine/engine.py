"""Duties carried out: the driver that gives sessions their clock, keys, disks and peers.

Everything that sessions do happens on the event loop, one step after the other; whatever waits or
computes for long runs beside it in a task of the duty, ends with the duty, and comes back as the
next step. What goes wrong in one duty ends that duty alone.

Source: docs/protocol.md, "Duties", "Timing", "Heights" and "After a restart".
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias, assert_never

import trio

from operator_node.duties import Reason
from operator_node.duties.types import Fetch, Finish, Reached, Recover, Sign, Step, Submit
from operator_node.engine.counts import Counts
from operator_node.engine.desk import Deliveries, Desk, Ready
from operator_node.engine.errands import COLLECTING_ROLES, Errands
from operator_node.engine.explaining import explain, first_of
from operator_node.engine.history import History
from operator_node.engine.job import Job
from operator_node.engine.outbox import Letter, Outbox
from operator_node.engine.own import Own
from operator_node.engine.queue import Queue
from operator_node.engine.records import Draft, DutyRecord
from operator_node.engine.sealing import Sealer, as_received
from operator_node.engine.types import Beacon, Clock, Message, MessageKey, Transport
from operator_node.engine.upkeep import Upkeep, keep_going
from operator_node.qbft import Anchor, StartTimer, expiry
from operator_node.scheduler.types import DutyDue
from operator_node.session import Effect, Send, SendSigned, slot_of
from operator_node.wire.codec import encode_signed
from operator_node.wire.faults import Complain
from operator_node.wire.ids import RunnerRole
from operator_node.wire.messages import SignedMessage
from sdk.errors import InvariantBroken, StorageError
from sdk.types import OperatorId

if TYPE_CHECKING:
    from trio_typing import TaskStatus  # trio's own is hidden by the stubs that libp2p brings

MESSAGES_QUEUED: Final = 8_192
"""More than the 5,000 of one second that a node must stand."""
BYTES_QUEUED: Final = 256 * 2**20
"""Two dozen of the largest messages; the usual ones have a kilobyte."""
DUTIES_RUNNING: Final = 20_000
"""500 committees whose duties all fail run 34 slots each, 17,000 together."""

_log = logging.getLogger(__name__)
_Step: TypeAlias = Callable[[], Deliveries]


class Engine:
    """Carries out the duties of one operator.

    Attributes:
        counts: totals, for metrics.
    """

    def __init__(
        self,
        *,
        me: OperatorId,
        own: Own,
        desk: Desk,
        errands: Errands,
        beacon: Beacon,
        key: MessageKey,
        transport: Transport,
        clock: Clock,
        history: History,
        counts: Counts,
    ) -> None:
        """An engine without duties, to be run.

        Args:
            me: the own operator id.
            own: own committees and validators.
            desk: the sessions; of this engine alone.
            errands: what takes its time.
            beacon: asked for checkpoints.
            key: signs messages.
            transport: the way to the peers.
            clock: of the process.
            history: takes the records of duties.
            counts: the same that the errands count in.
        """
        self.counts = counts
        self._me = me
        self._own = own
        self._desk = desk
        self._errands = errands
        self._beacon = beacon
        self._sealer = Sealer(me, key, errands.work, said=self._said, failed=self._fail)
        self._clock = clock
        self._history = history
        self._transport = transport
        self._outbox = Outbox(transport, counts)
        self._born_ms = clock.now_ms()
        self._nursery: trio.Nursery | None = None
        self._running = 0
        self._todo: deque[tuple[Job | None, _Step]] = deque()
        self._is_busy = False
        self._inbox = Queue(items=MESSAGES_QUEUED, size_bytes=BYTES_QUEUED, size=_size)
        self._upkeep = Upkeep(desk, history, clock, errands.work)
        self.refresh()

    async def run(self, task_status: TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Works until it is cancelled; duties may begin once it has started."""
        tidy = partial(self._upkeep.tidy, self._slot, self._own.network.slot_ms)
        out = (self._sealer.run, self._outbox.publish, self._outbox.write)
        tasks = (self._listen, *out, tidy, self._upkeep.write)
        try:
            async with trio.open_nursery() as nursery:
                self._nursery = nursery
                for task in tasks:
                    nursery.start_soon(keep_going, task, self.counts)
                task_status.started()
        finally:
            self._nursery = None
            self._history.flush()

    def begin(self, due: DutyDue) -> None:
        """A duty is due; nothing if it was begun before. Returns at once.

        Raises:
            InvariantBroken: the engine does not run.
        """
        if self._nursery is None:
            raise InvariantBroken(f"a duty of slot {due.slot} is due before the engine runs")
        start_ms = self._clock.start_ms(due.slot)
        now_ms = self._clock.now_ms()
        try:
            ready = self._desk.prepare(
                due,
                self._beacon.view(due.slot),
                into_slot_ms=now_ms - start_ms,
                born_into_slot_ms=self._born_ms - start_ms,
            )
        except Exception as error:  # the boundary of a duty that is not one yet
            self._fail(None, error)
            return
        if not isinstance(ready, Ready):
            if ready is not None:
                self._tell(ready.draft)
            return
        job = ready.job
        for effect in ready.dropped:
            self._end_dropped(effect)
        if now_ms >= due.deadline_ms:
            self._abandon(job, Reason.LATE_START, {"why": "its time was over before it began"})
        elif self._running >= DUTIES_RUNNING:
            self._abandon(job, Reason.OVERLOAD, {"running": self._running})
        else:
            self._nursery.start_soon(self._live, job)

    def receive(self, message: Message, at_ms: int) -> None:
        """Queues a message that passed gossip validation. Returns at once.

        Args:
            message: for an own committee or validator.
            at_ms: unix milliseconds of its arrival.
        """
        self.counts.dropped += not self._inbox.put((message, at_ms))

    def look_again(self) -> None:
        """The beacon nodes see another head, or answer again: running votes judge by that."""
        self._errands.look_again()
        for job in self._desk.jobs:
            if job.role is RunnerRole.COMMITTEE and not job.is_over:
                view = self._beacon.view(job.slot)
                self._do(job, partial(self._of_session, job, job.session.update_view, view))

    def refresh(self) -> None:
        """The registry has changed: own committees, validators or fee recipients."""
        self._own.refresh(self._slot())

    def concerns(self, message_id: bytes) -> bool:
        """Whether messages of that id are for this operator."""
        return self._desk.concerns(message_id)

    def topics(self) -> frozenset[str]:
        """To be listened to now; may change with the registry and in every slot."""
        return self._own.topics(self._slot())

    def running(self) -> tuple[DutyRecord, ...]:
        """Duties whose outcome is not known yet, oldest first."""
        return tuple(job.record() for job in self._desk.jobs if not job.is_over)

    # --- the life of a duty --------------------------------------------------------------

    async def _live(self, job: Job) -> None:
        """From begin to outcome; the duty's tasks end with it."""
        self._running += 1
        try:
            async with trio.open_nursery() as nursery:
                job.nursery = nursery
                try:
                    nursery.start_soon(self._expire, job)
                    self._do(job, partial(self._of_session, job, job.session.begin))
                    await job.over.wait()
                finally:
                    job.nursery = None
                nursery.cancel_scope.cancel()
        except Exception as error:
            self._fail(job, error)
        finally:
            self._running -= 1
            if not job.is_over:
                self._abandon(job, Reason.STOPPED, {"why": "the node was stopped"})

    async def _expire(self, job: Job) -> None:
        await self._clock.sleep_until(job.due.deadline_ms)
        self._do(job, partial(self._of_session, job, job.session.expire))

    def _end_dropped(self, effect: Effect) -> None:
        """A session had to make room for a newer one."""
        if isinstance(effect, Finish) and (job := self._desk.job_named(effect.outcome.id)):
            self._finish(job, effect)

    def _finish(self, job: Job, finish: Finish) -> None:
        if job.is_over:
            return
        present = {self._me, *self._transport.operators_connected()}
        job.draft.end(explain(finish.outcome, job.due.committee, present))
        job.over.set()
        job.told = self._tell(job.draft, job)

    def _abandon(self, job: Job, reason: Reason, detail: dict[str, object]) -> None:
        """This node gives a duty up; its session is not called any more."""
        job.broken = True
        if job.is_over:
            return
        job.draft.abandon(reason, detail)
        job.over.set()
        job.told = self._tell(job.draft, job)

    def _tell(self, draft: Draft, job: Job | None = None) -> DutyRecord:
        """One log line and one record per duty."""
        record = draft.record(round_number=0, leader=None) if job is None else job.record()
        reason = record.reason or Reason.INTERNAL
        self.counts.outcomes[record.role, reason] += 1
        self._history.add(record)
        _log.info("%s", record.line)
        return record

    # --- steps, one after the other ------------------------------------------------------

    def _of_session(self, job: Job, call: Callable[..., list[Effect]], *what: object) -> Deliveries:
        """What a session asks for, and what that made of messages that waited for it."""
        if job.broken:
            return []
        effects = call(*what)
        return [(job, effects), *self._desk.follow(job, effects)]

    def _do(self, job: Job | None, step: _Step) -> None:
        """Takes a step after those that are under way: an effect may lead to further ones."""
        self._todo.append((job, step))
        if self._is_busy:
            return
        self._is_busy = True
        try:
            while self._todo:
                self._take(*self._todo.popleft())
        finally:
            self._is_busy = False

    def _take(self, job: Job | None, step: _Step) -> None:
        """One step. Whatever it raises ends one duty: the boundary of all that sessions do."""
        try:
            deliveries = step()
        except Exception as error:
            self._fail(job, error)
            return
        for each, effects in deliveries:
            try:
                for effect in effects:
                    self._carry_out(each, effect)
            except Exception as error:
                self._fail(each, error)

    def _fail(self, job: Job | None, error: Exception) -> None:
        """Counts, logs, and ends the one duty that cannot go on."""
        self.counts.failures += 1
        first = first_of(error)
        name = "a message, or a new duty," if job is None else job.draft.id
        _log.error("%s failed: %s", name, type(first).__name__, exc_info=error)
        if job is None:
            return
        if isinstance(first, StorageError):
            # Only the signer's record is asked for on the way of a duty.
            self._abandon(job, Reason.SIGNER_DOWN, {"why": first.message})
        else:
            self._abandon(job, Reason.INTERNAL, {"error": type(first).__name__})

    def _carry_out(self, job: Job, effect: Effect) -> None:
        match effect:
            case Send():
                self._sealer.put(job, effect)
            case SendSigned():
                self._outbox.put(Letter(job.topic, encode_signed(effect.signed), effect.to))
            case StartTimer():
                self._start(job, self._wait, effect)
                if effect.round > 1:
                    self._renew([job])
            case Fetch():
                self._start(job, self._errands.fetch, self._answer, effect.query)
            case Sign():
                self._start(job, self._errands.sign, self._answer, effect.items)
            case Recover():
                self._start(job, self._errands.recover, self._answer, effect.requests)
            case Submit():
                self._start(job, self._errands.submit, self._answer, effect.items)
            case Reached():
                job.draft.reach(effect.step, self._into_slot_ms(job.slot))
                self.counts.steps[job.role, effect.step] += 1
                if job.role is RunnerRole.COMMITTEE and effect.step is Step.SUBMITTED:
                    self._renew(each for each in self._desk.jobs if each.slot == job.slot)
            case Complain():
                self._note(job, effect)
            case Finish():
                self._finish(job, effect)
            case _:
                assert_never(effect)

    def _start(self, job: Job, task: Callable[..., Awaitable[None]], *what: object) -> None:
        """In the duty's own nursery; a duty that is over starts nothing more."""
        if job.nursery is not None and not job.is_over:
            job.nursery.start_soon(task, job, *what)

    def _renew(self, jobs: Iterable[Job]) -> None:
        """Asks for aggregates again: votes that came after them are in no block otherwise."""
        for job in jobs:
            for query in tuple(job.answered) if job.role in COLLECTING_ROLES else ():
                self._start(job, self._errands.renew, self._answer, query)

    def _answer(self, job: Job, call: Callable[..., list[Effect]], *what: object) -> None:
        """An errand is done; the session goes on with what it brought."""
        self._do(job, partial(self._of_session, job, call, *what))

    def _note(self, job: Job, complaint: Complain) -> None:
        self.counts.faults[complaint.fault] += 1
        if complaint.blame is not None:
            self.counts.blamed[complaint.blame] += 1
            _log.warning(
                "duty %s: operator %d sent %s: %s",
                job.draft.id,
                complaint.blame,
                complaint.fault.name.lower(),
                complaint.detail,
            )

    # --- time ----------------------------------------------------------------------------

    async def _wait(self, job: Job, timer: StartTimer) -> None:
        """Until the round is over; rounds of most roles end at a time fixed to the slot."""
        due = expiry(job.role, timer.round, self._own.network.slot_ms)
        is_anchored = due.anchor is Anchor.SLOT_START
        from_ms = self._clock.start_ms(timer.height) if is_anchored else self._clock.now_ms()
        await self._clock.sleep_until(from_ms + due.ms)
        self._answer(job, job.session.expire_round, timer.height, timer.round)

    def _slot(self) -> int:
        return (self._clock.now_ms() - self._clock.start_ms(0)) // self._own.network.slot_ms

    def _into_slot_ms(self, slot: int) -> int:
        return self._clock.now_ms() - self._clock.start_ms(slot)

    # --- messages ------------------------------------------------------------------------

    def _said(self, job: Job, signed: SignedMessage) -> None:
        """Publishes an own message, to this node too."""
        self._outbox.put(Letter(job.topic, encode_signed(signed)))
        job.draft.sent += 1
        message = as_received(signed, self._own.network.forks.generation_at(job.slot))
        self._do(job, partial(self._desk.deliver, message))

    async def _listen(self) -> None:
        while True:
            message, at_ms = await self._inbox.take()
            self.counts.taken += 1
            self._desk.hear(message, at_ms - self._clock.start_ms(slot_of(message)))
            self._do(self._desk.job_of(message), partial(self._desk.deliver, message))


def _size(item: tuple[Message, int]) -> int:
    signed = item[0].signed
    return len(signed.message.data) + len(signed.full_data)
