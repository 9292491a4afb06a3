"""The committee's vote of one slot: attestations and sync committee messages, decided together.

Pure. One consensus over a `BeaconVote` serves all validators of the committee. This node answers a
leader before its own attestation data has come, because it knows the checkpoints before the head
(DUT-6), and without any beacon node it still follows others (DUT-9).

Source: docs/protocol.md, "Duties" (committee) and "Value checks"; docs/slashing.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from operator_node.duties.committee_phase import CommitteePhase
from operator_node.duties.outcome import Course, Waiting
from operator_node.duties.partials import Pair
from operator_node.duties.types import (
    Answer,
    AttestationDataQuery,
    CheckpointView,
    Command,
    CommitteeDuty,
    Duty,
    Fetch,
    Open,
    Propose,
    Query,
    Reached,
    Recovered,
    Review,
    Setting,
    Signed,
    SignItem,
    Step,
    SubmissionKind,
    Submit,
    Submitted,
    Unavailable,
    Withheld,
)
from operator_node.duties.votes import Vote, submission_of, votes_of
from operator_node.qbft.types import Verdict
from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.ids import RunnerRole
from operator_node.wire.messages import PartialKind, ReceivedPartials
from operator_node.wire.records import Share
from operator_node.wire.value_codec import decode_beacon_vote, encode_beacon_vote
from operator_node.wire.values import BeaconVote
from sdk.types import Slot

TARGET_ROOT_FROM_SLOT: Final = 2
"""Slot of an epoch from which a target root must be the own one where roots are compared (FRK-1):
in the first two a late block makes honest nodes differ."""
HELPS_EPOCHS: Final = 1
"""After the epoch of the last checkpoints that own beacon nodes told, a node without them helps the
others for so long (DUT-9): what it knows of the chain only gets older."""


class VoteDuty(Duty):
    """One slot's votes of one committee.

    Attributes:
        phase: the signatures over what was decided.
    """

    role = RunnerRole.COMMITTEE

    def __init__(
        self,
        setting: Setting,
        duty: CommitteeDuty,
        shares: Mapping[int, Share],
        *,
        view: CheckpointView | None = None,
    ) -> None:
        """A duty that has not begun.

        Args:
            setting: the committee's.
            duty: attester and sync committee duties of one slot, at least one; each validator has a
                share in `shares`.
            shares: by validator index.
            view: the checkpoints that this node vouches for, None while it knows none. Until some
                are given, those of the own attestation data serve.
        """
        self.slot: Slot = duty.slot
        self.finished = False
        self.decided_value = b""
        self._setting = setting
        self._duties = duty.duties
        self._shares = shares
        self._given_view = view
        self._own_view: CheckpointView | None = None
        self._due: dict[Pair, Vote] = {}
        self._latest: tuple[BeaconVote | None, list[Vote]] = (None, [])
        self._answered: set[tuple[SubmissionKind, int]] = set()
        self.phase = CommitteePhase(
            setting,
            shares,
            kind=PartialKind.POST_CONSENSUS,
            slot=duty.slot,
            fault=Fault.RECONSTRUCTION_FAILED,
        )
        self._course = Course(
            setting,
            role=self.role,
            slot=duty.slot,
            due=(each.validator_index for each in duty.duties),
        )

    def begin(self) -> list[Command]:
        """Opens consensus at once, and asks for the data to propose."""
        return [Reached(Step.STARTED), Open(), Fetch(AttestationDataQuery(self.slot))]

    def enter_round(self, round_number: int) -> list[Command]:
        """A later round proposes what the chain looks like then."""
        if round_number == 1 or self.decided_value:
            return []
        return [Fetch(AttestationDataQuery(self.slot))]

    def provide(self, query: Query, answer: Answer) -> list[Command]:
        """Own attestation data: the value to propose, and a view of the chain if there was none."""
        if self.decided_value:
            return []
        match answer:
            case BeaconVote():
                self._course.note_available()
                had_view = self._view is not None
                self._own_view = CheckpointView(answer.source, answer.target)
                review: list[Command] = [] if had_view else [Review()]
                return [Reached(Step.DATA), *review, Propose(encode_beacon_vote(answer))]
            case Unavailable():
                self._course.note_unavailable(answer)
        return []

    def update_view(self, view: CheckpointView | None) -> list[Command]:
        """Judges by these checkpoints from now on."""
        self._given_view = view
        return [] if self.decided_value else [Review()]

    # --- value checks --------------------------------------------------------------------

    def check_value(self, value: bytes, *, round_number: int) -> Verdict:
        """Whether this node would sign votes over this value.

        The protocol's rule gives the slashing check an index of 2**64 - 1, so that two committee
        indexes of one vote are no double vote. Our guards know no index, only the epochs and the
        root that would be signed.

        Raises:
            ProtocolFault: malformed; source not below target; not the checkpoints that this node
                knows; slashable for one of the validators. In this order.
        """
        vote = _decode(value)
        if vote.source.epoch >= vote.target.epoch:
            raise ProtocolFault(
                Fault.SOURCE_NOT_BELOW_TARGET,
                f"source epoch {vote.source.epoch}, target epoch {vote.target.epoch}",
            )
        verdict = self._compare(vote)
        for each in self._votes(vote):
            share = self._shares[each.duty.validator_index]
            guard = each.ballot.guard
            if guard is not None and self._setting.is_slashable(share, guard):
                raise ProtocolFault(
                    Fault.SLASHABLE_ATTESTATION,
                    f"validator {share.validator_index}: {_checkpoints(vote)} would be slashable",
                )
        return verdict

    @property
    def _view(self) -> CheckpointView | None:
        return self._given_view or self._own_view

    def _compare(self, vote: BeaconVote) -> Verdict:
        view = self._view
        chain = self._setting.chain
        if view is None or view.is_stale:
            self._require(vote.target.epoch == chain.epoch_of(self.slot), vote)
            if view is not None:
                self._require(vote.source == view.source, vote)
                self._require(vote.target.epoch <= view.target.epoch + HELPS_EPOCHS, vote)
            return Verdict.UNVOUCHED
        epochs = (vote.source.epoch, vote.target.epoch)
        self._require(epochs == (view.source.epoch, view.target.epoch), vote)
        if view.compare_roots:
            is_settled = self.slot % chain.slots_per_epoch >= TARGET_ROOT_FROM_SLOT
            self._require(vote.source.root == view.source.root, vote)
            self._require(not is_settled or vote.target.root == view.target.root, vote)
        return Verdict.VALID

    def _require(self, holds: bool, vote: BeaconVote) -> None:
        if not holds:
            raise ProtocolFault(
                Fault.CHECKPOINT_MISMATCH,
                f"slot {self.slot}: {_checkpoints(vote)}, own view {_checkpoints(self._view)}",
            )

    # --- after consensus -----------------------------------------------------------------

    def decide(self, value: bytes) -> list[Command]:
        """Checks the decided value again and signs what it asks for.

        Raises:
            ProtocolFault: the value check's; nothing is signed then.
        """
        try:
            self.check_value(value, round_number=1)
        except ProtocolFault as refusal:
            self._course.note_refusal(refusal)
            raise
        self.decided_value = value
        votes = self._votes(decode_beacon_vote(value))
        self._due = {Pair(vote.duty.validator_index, vote.ballot.root): vote for vote in votes}
        self.phase.due = frozenset(self._due)
        return [Reached(Step.DECIDED), self.phase.sign(self._item(vote) for vote in votes)]

    def signed(self, results: tuple[Signed | Withheld, ...]) -> list[Command]:
        """Publishes what was signed in one message; what was withheld stops nobody else."""
        self._course.note_signed(results)
        commands = self.phase.publish(results)
        published = [Reached(Step.SIGNED), *commands] if commands else []
        return [*published, *self._end_if_done()]

    def receive(self, message: ReceivedPartials) -> list[Command]:
        """Stores an operator's partial signatures and recovers what they completed.

        Raises:
            ProtocolFault: of another phase or slot, or from a stranger.
        """
        kind = message.body.kind
        if kind != PartialKind.POST_CONSENSUS:
            raise ProtocolFault(Fault.MESSAGE_TYPE, f"a committee's votes have no phase {kind}")
        return self.phase.receive(message)

    def recovered(self, results: tuple[Recovered, ...]) -> list[Command]:
        """Submits every object that is complete, as one batch, whatever became of the others."""
        self._course.note_recovered(results)
        complete, commands = self.phase.recovered(results)
        submissions = tuple(
            submission_of(self._due[pair], signature, self._setting.chain)
            for pair, signature in complete
        )
        if submissions:
            commands = [Reached(Step.POST_QUORUM), Submit(submissions), *commands]
        return commands

    def submitted(self, results: tuple[Submitted, ...]) -> list[Command]:
        """Ends the duty when beacon nodes have answered for its last object."""
        self._course.note_submitted(results)
        self._answered |= {(each.item.kind, each.item.validator_index) for each in results}
        return self._end_if_done()

    def _end_if_done(self) -> list[Command]:
        if self.phase.is_signing or len(self._answered) < len(self._due):
            return []
        self.finished = True
        return [Reached(Step.SUBMITTED), self._course.finish_submitted()]

    def expire(self) -> list[Command]:
        """Ends the duty where it stands."""
        self.finished = True
        if not self.decided_value:
            return [self._course.expire(Waiting.CONSENSUS)]
        if not self.phase.is_answered:
            return [self._course.expire(Waiting.POST_SIGNER)]
        incomplete = self.phase.incomplete()
        if not incomplete:
            return [self._course.expire(Waiting.SUBMISSION)]
        present = self.phase.present(incomplete)
        unfinished = dict.fromkeys(pair.validator_index for pair in incomplete)
        return [self._course.expire(Waiting.POST_QUORUM, present, unfinished)]

    def _votes(self, vote: BeaconVote) -> list[Vote]:
        """Kept for one value: the same one is checked when supplied, proposed and decided."""
        value, votes = self._latest
        if value != vote:
            votes = votes_of(vote, self._duties, self._setting.chain)
            self._latest = (vote, votes)
        return votes

    def _item(self, vote: Vote) -> SignItem:
        share = self._shares[vote.duty.validator_index]
        return SignItem(share, vote.ballot.root, vote.ballot.guard)


def _decode(value: bytes) -> BeaconVote:
    try:
        return decode_beacon_vote(value)
    except ProtocolFault as problem:
        raise ProtocolFault(Fault.VOTE_MALFORMED, problem.message) from problem


def _checkpoints(held: BeaconVote | CheckpointView | None) -> str:
    if held is None:
        return "unknown"
    source, target = held.source, held.target
    return f"source {source.epoch}/{source.root.hex()} target {target.epoch}/{target.root.hex()}"
