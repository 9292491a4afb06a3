"""What became of a duty, kept while it runs and told once at its end.

Pure. Every duty ends in exactly one `DutyOutcome` whose reason is from the closed list. A duty that
is still waiting when its time is over names what it waits for; this module knows which reason that
is, given what was noted on the way. A duty that waits for consensus says `NO_PROPOSAL` unless it
knows better, and its session, which sees consensus, says what was lacking there.

Source: docs/failure-reasons.md.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import Enum, auto

from operator_node.duties.reasons import Reason
from operator_node.duties.types import (
    DutyOutcome,
    Finish,
    Recovered,
    Setting,
    Signed,
    Submitted,
    Unavailable,
    Withheld,
)
from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.ids import COMMITTEE_ROLES, RunnerRole
from sdk.types import OperatorId, Slot


class Waiting(Enum):
    """What a duty waits for."""

    PRE_SIGNER = auto()
    """The own signatures before consensus."""
    PRE_QUORUM = auto()
    DATA = auto()
    """A beacon node's answer, without which consensus cannot begin."""
    CONSENSUS = auto()
    POST_SIGNER = auto()
    """The own signatures over what was decided."""
    POST_QUORUM = auto()
    SUBMISSION = auto()


class Course:
    """Facts noted while a duty runs, and the outcome made of them."""

    def __init__(
        self, setting: Setting, *, role: RunnerRole, slot: Slot, due: Iterable[int]
    ) -> None:
        """Begins with nothing noted.

        Args:
            setting: names the committee in the duty's id.
            role: the duty's.
            slot: the duty's.
            due: indexes of the validators that the duty is for, at least one.
        """
        self._due = tuple(dict.fromkeys(due))
        self._committee = setting.committee
        self._role = role
        self._slot = slot
        self._id = duty_id(setting, role=role, slot=slot, validator_index=self._due[0])
        self._unavailable: Unavailable | None = None
        self._withheld: dict[int, Withheld] = {}
        self._culprits: set[OperatorId] = set()
        self._refusal: ProtocolFault | None = None
        self._submitted: dict[int, None] = {}
        self._errors: dict[int, str] = {}

    def note_unavailable(self, answer: Unavailable) -> None:
        """No beacon node gave data."""
        self._unavailable = answer

    def note_available(self) -> None:
        """A beacon node gave data after all."""
        self._unavailable = None

    def note_signed(self, results: Iterable[Signed | Withheld]) -> None:
        """Remembers what was withheld."""
        for result in results:
            if isinstance(result, Withheld):
                self._withheld[result.item.share.validator_index] = result

    def note_recovered(self, results: Iterable[Recovered]) -> None:
        """Remembers whose partial signatures did not verify."""
        for result in results:
            self._culprits |= result.culprits

    def note_refusal(self, refusal: ProtocolFault) -> None:
        """The decided value was refused."""
        self._refusal = refusal

    def note_submitted(self, results: Iterable[Submitted]) -> None:
        """Remembers whose object was taken, and why others were not."""
        for result in results:
            index = result.item.validator_index
            if result.error:
                self._errors[index] = result.error
            else:
                self._submitted[index] = None

    def finish(self, reason: Reason = Reason.DONE, **detail: object) -> Finish:
        """The end, for a reason that is known."""
        return Finish(
            DutyOutcome(
                id=self._id,
                role=self._role,
                slot=self._slot,
                reason=reason,
                detail=detail,
                submitted=tuple(self._submitted),
                due=self._due,
            )
        )

    def finish_submitted(self) -> Finish:
        """The end of a duty whose last object was answered for, by taking or refusing it."""
        return self._without_submission() if self._errors else self.finish()

    def expire(
        self,
        waiting: Waiting,
        present: Collection[OperatorId] = (),
        unfinished: Iterable[int] | None = None,
    ) -> Finish:
        """The end of a duty whose time is over.

        Args:
            waiting: what has not come.
            present: operators whose partial signatures of this phase came, for the quorums.
            unfinished: validators with something left to submit; if not given, those of which
                nothing was.
        """
        left = [index for index in self._due if index not in self._submitted]
        left = left if unfinished is None else list(unfinished)
        missing = tuple(each for each in self._committee.operators if each not in present)
        if self._refusal is not None:
            return self.finish(reason_of_fault(self._refusal.fault), why=self._refusal.message)
        match waiting:
            case Waiting.PRE_SIGNER | Waiting.POST_SIGNER:
                return self.finish(Reason.SIGNER_DOWN)
            case Waiting.DATA | Waiting.CONSENSUS:
                return self._without_decision(waiting)
            case Waiting.PRE_QUORUM:
                return self._without_quorum(Reason.PRE_QUORUM_MISSING, missing, left)
            case Waiting.POST_QUORUM:
                return self._without_quorum(Reason.POST_QUORUM_MISSING, missing, left)
            case Waiting.SUBMISSION:
                return self._without_submission()

    def _without_decision(self, waiting: Waiting) -> Finish:
        if self._unavailable is not None:
            return self.finish(self._unavailable.reason, why=self._unavailable.detail)
        if waiting is Waiting.CONSENSUS:
            return self.finish(Reason.NO_PROPOSAL)
        is_block = self._role is RunnerRole.PROPOSER
        return self.finish(Reason.BLOCK_FETCH_LATE if is_block else Reason.BN_LATE)

    def _without_quorum(
        self, reason: Reason, missing: tuple[OperatorId, ...], unfinished: list[int]
    ) -> Finish:
        if not unfinished:
            return self.finish()
        if self._errors.keys() >= set(unfinished):
            return self._without_submission()
        if self._withheld.keys() >= set(unfinished):
            withheld = self._withheld[unfinished[0]]
            return self.finish(withheld.reason, why=withheld.detail, validators=tuple(unfinished))
        if self._culprits:
            return self.finish(Reason.BAD_PARTIAL, operators=tuple(sorted(self._culprits)))
        return self.finish(reason, operators=missing)

    def _without_submission(self) -> Finish:
        if self._errors:
            return self.finish(Reason.BN_ERROR_SUBMIT, why=next(iter(self._errors.values())))
        return self.finish(Reason.BN_LATE)


def duty_id(setting: Setting, *, role: RunnerRole, slot: Slot, validator_index: int) -> str:
    """The duty's name in logs and API, as existing nodes write it (DUT-3).

    `COMMITTEE-1_2_3_4-e5-s160` for committee roles, `PROPOSER-e5-s160-v17` for the others.
    """
    epoch = setting.chain.epoch_of(slot)
    if role in COMMITTEE_ROLES:
        members = "_".join(map(str, setting.committee.operators))
        return f"{role.name}-{members}-e{epoch}-s{slot}"
    return f"{role.name}-e{epoch}-s{slot}-v{validator_index}"


def reason_of_fault(fault: Fault) -> Reason:
    """Why a duty failed whose value was refused for this fault."""
    match fault:
        case Fault.SLASHABLE_ATTESTATION | Fault.SLASHABLE_BLOCK:
            return Reason.SLASHING_REFUSED
        case Fault.CHECKPOINT_MISMATCH:
            return Reason.FORK_HOLD
        case Fault.FEE_RECIPIENT_REFUSED:
            return Reason.FEE_RECIPIENT_REFUSED
        case _:
            return Reason.PROPOSAL_INVALID
