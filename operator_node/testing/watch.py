"""Everything that honest operators were seen to do in one run, and what was wrong with it.

The watch tells each safety checker at the step itself, and keeps the few facts that the liveness
checker needs at the end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from operator_node.duties.reasons import Reason
from operator_node.duties.types import DutyOutcome, Submission
from operator_node.signer.rules import Guard
from operator_node.testing.checkers import (
    Agreement,
    Endings,
    Slashing,
    Validity,
    Violation,
)
from operator_node.testing.network import Packet
from operator_node.testing.world import DutyKey
from operator_node.validation.verdict import Reject
from operator_node.wire.ids import RunnerRole
from operator_node.wire.records import Share
from sdk.types import OperatorId

_LOTTERIES = frozenset({RunnerRole.AGGREGATOR_COMMITTEE})
_FINE = frozenset({Reason.DONE, Reason.NOTHING_SELECTED})


@dataclass(slots=True)
class Course:
    """One operator's way through one duty; times in milliseconds since genesis."""

    began_ms: int
    data_ms: int | None = None
    decided_ms: int | None = None
    outcome: DutyOutcome | None = None
    ended_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Rejection:
    """A message of an honest operator that an honest receiver blamed its sender for."""

    packet: Packet
    receiver: OperatorId
    verdict: Reject


def _blamed(rejection: Rejection) -> Violation:
    rule = rejection.verdict.rule
    return Violation(
        "conduct",
        f"operator {rejection.receiver} rejected what honest operator {rejection.packet.origin} "
        f"sent: {rule.number} {rule.says}: {rejection.verdict.why}",
        is_safety=False,
    )


class Watch:
    """The checkers of one run, and their findings.

    Attributes:
        violations: as they were found.
        courses: by operator and duty; a restart begins a new one.
        rejections: what honest operators should never be blamed for.
    """

    def __init__(
        self,
        *,
        now_ms: Callable[[], int],
        liars: frozenset[OperatorId],
        is_valid: Callable[[DutyKey, bytes], str],
        checks_consensus: bool,
    ) -> None:
        """A watch that has seen nothing.

        Args:
            now_ms: the virtual time.
            liars: operators whose doings are nobody's fault but theirs.
            is_valid: see `Validity`.
            checks_consensus: False beyond f, where only slashing safety is owed.
        """
        self._now_ms = now_ms
        self._liars = liars
        self._checks_consensus = checks_consensus
        self._agreement = Agreement()
        self._validity = Validity(is_valid)
        self._slashing = Slashing(liars)
        self._endings = Endings()
        self.violations: list[tuple[int, Violation]] = []
        self.courses: dict[tuple[OperatorId, DutyKey], Course] = {}
        self.rejections: list[Rejection] = []
        self.signed_guards = 0

    def began(self, operator: OperatorId, key: DutyKey) -> None:
        """A session began."""
        if operator not in self._liars:
            self.courses[operator, key] = Course(self._now_ms())
            self._note(self._endings.began(operator, key))

    def got_data(self, operator: OperatorId, key: DutyKey) -> None:
        """A session has a value to propose."""
        course = self.courses.get((operator, key))
        if course is not None and course.data_ms is None:
            course.data_ms = self._now_ms()

    def decided(self, operator: OperatorId, key: DutyKey, value: bytes) -> None:
        """A duty was told what was decided, and accepted it."""
        course = self.courses.get((operator, key))
        if course is None:
            return
        course.decided_ms = self._now_ms()
        if self._checks_consensus:
            self._note(self._agreement.decided(operator, key, value))
            self._note(self._validity.decided(operator, key, value))

    def signed(self, operator: OperatorId, share: Share, guard: Guard) -> None:
        """A partial signature that the slashing rules guard left the signer."""
        self.signed_guards += 1
        if operator in self._liars:
            return
        committee = {member.signer: member.share_key for member in share.committee}
        quorum = len(committee) - (len(committee) - 1) // 3
        self._note(self._slashing.signed(operator, share.validator_key, guard, committee, quorum))

    def submitted(self, operator: OperatorId, key: DutyKey, item: Submission) -> None:
        """A finished object went to the beacon node."""
        if operator not in self._liars:
            self._note(self._endings.submitted(operator, key, item))

    def ended(self, operator: OperatorId, key: DutyKey, outcome: DutyOutcome) -> None:
        """A session told its outcome."""
        course = self.courses.get((operator, key))
        if course is None:
            return
        # Who was not selected to aggregate has nothing to send.
        complete = set(outcome.submitted) >= set(outcome.due) or outcome.role in _LOTTERIES
        done = outcome.reason is Reason.DONE
        self._note(self._endings.ended(operator, key, done=done, complete=complete))
        course.outcome, course.ended_ms = outcome, self._now_ms()

    def rejected(self, receiver: OperatorId, packet: Packet, verdict: Reject) -> None:
        """A receiver blamed a sender."""
        if receiver not in self._liars and packet.origin not in self._liars:
            self.rejections.append(Rejection(packet, receiver, verdict))

    def forgotten(self, operator: OperatorId) -> None:
        """An operator restarted without its state."""
        self._endings.forgotten(operator)

    def close(self, excused: frozenset[OperatorId]) -> None:
        """The run is over; nobody is blamed for what `excused` operators sent.

        Excused is who forgot what it had said before, or sees another registry than others.
        """
        for violation in self._endings.unfinished():
            self._note(violation)
        for rejection in self.rejections:
            if rejection.packet.origin not in excused:
                self._note(_blamed(rejection))

    def report(self, violation: Violation) -> None:
        """Something that another checker found."""
        self._note(violation)

    def is_fine(self, operator: OperatorId, key: DutyKey) -> bool:
        """Whether the operator finished the duty as it should."""
        course = self.courses.get((operator, key))
        return course is not None and course.outcome is not None and course.outcome.reason in _FINE

    def _note(self, violation: Violation | None) -> None:
        if violation is not None:
            self.violations.append((self._now_ms(), violation))

    def duties_done(self) -> int:
        """Duties that at least one honest operator finished as it should."""
        return len({key for operator, key in self.courses if self.is_fine(operator, key)})
