"""The sessions of one simulated operator: which there are, and which of them a message is for.

A new desk knows nothing; that is what a restart leaves.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from operator_node.duties.aggregator import AggregatorDuty
from operator_node.duties.proposer import ProposerDuty
from operator_node.duties.registration import RegistrationDuty
from operator_node.duties.sync_contribution import ContributionDuty
from operator_node.duties.types import CheckpointView, CommitteeDuty, Duty, Setting
from operator_node.duties.voluntary_exit import ExitDuty
from operator_node.qbft.rounds import leader_of
from operator_node.session.committee import CommitteeSessions
from operator_node.session.early import WaitingRoom
from operator_node.session.session import Delivery, Prepared, Session
from operator_node.session.types import Effect
from operator_node.session.validator import ValidatorSessions
from operator_node.testing.assignments import validator_duties
from operator_node.testing.faults import PlannedDuty
from operator_node.testing.signing import Signer
from operator_node.testing.standin import Signatures
from operator_node.testing.world import CHAIN, Cluster, DutyKey, World
from operator_node.wire.codec import signs_over
from operator_node.wire.generations import Generation
from operator_node.wire.ids import COMMITTEE_ROLES, MessageId, RunnerRole
from operator_node.wire.messages import Received, ReceivedPartials, SignedMessage
from operator_node.wire.records import Share
from operator_node.wire.values import ValidatorDuty
from sdk.errors import InvariantBroken
from sdk.types import OperatorId

Message = Received | ReceivedPartials


class Job(NamedTuple):
    """A session with what the driver needs beside it."""

    session: Session
    cluster: Cluster
    key: DutyKey
    generation: Generation
    topic: str


class Counter(NamedTuple):
    """Where the messages of one committee, or of one validator, are taken."""

    sessions: CommitteeSessions | ValidatorSessions
    room: WaitingRoom


class Desk:
    """Everything that an operator has in hand."""

    def __init__(self, me: OperatorId, world: World, signer: Signer) -> None:
        """An empty desk."""
        self._me = me
        self._world = world
        self._signer = signer
        self._counters: dict[tuple[bytes, Generation], Counter] = {}
        self._by_message_id: dict[MessageId, Counter] = {}
        self._jobs: dict[DutyKey, Job] = {}
        self._jobs_of_sessions: dict[int, Job] = {}
        self._settings: dict[tuple[bytes, Generation], Setting] = {}

    @property
    def jobs(self) -> Iterator[Job]:
        """All of them, in the order in which they were begun."""
        return iter(self._jobs.values())

    @property
    def waiting(self) -> int:
        """Messages that came too early and are kept."""
        return sum(len(counter.room) for counter in self._counters.values())

    def has(self, planned: PlannedDuty, cluster: Cluster) -> bool:
        """Whether a duty was begun here."""
        return self._world.key_of(planned, cluster) in self._jobs

    def prepare(
        self, planned: PlannedDuty, cluster: Cluster, view: CheckpointView | None
    ) -> tuple[Job, list[Effect]]:
        """A session for a duty, ready to begin, and the ends of those that made room.

        Raises:
            ProtocolFault: the duty does not fit.
        """
        duties = self._duties_of(planned, cluster)
        shares = cluster.shares[self._me]
        generation = self._world.generation_at(planned.slot)
        key = self._world.key_of(planned, cluster)
        validator_index = None if planned.role in COMMITTEE_ROLES else duties[0].validator_index
        counter = self._open(cluster, validator_index, generation)
        self._by_message_id[key.message_id] = counter
        prepared: Prepared
        match counter.sessions:
            case CommitteeSessions() as committee:
                duty = CommitteeDuty(planned.slot, duties)
                prepared = committee.prepare(planned.role, duty, shares, view=view)
            case ValidatorSessions() as validator:
                setting = self._setting(cluster, generation)
                share = shares[duties[0].validator_index]
                prepared = validator.prepare(_duty(planned.role, setting, duties[0], share))
        session = prepared.session
        job = Job(session, cluster, key, generation, self._world.topic(cluster, session.slot))
        self._jobs[key] = self._jobs_of_sessions[id(session)] = job
        return job, prepared.dropped

    def deliver(self, message: Message) -> list[tuple[Job, list[Effect]]]:
        """Hands a message to its session; what it and messages that waited for it led to.

        Deliveries that led to nothing are left out.
        """
        message_id = message.signed.message.id
        counter = self._by_message_id.get(message_id) or self._counter_of(message_id)
        if counter is None:
            return []
        deliveries = counter.room.deliver(message)
        if len(deliveries) == 1 and not deliveries[0].effects:
            return []  # as most messages: nobody waits for a quorum's last ones
        return self._with_jobs(deliveries)

    def follow(self, job: Job, effects: list[Effect]) -> list[tuple[Job, list[Effect]]]:
        """What messages led to that waited for these effects."""
        room = self._by_message_id[job.session.id].room
        return self._with_jobs(room.follow(job.session, effects)) if room.is_used else []

    def _with_jobs(self, deliveries: list[Delivery]) -> list[tuple[Job, list[Effect]]]:
        found = []
        for delivery in deliveries:
            session, effects = delivery.session, delivery.effects
            if effects and session is not None:
                found.append((self._jobs_of_sessions[id(session)], effects))
        return found

    def _counter_of(self, message_id: MessageId) -> Counter | None:
        """Where messages of that id are taken; opened for own committees and validators only."""
        counter = self._by_message_id.get(message_id)
        if counter is None:
            found = self._world.find(message_id, self._me)
            if found is None:
                return None
            cluster, validator, generation = found
            counter = self._open(cluster, validator, generation)
            self._by_message_id[message_id] = counter
        return counter

    def _duties_of(self, planned: PlannedDuty, cluster: Cluster) -> tuple[ValidatorDuty, ...]:
        """The same for all operators, so the first one makes them."""
        assigned = self._world.assigned
        duties = assigned.get(planned)
        if duties is None:
            duties = assigned[planned] = validator_duties(planned, cluster)
        return duties

    def _open(self, cluster: Cluster, validator: int | None, generation: Generation) -> Counter:
        share = None if validator is None else cluster.shares[self._me][validator]
        place = cluster.id if share is None else share.share_key
        counter = self._counters.get((place, generation))
        if counter is None:
            sessions = self._new_sessions(cluster, share, generation)
            counter = self._counters[place, generation] = Counter(sessions, WaitingRoom(sessions))
        return counter

    def _new_sessions(
        self, cluster: Cluster, share: Share | None, generation: Generation
    ) -> CommitteeSessions | ValidatorSessions:
        setting = self._setting(cluster, generation)
        domain = self._world.wire_chain.domain(generation)
        leader = leader_of(cluster.committee, generation)
        verify = partial(_verify, self._world.signatures)
        if share is None:
            return CommitteeSessions(setting, domain=domain, leader=leader, verify=verify)
        return ValidatorSessions(setting, share, domain=domain, leader=leader, verify=verify)

    def _setting(self, cluster: Cluster, generation: Generation) -> Setting:
        setting = self._settings.get((cluster.id, generation))
        if setting is None:
            setting = self._settings[cluster.id, generation] = Setting(
                committee=cluster.committee,
                me=self._me,
                chain=CHAIN,
                generation=generation,
                is_slashable=self._signer.is_slashable,
            )
        return setting


def _verify(signatures: Signatures, signed: SignedMessage) -> bool:
    """Whether all of a message's signatures hold."""
    covered = signs_over(signed)
    return all(
        signatures.holds(signer, covered, signature)
        for signer, signature in zip(signed.signers, signed.signatures, strict=True)
    )


def _duty(role: RunnerRole, setting: Setting, duty: ValidatorDuty, share: Share) -> Duty:
    match role:
        case RunnerRole.PROPOSER:
            return ProposerDuty(setting, duty, share)
        case RunnerRole.AGGREGATOR:
            return AggregatorDuty(setting, duty, share)
        case RunnerRole.SYNC_CONTRIBUTION:
            return ContributionDuty(setting, duty, share)
        case RunnerRole.VALIDATOR_REGISTRATION:
            return RegistrationDuty(setting, duty, share)
        case RunnerRole.VOLUNTARY_EXIT:
            return ExitDuty(setting, duty, share)
        case _:
            raise InvariantBroken(f"role {role} is no single validator's")
