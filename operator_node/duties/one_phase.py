"""Duties of one validator that need no agreement: every operator knows what is to be signed.

Pure. One phase of partial signatures over one root, and a submission. Registrations and exits are
such duties; what they sign is theirs to say.

Source: docs/protocol.md, "Validator registration" and "Voluntary exit".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from operator_node.duties.outcome import Course, Waiting
from operator_node.duties.phase import Phase
from operator_node.duties.types import (
    Answer,
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
    Withheld,
)
from operator_node.qbft.types import Verdict
from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.messages import PartialKind, ReceivedPartials
from operator_node.wire.records import Share
from sdk.types import Signature, Slot


@dataclass(frozen=True, slots=True)
class Statement:
    """What is signed and then submitted.

    Attributes:
        kind: of the messages that carry partial signatures over it.
        root: signing root.
        submission: the finished object, given the validator's signature.
    """

    kind: PartialKind
    root: bytes
    submission: Callable[[Signature], Submission]


class OnePhaseDuty(Duty):
    """One statement of one validator.

    A subclass names its role and the faults that answer messages of phases it does not have.

    Attributes:
        phase: the partial signatures.
    """

    no_consensus: Fault
    no_post_consensus: Fault

    def __init__(self, setting: Setting, share: Share, slot: Slot, statement: Statement) -> None:
        """A duty that has not begun.

        Args:
            setting: the committee's.
            share: of the validator.
            slot: the duty's, which messages name.
            statement: what is signed.
        """
        self.slot = slot
        self.finished = False
        self.decided_value = b""
        self._is_submitted = False
        self._has_errors = False
        self._statement = statement
        self.phase = Phase(setting, share, kind=statement.kind, slot=slot, roots=(statement.root,))
        self._course = Course(setting, role=self.role, slot=slot, due=(share.validator_index,))

    def begin(self) -> list[Command]:
        """Asks for the own partial signature."""
        return [Reached(Step.STARTED), self.phase.sign()]

    def signed(self, results: tuple[Signed | Withheld, ...]) -> list[Command]:
        """Publishes it; without it the others can still complete the duty here."""
        self._course.note_signed(results)
        commands = self.phase.publish(results)
        published = [Reached(Step.PRE_SIGNED), *commands] if commands else []
        return [*published, *self._end_if_done()]

    def receive(self, message: ReceivedPartials) -> list[Command]:
        """An operator's partial signature.

        Raises:
            ProtocolFault: not over this duty's root, or of a phase that the duty does not have.
        """
        if message.body.kind == PartialKind.POST_CONSENSUS:
            raise ProtocolFault(
                self.no_post_consensus, f"a {self.role.name.lower()} has no second phase"
            )
        return self.phase.receive(message)

    def recovered(self, results: tuple[Recovered, ...]) -> list[Command]:
        """Submits what is signed now."""
        self._course.note_recovered(results)
        was_complete = self.phase.is_complete
        commands = self.phase.recovered(results)
        if was_complete or not self.phase.is_complete:
            return commands
        signature = self.phase.signatures[self._statement.root]
        submit = Submit((self._statement.submission(signature),))
        return [*commands, Reached(Step.PRE_QUORUM), submit]

    def submitted(self, results: tuple[Submitted, ...]) -> list[Command]:
        """Ends the duty, well or not."""
        self._course.note_submitted(results)
        self._is_submitted = True
        self._has_errors = any(result.error for result in results)
        return self._end_if_done()

    def _end_if_done(self) -> list[Command]:
        if self.phase.is_signing or not self._is_submitted:
            return []
        self.finished = True
        if self._has_errors:
            return [self._course.expire(Waiting.SUBMISSION)]
        return [Reached(Step.SUBMITTED), self._course.finish()]

    def expire(self) -> list[Command]:
        """Ends the duty where it is."""
        self.finished = True
        phase = self.phase
        if phase.is_complete:
            waiting = Waiting.SUBMISSION
        elif phase.is_answered:
            waiting = Waiting.PRE_QUORUM
        else:
            waiting = Waiting.PRE_SIGNER
        return [self._course.expire(waiting, phase.signers)]

    def provide(self, query: Query, answer: Answer) -> list[Command]:
        """Nothing: the duty asks the beacon nodes for nothing."""
        return []

    def check_value(self, value: bytes, *, round_number: int) -> Verdict:
        """Never returns.

        Raises:
            ProtocolFault: `no_consensus`.
        """
        raise ProtocolFault(self.no_consensus, f"a {self.role.name.lower()} has no consensus")

    def decide(self, value: bytes) -> list[Command]:
        """Never returns.

        Raises:
            ProtocolFault: `no_consensus`.
        """
        raise ProtocolFault(self.no_consensus, f"a {self.role.name.lower()} has no consensus")
