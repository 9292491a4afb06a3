"""One duty alive: its steps, and the consensus that decides its value.

Pure. A session turns what a duty asks for into effects, feeds consensus what the duty proposes, and
the duty what consensus decides. It never waits and never retries: a message that came too early is
refused with the protocol's fault, and `operator_node.session.early` keeps it for later.

Source: docs/protocol.md, "Duties".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final, NamedTuple, TypeVarTuple, Unpack, assert_never, cast

from msgspec import Struct

from operator_node.duties.reasons import Reason
from operator_node.duties.types import (
    Answer,
    CheckpointView,
    Command,
    Duty,
    Fetch,
    Finish,
    Open,
    Propose,
    Publish,
    Query,
    Reached,
    Recover,
    Recovered,
    Review,
    Sign,
    Signed,
    Submit,
    Submitted,
    Withheld,
)
from operator_node.qbft.types import Broadcast, Decide, Output, Spread, StartTimer
from operator_node.session.answers import usable_answer, usable_result
from operator_node.session.consensus import Consensus
from operator_node.session.diagnosis import diagnose
from operator_node.session.types import Effect, Send, SendSigned
from operator_node.wire.codec import encode_consensus, encode_partials
from operator_node.wire.faults import Complain, Fault, ProtocolFault
from operator_node.wire.ids import MessageId, RunnerRole
from operator_node.wire.messages import (
    ConsensusKind,
    Envelope,
    EnvelopeKind,
    PartialKind,
    Received,
    ReceivedPartials,
)
from sdk.types import Slot

_Arguments = TypeVarTuple("_Arguments")

_FOR_THE_DRIVER: Final[frozenset[type]] = frozenset(
    {Reached, Fetch, Sign, Recover, Submit, Complain}
)
"""Commands that pass through as they are: most of them. Looked up by type, because a `case` that a
Struct does not fit costs as much as four calls."""
_ROUND_CHANGE: Final = int(ConsensusKind.ROUND_CHANGE)
_POST_CONSENSUS: Final = int(PartialKind.POST_CONSENSUS)

_PROVEN_FAULTS: Final = frozenset(
    {
        Fault.MALFORMED,
        Fault.MESSAGE_TYPE,
        Fault.INCONSISTENT_SIGNERS,
        Fault.NO_PARTIAL_SIGNATURES,
        Fault.SIGNER_NOT_SENDER,
        Fault.SIGNER_ZERO,
        Fault.REGISTRATION_HAS_NO_POST_CONSENSUS,
        Fault.EXIT_HAS_NO_POST_CONSENSUS,
    }
)
"""Faults of partial signatures that follow from what the sender signed. Not among them: anything
that depends on when a message arrives, which a third party can delay or repeat, or on this node's
view of chain and registry, which may lag: slots, validators, roots, a phase not reached here."""


class Session:
    """A duty from its begin to its `Finish`, which is returned exactly once.

    Every method returns effects to be carried out in order. None raises for what a peer, a beacon
    node or the signer did: refusals are `Complain`.

    After its end a session still answers late operators' round changes with the decided message.

    Attributes:
        duty: what is done.
        id: the message id that the session speaks under.
        consensus: None for duties that agree on nothing.
        slot: the duty's.
        role: the duty's.
        has_begun: whether `begin` started the duty.
        is_running: whether the duty has begun and its outcome is not known yet.
    """

    def __init__(self, duty: Duty, message_id: MessageId, consensus: Consensus | None) -> None:
        self.duty = duty
        self.id = message_id
        self.consensus = consensus
        self.slot: Slot = duty.slot
        self.role: RunnerRole = duty.role
        self.has_begun = False
        self.is_running = False
        self._over = False

    def begin(self) -> list[Effect]:
        """Starts the duty. To be called once; where consensus has passed the slot, it ends it."""
        if self.consensus is not None:
            try:
                self.consensus.check_not_passed(self.slot)
            except ProtocolFault as refusal:
                return [Complain(refusal.fault, refusal.message), *self._refuse(refusal)]
            self.consensus.serve(self.duty)
        self.has_begun = self.is_running = True
        return self._continue(self.duty.begin)

    def _refuse(self, refusal: ProtocolFault) -> list[Effect]:
        """Ends a duty that cannot begin."""
        self._over = True
        return [
            Finish(replace(each.outcome, reason=Reason.LATE_START, detail={"why": refusal.message}))
            for each in self.duty.expire()
            if isinstance(each, Finish)
        ]

    def provide(self, query: Query, answer: Answer) -> list[Effect]:
        """What the beacon nodes answered to a `Fetch`, or that they did not.

        An answer that no value could be made of counts as none.
        """
        return self._continue(self.duty.provide, query, usable_answer(answer))

    def signed(self, results: tuple[Signed | Withheld, ...]) -> list[Effect]:
        """The signer's answer to a `Sign`, one result per item; other bytes count as withheld."""
        return self._continue(self.duty.signed, tuple(map(usable_result, results)))

    def recovered(self, results: tuple[Recovered, ...]) -> list[Effect]:
        """The answer to a `Recover`; requests of several `Recover` may be answered together."""
        return self._continue(self.duty.recovered, results)

    def submitted(self, results: tuple[Submitted, ...]) -> list[Effect]:
        """The beacon nodes' answer to a `Submit`, one result per item."""
        return self._continue(self.duty.submitted, results)

    def update_view(self, view: CheckpointView | None) -> list[Effect]:
        """The checkpoints that this node vouches for have changed."""
        return self._continue(self.duty.update_view, view)

    def receive(self, message: Received | ReceivedPartials) -> list[Effect]:
        """A message of this session's id and slot that passed the entrance."""
        if isinstance(message, Received):
            return self._receive_consensus(message)
        return self._receive_partials(message)

    def expire_round(self, height: int, round_number: int) -> list[Effect]:
        """The timer of a round ended."""
        if self.consensus is None or self._over:
            return []
        return self._follow(self.consensus.expire(height, round_number))

    def expire(self) -> list[Effect]:
        """The duty's time is over: its outcome says where it stopped and why.

        An instance that has not decided takes no further part.
        """
        effects = self._continue(self.duty.expire)
        if self.consensus is not None and not self.consensus.is_decided(self.slot):
            self.consensus.heights.stop(self.slot)
        return effects

    def _receive_consensus(self, message: Received) -> list[Effect]:
        consensus = self.consensus
        if consensus is None:
            return self._continue(self._refuse_consensus)
        if not self.is_running or not consensus.heights.is_decided(self.slot):
            outputs = consensus.receive(message)
            return self._follow(outputs) if outputs else []
        # Consensus is over: only a late operator's round change still gets an answer.
        is_late = message.body.kind == _ROUND_CHANGE
        effects: list[Effect] = [
            SendSigned(output.signed, output.to)
            for output in (consensus.receive(message) if is_late else ())
            if isinstance(output, Spread)
        ]
        text = f"slot {self.slot}: the committee has decided"
        return [*effects, Complain(Fault.CONSENSUS_FINISHED, text)]

    def _refuse_consensus(self) -> list[Command]:
        """A duty that agrees on nothing names its own fault when asked about a value."""
        self.duty.check_value(b"", round_number=1)
        return []

    def _receive_partials(self, message: ReceivedPartials) -> list[Effect]:
        sender = message.signed.signers[0]
        try:
            self._check_phase(message)
            commands = self.duty.receive(message)
        except ProtocolFault as refusal:
            blame = sender if refusal.fault in _PROVEN_FAULTS else None
            return [Complain(refusal.fault, refusal.message, blame=blame)]
        return self._carry_out(commands) if commands else []

    def _check_phase(self, message: ReceivedPartials) -> None:
        is_second = message.body.kind == _POST_CONSENSUS
        if self.consensus is None and is_second:
            return  # the duty has a fault of its own for this, running or over
        if not self.is_running:
            raise ProtocolFault(Fault.NO_RUNNING_DUTY, f"slot {self.slot}: no duty is running")
        consensus = self.consensus
        if consensus is None or not is_second:
            return
        if not self.duty.decided_value:
            raise ProtocolFault(Fault.NO_DECIDED_VALUE, f"slot {self.slot}: nothing decided yet")
        if not consensus.is_open(self.slot):
            raise ProtocolFault(Fault.NO_RUNNING_INSTANCE, f"slot {self.slot}: no consensus opened")
        if not consensus.is_decided(self.slot):
            raise ProtocolFault(Fault.NOT_DECIDED, f"slot {self.slot}: consensus has not decided")

    def _continue(
        self, step: Callable[[Unpack[_Arguments]], list[Command]], *arguments: *_Arguments
    ) -> list[Effect]:
        """Takes a step of the duty, unless it is over."""
        if not self.is_running:
            return []
        try:
            commands = step(*arguments)
        except ProtocolFault as refusal:
            return [Complain(refusal.fault, refusal.message)]
        return self._carry_out(commands)

    def _carry_out(self, commands: Iterable[Command]) -> list[Effect]:
        effects: list[Effect] = []
        for command in commands:
            if type(command) in _FOR_THE_DRIVER:
                effects.append(cast("Effect", command))
                continue
            match command:
                case Propose():
                    effects += self._open(command.value)
                case Publish():
                    data = encode_partials(command.body)
                    effects.append(Send(Envelope(EnvelopeKind.PARTIAL_SIGNATURES, self.id, data)))
                case Finish():
                    self._over, self.is_running = True, False
                    effects.append(self._explained(command))
                case Open():
                    effects += self._open(None)
                case Review():
                    effects += self._review()
                case _:
                    effects.append(command)
        return effects

    def _open(self, value: bytes | None) -> list[Effect]:
        """Opens the instance of the duty's slot, or gives the open one a value."""
        if self.consensus is None:
            return []
        if not self.consensus.is_open(self.slot):
            return self._follow(self.consensus.start(self.slot, value))
        if value is None:
            return []
        return self._follow(self.consensus.supply(self.slot, value))

    def _review(self) -> list[Effect]:
        if self.consensus is None or not self.consensus.is_open(self.slot):
            return []
        return self._follow(self.consensus.review(self.slot))

    def _follow(self, outputs: Iterable[Output]) -> list[Effect]:
        effects: list[Effect] = []
        for output in outputs:
            match output:
                case Broadcast():
                    data = encode_consensus(output.body)
                    envelope = Envelope(EnvelopeKind.CONSENSUS, self.id, data)
                    effects.append(Send(envelope, output.full_data))
                case Complain():
                    effects.append(output)
                case StartTimer():
                    effects.append(output)
                    effects += self._enter_round(output)
                case Decide():
                    effects += self._decide(output)
                case Spread():
                    effects.append(SendSigned(output.signed, output.to))
                case _:
                    assert_never(output)
        return effects

    def _enter_round(self, timer: StartTimer) -> list[Effect]:
        if timer.height != self.slot:
            return []
        return self._continue(self.duty.enter_round, timer.round)

    def _decide(self, decision: Decide) -> list[Effect]:
        if not self.is_running:
            return []
        if decision.height != self.slot:
            text = f"slot {decision.height} was decided, the duty is of slot {self.slot}"
            return [Complain(Fault.DECIDED_OTHER_HEIGHT, text)]
        return self._continue(self.duty.decide, decision.value)

    def _explained(self, finish: Finish) -> Finish:
        """Says what consensus lacked, when the duty only knows that it waited for consensus."""
        if finish.outcome.reason is not Reason.NO_PROPOSAL or self.consensus is None:
            return finish
        stuck = diagnose(self.consensus, self.slot)
        return Finish(replace(finish.outcome, reason=stuck.reason, detail=stuck.detail))


class Delivery(Struct, frozen=True):
    """What a message led to. `session` took it, None if there was none to take it."""

    session: Session | None
    effects: list[Effect]


class Prepared(NamedTuple):
    """A session that is ready to begin.

    `dropped` are the outcomes of sessions that had to make room.
    """

    session: Session
    dropped: list[Effect]


def slot_of(message: Received | ReceivedPartials) -> int:
    """The slot of the duty that a message belongs to."""
    return message.body.height if isinstance(message, Received) else message.body.slot
