"""One simulated operator: a driver that carries out what sessions ask for, on virtual time.

It stands where the process with its tasks, sockets and disks will stand, and does the same things:
publishes and receives through gossip validation, keeps timers by its own clock, asks its beacon
node, lets the slashing record judge before it signs, recovers, submits. The slashing record is all
that a restart leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Final, assert_never

from operator_node.duties.types import (
    Answer,
    Fetch,
    Finish,
    Query,
    Reached,
    Recover,
    RecoveryRequest,
    Sign,
    SignItem,
    Step,
    Submission,
    SubmissionKind,
    Submit,
    Submitted,
    Unavailable,
)
from operator_node.qbft.rounds import Anchor, expiry
from operator_node.qbft.types import StartTimer
from operator_node.session.types import Effect, Send, SendSigned
from operator_node.testing.clock import Timeline
from operator_node.testing.desk import Desk, Job
from operator_node.testing.fake_beacon import FakeBeacon
from operator_node.testing.faults import SLOT_MS, PlannedDuty, slot_start_ms
from operator_node.testing.network import Network, Packet
from operator_node.testing.process import Process
from operator_node.testing.signing import Liveness, Signer
from operator_node.testing.telling import tell_complaint, tell_envelope, tell_outcome
from operator_node.testing.transcript import Transcript
from operator_node.testing.watch import Watch
from operator_node.testing.world import Cluster, OperatorsView, World
from operator_node.validation.pipeline import Validator
from operator_node.validation.verdict import Accept, Ignore, Reject
from operator_node.wire.codec import (
    decode_consensus,
    decode_partials,
    encode_envelope,
    encode_signed,
)
from operator_node.wire.faults import Complain
from operator_node.wire.messages import (
    Envelope,
    EnvelopeKind,
    Received,
    ReceivedPartials,
    SignedMessage,
)
from sdk.types import OperatorId

Message = Received | ReceivedPartials

_CONSENSUS: Final = int(EnvelopeKind.CONSENSUS)
_DECIDED: Final = Step.DECIDED
_DATA: Final = Step.DATA


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the operators of one run share."""

    world: World
    timeline: Timeline
    network: Network
    watch: Watch
    liveness: Liveness
    transcript: Transcript | None


