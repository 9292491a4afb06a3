"""Duties of one validator with consensus between two phases of partial signatures.

Pure. The first phase signs what is known in advance; its recovered signatures open consensus and
are what beacon nodes are asked with. Consensus decides what the second phase signs, whose recovered
signatures complete the objects to submit. Proposals are such duties, and in Alan aggregates and
contributions; what they sign, ask for and accept is theirs to say.

Source: docs/protocol.md, "Duties".
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from operator_node.duties.outcome import Course, Waiting
from operator_node.duties.phase import Phase
from operator_node.duties.reasons import Reason
from operator_node.duties.types import (
    Answer,
    BeaconObject,
    Command,
    Duty,
    Query,
    Reached,
    Recovered,
    Setting,
    Signed,
    Step,
    Submission,
    Submit,
    Submitted,
    Unavailable,
    Withheld,
)
from operator_node.duties.value_checks import Expected
from operator_node.qbft.types import Verdict
from operator_node.signer.rules import Guard
from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.ids import BeaconRole
from operator_node.wire.messages import PartialKind, ReceivedPartials
from operator_node.wire.records import Share
from operator_node.wire.values import ValidatorDuty
from sdk.types import Signature, Slot

SignedObject = Callable[[Signature], Submission]
"""The finished object, given the validator's signature."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """What a value makes the validator sign, once it is decided.

    Attributes:
        slot: of the duty inside the value, which the second phase's messages name.
        objects: what each signing root is for; in the order in which they are signed.
        guard: of the one root, where the slashing rules apply.
        roots: signing roots, in the same order; one may repeat.
        facts: what the outcome tells of the value once all is done.
    """

    slot: Slot
    objects: Mapping[bytes, SignedObject]
    roots: tuple[bytes, ...]
    guard: Guard | None = None
    facts: Mapping[str, object] = field(default_factory=dict)


class TwoPhaseDuty(Duty):
    """Such a duty. A subclass names its roles; it says `_first_phase_done`, `_take`, `_judge`.

    Attributes:
        first: the partial signatures before consensus.
        second: those after it; None before a decision.
    """

    beacon_role: BeaconRole
    first_kind: PartialKind

    def __init__(
        self,
        setting: Setting,
        duty: ValidatorDuty,
        share: Share,
        *,
        roots: Iterable[bytes],
        now: Slot | None,
    ) -> None:
        """A duty that has not begun.

        Args:
            setting: the committee's.
            duty: names slot and validator.
            share: of the validator.
            roots: signing roots of the first phase.
            now: the current slot when the duty is made, its own unless told otherwise.
        """
        self.slot = duty.slot
        self.finished = False
        self.decided_value = b""
        self._setting = setting
        self._duty = duty
        self._share = share
        self._expected = Expected(
            role=self.beacon_role,
            public_key=share.validator_key,
            validator_index=share.validator_index,
            now=duty.slot if now is None else now,
        )
        self.first = Phase(setting, share, kind=self.first_kind, slot=duty.slot, roots=roots)
        self.second: Phase | None = None
        self._objects: Mapping[bytes, SignedObject] = {}
        self._facts: Mapping[str, object] = {}
        self._has_value = False
        self._has_seen_value = False
        self._unanswered = 0
        self._has_errors = False
        self._course = Course(setting, role=self.role, slot=duty.slot, due=(share.validator_index,))

    # --- what a subclass says --------------------------------------------------------------

    @abstractmethod
    def _first_phase_done(self) -> list[Command]:
        """All signatures of the first phase are in `first.signatures`: open consensus, or end."""

    @abstractmethod
    def _take(self, query: Query, answer: BeaconObject) -> list[Command]:
        """A beacon node's object, before anything is decided."""

    @abstractmethod
    def _judge(self, value: bytes, round_number: int | None) -> Agreement:
        """What a value leads to; raises `ProtocolFault` if this node would not sign it.

        `round_number` is None for a decided value.
        """

    # --- before consensus ------------------------------------------------------------------

    def begin(self) -> list[Command]:
        """Asks for the own partial signatures of the first phase."""
        return [Reached(Step.STARTED), self.first.sign()]

    def signed(self, results: tuple[Signed | Withheld, ...]) -> list[Command]:
        """Publishes what was signed; what was withheld stops nobody else."""
        self._course.note_signed(results)
        of_first = [result for result in results if result.item.root in self.first.roots]
        of_second = [result for result in results if result.item.root not in self.first.roots]
        commands: list[Command] = []
        if of_first and (published := self.first.publish(of_first)):
            commands += [Reached(Step.PRE_SIGNED), *published]
        if of_second and self.second is not None and (published := self.second.publish(of_second)):
            commands += [Reached(Step.SIGNED), *published]
        return commands + self._end_if_done()

    def receive(self, message: ReceivedPartials) -> list[Command]:
        """An operator's partial signatures of either phase.

        Raises:
            ProtocolFault: not over exactly the roots of that phase, or too early for it.
        """
        if message.body.kind != PartialKind.POST_CONSENSUS:
            return self.first.receive(message)
        if self.second is None:
            raise ProtocolFault(
                Fault.NO_DECIDED_VALUE, f"slot {self.slot}: nothing was decided yet"
            )
        return self.second.receive(message)

    def recovered(self, results: tuple[Recovered, ...]) -> list[Command]:
        """Opens consensus when the first phase is complete; submits what the second completes."""
        commands: list[Command] = []
        second = self.second
        of_first = [each for each in results if self.first.partials.awaits(each)]
        of_second = [each for each in results if second and second.partials.awaits(each)]
        self._course.note_recovered([*of_first, *of_second])
        if of_first:
            commands += self._recovered_first(of_first)
        if of_second and second is not None:
            commands += self._recovered_second(second, of_second)
        return commands

    def provide(self, query: Query, answer: Answer) -> list[Command]:
        """Own data. Without it this node still follows a leader that has some."""
        if self.decided_value:
            return []
        match answer:
            case BeaconObject():
                self._course.note_available()
                self._has_value = True
                return self._take(query, answer)
            case Unavailable():
                self._course.note_unavailable(answer)
                return self._miss(query)
            case _:
                return []  # a vote answers another duty's question

    def _miss(self, query: Query) -> list[Command]:
        """No beacon node gave the object."""
        return []

    def _recovered_first(self, results: list[Recovered]) -> list[Command]:
        was_complete = self.first.is_complete
        commands = self.first.recovered(results)
        if was_complete or not self.first.is_complete:
            return commands
        commands.append(Reached(Step.PRE_QUORUM))
        return commands if self.decided_value else commands + self._first_phase_done()

    # --- consensus -------------------------------------------------------------------------

    def check_value(self, value: bytes, *, round_number: int) -> Verdict:
        """Whether this node would sign what the value leads to.

        Raises:
            ProtocolFault: the first rule that the value breaks.
        """
        self._has_seen_value = True
        self._judge(value, round_number)
        return Verdict.VALID

    def decide(self, value: bytes) -> list[Command]:
        """Checks the decided value again and signs what it asks for.

        Raises:
            ProtocolFault: the value check's; nothing is signed then.
        """
        try:
            agreement = self._judge(value, None)
        except ProtocolFault as refusal:
            self._course.note_refusal(refusal)
            raise
        self.decided_value = value
        self._objects, self._facts = agreement.objects, agreement.facts
        self.second = Phase(
            self._setting,
            self._share,
            kind=PartialKind.POST_CONSENSUS,
            slot=agreement.slot,
            roots=agreement.roots,
            guard=agreement.guard,
        )
        self._unanswered = len(agreement.objects)
        if not agreement.objects:
            self.finished = True
            why = "the decided value holds nothing to sign"
            return [Reached(Step.DECIDED), self._course.finish(Reason.PROPOSAL_INVALID, why=why)]
        return [Reached(Step.DECIDED), self.second.sign()]

    # --- after consensus -------------------------------------------------------------------

    def _recovered_second(self, second: Phase, results: list[Recovered]) -> list[Command]:
        commands = second.recovered(results)
        submissions = tuple(
            self._objects[result.request.root](result.signature)
            for result in results
            if result.signature is not None
        )
        if second.is_complete:
            commands.append(Reached(Step.POST_QUORUM))
        return [*commands, Submit(submissions)] if submissions else commands

    def submitted(self, results: tuple[Submitted, ...]) -> list[Command]:
        """Ends the duty when the last object was answered for."""
        self._course.note_submitted(results)
        self._unanswered -= len(results)
        self._has_errors |= any(result.error for result in results)
        return self._end_if_done()

    def _end_if_done(self) -> list[Command]:
        if self.second is None or self._unanswered > 0:
            return []
        if self.first.is_signing or self.second.is_signing:
            return []
        self.finished = True
        if self._has_errors:
            return [self._course.expire(Waiting.SUBMISSION)]
        return [Reached(Step.SUBMITTED), self._course.finish(Reason.DONE, **self._facts)]

    def expire(self) -> list[Command]:
        """Ends the duty where it is."""
        self.finished = True
        phase = self.second or self.first
        return [self._course.expire(self._waiting(), phase.signers)]

    def _waiting(self) -> Waiting:
        if self.second is not None:
            if self.second.is_complete:
                return Waiting.SUBMISSION
            return Waiting.POST_QUORUM if self.second.is_answered else Waiting.POST_SIGNER
        if not self.first.is_complete:
            return Waiting.PRE_QUORUM if self.first.is_answered else Waiting.PRE_SIGNER
        # With nothing of its own and nothing of others, what a node lacks first is its own.
        lacks_data = not self._has_value and not self._has_seen_value
        return Waiting.DATA if lacks_data else Waiting.CONSENSUS
