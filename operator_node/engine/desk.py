"""The duties in hand, and which of them a message is for.

It makes the sessions of own committees and validators, per generation, when the first duty or
message asks for them, and forgets what is long over. It carries out nothing and reads no clock.

Source: docs/protocol.md, "Duties", "Generations" and "After a restart".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple, TypeAlias

from operator_node.duties import Reason, duty_id
from operator_node.duties.types import CheckpointView, CommitteeDuty
from operator_node.engine.job import Job, Place
from operator_node.engine.making import Maker
from operator_node.engine.own import Own
from operator_node.engine.records import Draft, Tally
from operator_node.engine.restart import silent_until
from operator_node.engine.types import Message
from operator_node.scheduler.types import DutyDue
from operator_node.session import (
    CommitteeSessions,
    Delivery,
    Effect,
    Prepared,
    Session,
    ValidatorSessions,
    WaitingRoom,
    slot_of,
)
from operator_node.validation import KnownCommittee
from operator_node.validation.timing import LONG_LIFE_SLOTS
from operator_node.wire.committee import Committee
from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.generations import Generation
from operator_node.wire.ids import (
    COMMITTEE_ROLES,
    CommitteeId,
    MessageId,
    committee_id,
    committee_message_id,
    committee_of,
    role_of,
    validator_message_id,
    validator_of,
)
from operator_node.wire.records import Share
from sdk.errors import InvariantBroken
from sdk.types import PublicKey

KEPT_SLOTS: Final = LONG_LIFE_SLOTS + 1
"""Peers let messages of a duty through for 34 slots; an answer to them needs its session."""
TALLIES_KEPT: Final = 20_000
"""Duties that messages came for: 500 committees and 3,000 validators over the slots that messages
are let through for, and some more. Beyond it the oldest is not counted any longer."""

Quiet: TypeAlias = Callable[[int], tuple[Reason, str] | None]
Deliveries: TypeAlias = list[tuple[Job, list[Effect]]]


class Refused(NamedTuple):
    """A duty that cannot begin; its draft says why."""

    draft: Draft


class Ready(NamedTuple):
    """A duty that can begin. `dropped` are the ends of sessions that had to make room."""

    job: Job
    dropped: list[Effect]


class _Counter(NamedTuple):
    """Where the messages of one committee, or of one validator, are taken."""

    sessions: CommitteeSessions | ValidatorSessions
    room: WaitingRoom


class Desk:
    """Everything that this operator has in hand."""

    def __init__(self, own: Own, maker: Maker, quiet: Quiet = lambda slot: None) -> None:
        """An empty desk; that is what a restart leaves.

        Args:
            own: refreshed by whoever has the clock, before the first duty.
            maker: makes sessions and duties.
            quiet: why a duty of a slot must not begin, None if it may.
        """
        self._own = own
        self._quiet = quiet
        self._maker = maker
        self._network = own.network
        self._of_committees: dict[tuple[CommitteeId, Generation], _Counter] = {}
        self._of_validators: dict[tuple[PublicKey, Generation], _Counter] = {}
        """By share key: a validator that was split anew begins anew."""
        self._jobs: dict[Place, Job] = {}
        self._tallies: dict[Place, Tally] = {}

    @property
    def jobs(self) -> Iterator[Job]:
        """Duties that were begun and are remembered, oldest first."""
        return iter(tuple(self._jobs.values()))

    def __len__(self) -> int:
        return len(self._jobs)

    @property
    def waiting(self) -> int:
        """Messages that came too early and are kept."""
        return sum(len(counter.room) for counter in self._counters())

    # --- duties --------------------------------------------------------------------------

    def prepare(
        self,
        due: DutyDue,
        view: CheckpointView | None,
        *,
        into_slot_ms: int,
        born_into_slot_ms: int,
    ) -> Ready | Refused | None:
        """A session for a duty, ready to begin; None if it was begun before.

        Args:
            due: the duty.
            view: checkpoints known now.
            into_slot_ms: time from the begin of the duty's slot to now.
            born_into_slot_ms: the same to the start of this process; what earlier lives voted for
                is unknown.
        """
        generation = self._network.forks.generation_at(due.slot)
        place = (self._message_id(due, generation), due.slot)
        if place in self._jobs:
            return None
        committee = due.committee
        draft = self._draft(due, generation, into_slot_ms)
        if (silenced := self._quiet(due.slot)) is not None:
            draft.abandon(silenced[0], {"why": silenced[1]})
            return Refused(draft)
        shares = self._own.shares(due, generation)
        if isinstance(shares, Reason):
            draft.abandon(shares, {"why": "no validator of the duty has a share to sign with here"})
            return Refused(draft)
        prepared: Prepared
        try:
            if isinstance(due.duty, CommitteeDuty):
                sessions = self._open_committee(committee, generation).sessions
                prepared = _of_committee(sessions).prepare(due.role, due.duty, shares, view=view)
            else:
                share = shares[due.duty.validator_index]
                counter = self._open_validator(committee, share, generation)
                setting = self._maker.setting(committee, generation)
                duty = self._maker.duty(due.role, due.duty, share, setting)
                prepared = _of_validator(counter.sessions).prepare(duty)
        except ProtocolFault as refusal:
            is_late = refusal.fault is Fault.DUTY_PASSED
            reason = Reason.LATE_START if is_late else Reason.INTERNAL
            draft.abandon(reason, {"why": refusal.message})
            return Refused(draft)
        self._silence(prepared.session, born_into_slot_ms)
        draft.tally = self._tally(place)
        topic = self._network.topic(generation, self._subnet(committee, generation))
        job = self._jobs[place] = Job(prepared.session, topic, due, draft)
        return Ready(job, prepared.dropped)

    def job_named(self, name: str) -> Job | None:
        """The duty of that id."""
        return next((job for job in self._jobs.values() if job.draft.id == name), None)

    def tidy(self, slot: int) -> list[Job]:
        """Takes over the registry's state and forgets what is long over; the forgotten duties."""
        self._own.refresh(slot)
        oldest = slot - KEPT_SLOTS
        gone = [job for job in self._jobs.values() if job.is_over and job.slot < oldest]
        for job in gone:
            del self._jobs[job.place]
            if job.role in COMMITTEE_ROLES:
                counter = self._counter_of(job.session.id, job.slot)
                if counter is not None:
                    _of_committee(counter.sessions).forget(job.role, job.slot)
        self._tallies = {
            place: tally
            for place, tally in self._tallies.items()
            if place[1] >= oldest or place in self._jobs
        }
        for counter in self._counters():
            counter.room.forget_before(oldest)
        self._forget_others(slot)
        return gone

    # --- messages ------------------------------------------------------------------------

    def concerns(self, message_id: bytes) -> bool:
        """Whether messages of that id are for an own committee or validator."""
        if role_of(message_id) in COMMITTEE_ROLES:
            return self._own.committee(committee_of(message_id)) is not None
        return self._own.validator(validator_of(message_id)) is not None

    def job_of(self, message: Message) -> Job | None:
        """The duty that a message is of, if it has begun."""
        return self._jobs.get((message.signed.message.id, slot_of(message)))

    def hear(self, message: Message, into_slot_ms: int) -> None:
        """Notes for the duty's record that a message came from somebody else."""
        tally = self._tally((message.signed.message.id, slot_of(message)))
        for operator in message.signed.signers if len(message.signed.signers) == 1 else ():
            if operator != self._maker.me:
                tally.note(operator, into_slot_ms)

    def deliver(self, message: Message) -> Deliveries:
        """Hands a message to its session; what it and messages that waited for it led to."""
        job = self.job_of(message)
        if job is not None and job.broken:
            return []
        counter = self._counter_of(message.signed.message.id, slot_of(message))
        return [] if counter is None else self._with_jobs(counter.room.deliver(message))

    def follow(self, job: Job, effects: list[Effect]) -> Deliveries:
        """What messages led to that waited for these effects."""
        counter = self._counter_of(job.session.id, job.slot)
        return [] if counter is None else self._with_jobs(counter.room.follow(job.session, effects))

    # --- inside --------------------------------------------------------------------------

    def _with_jobs(self, deliveries: Iterable[Delivery]) -> Deliveries:
        found: Deliveries = []
        for delivery in deliveries:
            session = delivery.session
            job = None if session is None else self._jobs.get((session.id, session.slot))
            if job is not None:
                found.append((job, delivery.effects))
        return found

    def _message_id(self, due: DutyDue, generation: Generation) -> MessageId:
        domain = self._network.domain(generation)
        if isinstance(due.duty, CommitteeDuty):
            return committee_message_id(domain, due.role, committee_id(due.committee.operators))
        return validator_message_id(domain, due.role, due.duty.public_key)

    def _draft(self, due: DutyDue, generation: Generation, into_slot_ms: int) -> Draft:
        validators = tuple(dict.fromkeys(each.validator_index for each in due.parts))
        setting = self._maker.setting(due.committee, generation)
        first = validators[0] if validators else 0
        name = duty_id(setting, role=due.role, slot=due.slot, validator_index=first)
        return Draft(name, due.role, due.slot, due.committee.operators, validators, into_slot_ms)

    def _silence(self, session: Session, born_into_slot_ms: int) -> None:
        if session.consensus is None:
            return
        until = silent_until(
            session.role, since_slot_ms=born_into_slot_ms, slot_ms=self._network.slot_ms
        )
        if until:
            session.consensus.heights.silence(session.slot, until)

    def _subnet(self, committee: Committee, generation: Generation) -> int:
        known = self._own.committee(committee_id(committee.operators))
        return (known or KnownCommittee.of(committee.operators, ())).subnet(generation)

    def _tally(self, place: Place) -> Tally:
        tally = self._tallies.get(place)
        if tally is None:
            tally = self._tallies[place] = Tally()
            if len(self._tallies) > TALLIES_KEPT:
                del self._tallies[next(iter(self._tallies))]
        return tally

    def _counters(self) -> Iterator[_Counter]:
        yield from self._of_committees.values()
        yield from self._of_validators.values()

    def _counter_of(self, message_id: MessageId, slot: int) -> _Counter | None:
        """Where messages of that id are taken; opened for own committees and validators only."""
        generation = self._network.forks.generation_at(slot)
        if role_of(message_id) in COMMITTEE_ROLES:
            known = self._own.committee(committee_of(message_id))
            return None if known is None else self._open_committee(known.members, generation)
        assignment = self._own.validator(validator_of(message_id))
        if assignment is None:
            return None
        counter = self._of_validators.get((assignment.share_key, generation))
        if counter is None:
            # Sessions need the share for its validator's key only; duties bring their own.
            share = self._own.share(assignment, 0, generation)
            counter = self._open_validator(assignment.committee, share, generation)
        return counter

    def _open_committee(self, committee: Committee, generation: Generation) -> _Counter:
        place = (committee_id(committee.operators), generation)
        counter = self._of_committees.get(place)
        if counter is None:
            sessions = self._maker.committee_sessions(committee, generation)
            counter = self._of_committees[place] = _Counter(sessions, WaitingRoom(sessions))
        return counter

    def _open_validator(
        self, committee: Committee, share: Share, generation: Generation
    ) -> _Counter:
        place = (share.share_key, generation)
        counter = self._of_validators.get(place)
        if counter is None:
            sessions = self._maker.validator_sessions(committee, share, generation)
            counter = self._of_validators[place] = _Counter(sessions, WaitingRoom(sessions))
        return counter

    def _forget_others(self, slot: int) -> None:
        """Drops sessions of what is not this operator's any more, and of past generations."""
        generations = {
            self._network.forks.generation_at(each) for each in (slot - KEPT_SLOTS, slot, slot + 1)
        }
        busy = {id(job.session) for job in self._jobs.values() if not job.is_over}
        share_keys = self._own.share_keys()

        def stays(counter: _Counter, generation: Generation, is_own: bool) -> bool:
            if is_own and generation in generations:
                return True
            return any(id(session) in busy for session in counter.sessions.sessions())

        self._of_committees = {
            (committee, generation): counter
            for (committee, generation), counter in self._of_committees.items()
            if stays(counter, generation, self._own.committee(committee) is not None)
        }
        self._of_validators = {
            (share_key, generation): counter
            for (share_key, generation), counter in self._of_validators.items()
            if stays(counter, generation, share_key in share_keys)
        }


def _of_committee(sessions: CommitteeSessions | ValidatorSessions) -> CommitteeSessions:
    if not isinstance(sessions, CommitteeSessions):
        raise InvariantBroken("a committee's messages are taken where a validator's are")
    return sessions


def _of_validator(sessions: CommitteeSessions | ValidatorSessions) -> ValidatorSessions:
    if not isinstance(sessions, ValidatorSessions):
        raise InvariantBroken("a validator's messages are taken where a committee's are")
    return sessions