class OperatorNode:
    """An honest operator.

    Attributes:
        me: its id.
        process: whether it runs; events of a former life never reach it.
        signer: survives restarts.
        desk: its sessions; new after a restart.
        validator: its gossip validation; new after a restart.
    """

    def __init__(
        self,
        me: OperatorId,
        surroundings: Surroundings,
        beacon: FakeBeacon,
        choices: Random,
        *,
        clock_error_ms: int = 0,
    ) -> None:
        """An operator that has not begun any duty, on the network.

        Args:
            me: its id.
            surroundings: of the run.
            beacon: its beacon node.
            choices: how long signing, recovering and submitting take.
            clock_error_ms: how far its clock is ahead.
        """
        self.me = me
        self.world = surroundings.world
        self.network = surroundings.network
        self.process = Process(surroundings.timeline)
        self._timeline = surroundings.timeline
        self._watch = surroundings.watch
        self._liveness = surroundings.liveness
        self._transcript = surroundings.transcript
        self._beacon = beacon
        self._choices = choices
        self.clock_error_ms = clock_error_ms
        self._view = OperatorsView(self.world, me, lambda: self._timeline.now_ms)
        self.signer = Signer(
            me, self.world.signatures, self.now_ms, self._watch.signed, self._liveness
        )
        self._unanswered: list[tuple[Job, Query]] = []
        self.validator = self._new_validator()
        self.desk = self._new_desk()
        self.network.join(me, self._on_packet)

    def now_ms(self) -> int:
        """What its clock says."""
        return self._timeline.now_ms + self.clock_error_ms

    def holds(self, cluster: Cluster) -> bool:
        """Whether it believes that the cluster runs its validators now."""
        return self._view.holds(cluster)

    # --- life ----------------------------------------------------------------------------

    def stop(self, *, keeps_state: bool) -> None:
        """The process stands still, or is gone."""
        self.note("pauses" if keeps_state else "crashes")
        self.network.set_down(self.me, down=True)
        self.process.stop(keeps_state=keeps_state)
        if not keeps_state:
            self._watch.forgotten(self.me)

    def resume(self) -> None:
        """The process goes on, or begins anew with nothing but its slashing record."""
        self.network.set_down(self.me, down=False)
        if self.process.is_new:
            self.note("is back, without its state")
            self._unanswered = []
            self.validator = self._new_validator()
            self.desk = self._new_desk()
        else:
            self.note("is back")
        self.process.resume()

    def at_local(self, local_ms: int, happen: Callable[..., None], *arguments: Any) -> None:
        """Let something happen at a time of its own clock, in this life."""
        self.process.at(local_ms - self.clock_error_ms, happen, *arguments)

    def look_again(self) -> None:
        """The beacon node came back, or went: running duties and open questions are concerned."""
        now_ms = self._timeline.now_ms
        for job in tuple(self.desk.jobs):
            view = self._beacon.view(job.key.slot, now_ms)
            self._go_on(job, job.session.update_view(view))
        open_questions, self._unanswered = self._unanswered, []
        for job, query in open_questions:
            if job.session.is_running:
                self._fetch(job, query)

    # --- duties --------------------------------------------------------------------------

    def begin(self, planned: PlannedDuty, cluster: Cluster, deadline_ms: int) -> None:
        """A duty is due, if it has not been begun; `deadline_ms` is the end of its life."""
        if not self.holds(cluster) or self.desk.has(planned, cluster):
            return
        view = self._beacon.view(planned.slot, self._timeline.now_ms)
        job, dropped = self.desk.prepare(planned, cluster, view)
        self._watch.began(self.me, job.key)
        if self.is_noted:
            self.note(f"begins {planned.role.name.lower()} {planned.slot}")
        self._carry_out(job, dropped)
        self._go_on(job, job.session.begin())
        self.at_local(deadline_ms, self._expire, job)

    def _expire(self, job: Job) -> None:
        self._go_on(job, job.session.expire())

    def _go_on(self, job: Job, effects: list[Effect]) -> None:
        """Carry out what a session asks for, and then what that made of messages that waited."""
        if not effects:
            return
        self._carry_out(job, effects)
        for other, its_effects in self.desk.follow(job, effects):
            self._carry_out(other, its_effects)

    def _carry_out(self, job: Job, effects: Iterable[Effect]) -> None:
        for effect in effects:
            CARRIED_OUT[type(effect)](self, job, effect)

    def _send(self, job: Job, send: Send) -> None:
        self.speak(job, send.envelope, send.full_data)

    def _hear_complaint(self, _: Job, complaint: Complain) -> None:
        if self._transcript is not None:
            self.note(tell_complaint(complaint))

    def _ask(self, job: Job, fetch: Fetch) -> None:
        self._fetch(job, fetch.query)

    def _begin_signing(self, job: Job, sign: Sign) -> None:
        self._work(self._sign, job, sign.items)

    def _begin_recovery(self, job: Job, recover: Recover) -> None:
        self._work(self._recover, job, recover.requests)

    def _begin_submission(self, job: Job, submit: Submit) -> None:
        self._work(self._submit, job, submit.items)

    def _finish(self, job: Job, finish: Finish) -> None:
        self._watch.ended(self.me, job.key, finish.outcome)
        if self._transcript is not None:
            self.note(tell_outcome(finish.outcome))

    def _work(self, step: Callable[..., None], job: Job, items: object) -> None:
        """Something that takes the operator's own time; other events come in between."""
        most_ms = self.world.plan.work_ms
        delay_ms = int(self._choices.random() * (most_ms + 1)) if most_ms else 0
        self.process.after(delay_ms, step, job, items)

    def _sign(self, job: Job, items: tuple[SignItem, ...]) -> None:
        self._go_on(job, job.session.signed(self.signer.sign(items, job.key.slot)))

    def _recover(self, job: Job, requests: tuple[RecoveryRequest, ...]) -> None:
        self._go_on(job, job.session.recovered(self.world.signatures.recover(requests)))

    def _submit(self, job: Job, items: tuple[Submission, ...]) -> None:
        for item in items:
            self._watch.submitted(self.me, job.key, item)
            if item.kind is SubmissionKind.ATTESTATION:
                epoch = job.key.slot // self.world.forks.slots_per_epoch
                self._liveness.saw(item.validator_index, epoch)
        if self._transcript is not None:
            self.note("submits " + ", ".join(f"{i.kind} of {i.validator_index}" for i in items))
        self._go_on(job, job.session.submitted(tuple(Submitted(item) for item in items)))

    def _fetch(self, job: Job, query: Query) -> None:
        answered = self._beacon.ask(query, self._timeline.now_ms)
        if answered is None:
            self._unanswered.append((job, query))
            return
        delay_ms, answer = answered
        if isinstance(answer, Unavailable):
            self._unanswered.append((job, query))
        self.process.after(delay_ms, self._provide, job, query, answer)

    def _provide(self, job: Job, query: Query, answer: Answer) -> None:
        self._go_on(job, job.session.provide(query, answer))

    def _start_timer(self, job: Job, timer: StartTimer) -> None:
        due = expiry(job.session.role, timer.round, SLOT_MS)
        is_anchored = due.anchor is Anchor.SLOT_START
        from_ms = slot_start_ms(timer.height) if is_anchored else self.now_ms()
        if self._transcript is not None and timer.round > 1:
            self.note(f"enters round {timer.round}")
        self.at_local(from_ms + due.ms, self._expire_round, job, timer)

    def _expire_round(self, job: Job, timer: StartTimer) -> None:
        self._go_on(job, job.session.expire_round(timer.height, timer.round))

    def _reached(self, job: Job, reached: Reached) -> None:
        step = reached.step
        if step is _DECIDED:
            self._watch.decided(self.me, job.key, job.session.duty.decided_value)
            if self.is_noted:
                self.note(f"decides {job.session.role.name.lower()} {job.key.slot}")
        elif step is _DATA:
            self._watch.got_data(self.me, job.key)

    # --- messages ------------------------------------------------------------------------

    def speak(self, job: Job, envelope: Envelope, full_data: bytes) -> None:
        """Sign a message and publish it, to itself too."""
        if self._transcript is not None:
            self.note(tell_envelope(envelope))
        self.publish(job, self.signed(envelope, full_data))

    def signed(self, envelope: Envelope, full_data: bytes = b"") -> SignedMessage:
        """The message under the own signature."""
        signature = self.world.signatures.sign_message(self.me, encode_envelope(envelope))
        return SignedMessage((signature,), (self.me,), envelope, full_data)

    def publish(
        self, job: Job, signed: SignedMessage, receivers: tuple[OperatorId, ...] | None = None
    ) -> None:
        """Send to everybody, or to some."""
        if receivers is None or self.me in receivers:
            self.process.after(0, self._take, decode(signed, job))
        packet = Packet(encode_signed(signed), job.topic, self.me, signed.message)
        self.network.publish(packet, receivers)

    def _pass_on(self, job: Job, effect: SendSigned) -> None:
        receivers = None if effect.to is None else (effect.to,)
        if self._transcript is not None:
            whom = "everybody" if effect.to is None else f"op{effect.to}"
            self.note(f"tells {whom} the decision of {effect.signed.signers}")
        packet = Packet(encode_signed(effect.signed), job.topic, self.me, effect.signed.message)
        self.network.publish(packet, receivers)

    def _on_packet(self, packet: Packet, had_before: bool) -> None:
        at_ms = self._timeline.now_ms + self.clock_error_ms
        verdict = self.validator.validate(packet.data, packet.topic, at_ms=at_ms)
        match verdict:
            case Accept():
                self.hear(verdict.message)
                self._take(verdict.message)
            case Reject():
                if not had_before:
                    self._watch.rejected(self.me, packet, verdict)
                self._note_refusal("rejects", packet, verdict)
            case Ignore():
                self._note_refusal("ignores", packet, verdict)
            case _:
                assert_never(verdict)

    def hear(self, message: Message) -> None:
        """An accepted message of somebody else; honest operators do nothing more with it."""

    def _take(self, message: Message) -> None:
        for job, effects in self.desk.deliver(message):
            self._carry_out(job, effects)

    # --- the rest ------------------------------------------------------------------------

    @property
    def is_noted(self) -> bool:
        """Whether lines are written."""
        return self._transcript is not None

    def note(self, what: str) -> None:
        """Write a line, if lines are written."""
        if self._transcript is not None:
            self._transcript.note(f"op{self.me}", what)

    def _note_refusal(self, verb: str, packet: Packet, verdict: Ignore | Reject) -> None:
        if self._transcript is not None:
            told = tell_envelope(packet.envelope)
            self.note(
                f"{verb} op{packet.origin} '{told}': {verdict.rule.number} {verdict.rule.says}"
            )

    def _new_validator(self) -> Validator:
        return Validator(self.world.wire_chain, self._view, self.world.signatures.holds)

    def _new_desk(self) -> Desk:
        return Desk(self.me, self.world, self.signer)


CARRIED_OUT: Final[Mapping[type[Effect], Callable[[OperatorNode, Job, Any], None]]] = {
    Reached: OperatorNode._reached,
    Send: OperatorNode._send,
    SendSigned: OperatorNode._pass_on,
    Complain: OperatorNode._hear_complaint,
    StartTimer: OperatorNode._start_timer,
    Fetch: OperatorNode._ask,
    Sign: OperatorNode._begin_signing,
    Recover: OperatorNode._begin_recovery,
    Submit: OperatorNode._begin_submission,
    Finish: OperatorNode._finish,
}
"""What an operator does about each effect. A table, because a `case` that a Struct does not fit
costs four calls, and there are ten; a test compares it with `Effect`."""


def decode(signed: SignedMessage, job: Job) -> Message:
    """An own message as it comes back."""
    data = signed.message.data
    if signed.message.kind == _CONSENSUS:
        return Received(signed, decode_consensus(data))
    generation = job.generation
    return ReceivedPartials(signed, decode_partials(data, generation))
