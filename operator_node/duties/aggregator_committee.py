"""A committee's aggregation of one slot: aggregates and sync contributions of all its validators.

Pure; Boole only. Selection proofs are recovered first. The first of them that choose anybody open
consensus, without waiting for the rest: waiting would let one operator stop the duty.

Source: docs/protocol.md, "Duties" (aggregator committee).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from operator_node.duties.aggregation import (
    Endorsement,
    Selection,
    endorsements_of,
    read_value,
    selections_of,
    submission_of,
)
from operator_node.duties.committee_phase import CommitteePhase
from operator_node.duties.offer import Offer
from operator_node.duties.outcome import Course, Waiting
from operator_node.duties.partials import Pair
from operator_node.duties.reasons import Reason
from operator_node.duties.types import (
    Answer,
    Command,
    CommitteeDuty,
    Duty,
    Finish,
    Open,
    Propose,
    Query,
    Reached,
    Recovered,
    Setting,
    Signed,
    SignItem,
    Step,
    Submit,
    Submitted,
    Unavailable,
    ValueCheck,
    Withheld,
)
from operator_node.qbft.types import Verdict
from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.ids import BeaconRole, RunnerRole
from operator_node.wire.messages import PartialKind, ReceivedPartials
from operator_node.wire.records import Share
from operator_node.wire.value_codec import encode_aggregator_committee_value
from operator_node.wire.values import Assigned
from sdk.types import Signature, Slot


class AggregationDuty(Duty):
    """One slot's aggregation of one committee.

    Attributes:
        first: the selection proofs.
        second: the signatures over what was decided.
    """

    role = RunnerRole.AGGREGATOR_COMMITTEE

    def __init__(self, setting: Setting, duty: CommitteeDuty, shares: Mapping[int, Share]) -> None:
        """A duty that has not begun.

        Args:
            setting: the committee's.
            duty: aggregator and contribution duties of one slot, at least one; each validator has a
                share in `shares`.
            shares: by validator index.
        """
        self.slot: Slot = duty.slot
        self.finished = False
        self.decided_value = b""
        self._setting = setting
        self._duties = frozenset(duty.duties)
        self._shares = shares
        self._selections: dict[Pair, Selection] = {
            Pair(each.duty.validator_index, each.root): each
            for each in selections_of(duty.duties, setting.chain)
        }
        self._proofs: dict[Pair, Signature] = {}
        self._checked: set[Pair] = set()
        self._offer: Offer | None = None
        self._endorsements: dict[Pair, Endorsement] = {}
        self._version = setting.chain.version_at(duty.slot)
        self._submitted_as: dict[bytes, Pair] = {}
        self._answered: set[Pair] = set()
        self._has_seen_value = False
        self.first = CommitteePhase(
            setting,
            shares,
            kind=PartialKind.AGGREGATOR_COMMITTEE,
            slot=duty.slot,
            fault=Fault.RECONSTRUCTION_FAILED,
        )
        self.first.due = frozenset(self._selections)
        self.second = CommitteePhase(
            setting,
            shares,
            kind=PartialKind.POST_CONSENSUS,
            slot=duty.slot,
            fault=Fault.QUORUM_WITH_BAD_SIGNATURES,
        )
        self._course = Course(
            setting,
            role=self.role,
            slot=duty.slot,
            due=(each.validator_index for each in duty.duties),
        )

    # --- before consensus ------------------------------------------------------------------

    def begin(self) -> list[Command]:
        """Asks for the own parts of all selection proofs."""
        if not self._selections:
            return [Reached(Step.STARTED), self._finish(Reason.NOTHING_SELECTED)]
        return [Reached(Step.STARTED), self.first.sign(self._items(self._selections))]

    def signed(self, results: tuple[Signed | Withheld, ...]) -> list[Command]:
        """Publishes what was signed in one message per phase."""
        self._course.note_signed(results)
        of_first: list[Signed | Withheld] = []
        of_second: list[Signed | Withheld] = []
        for result in results:
            pair = Pair(result.item.share.validator_index, result.item.root)
            (of_first if pair in self._selections else of_second).append(result)
        commands: list[Command] = []
        if of_first and (published := self.first.publish(of_first)):
            commands += [Reached(Step.PRE_SIGNED), *published]
        if of_second and (published := self.second.publish(of_second)):
            commands += [Reached(Step.SIGNED), *published]
        return commands + self._end_if_done()

    def receive(self, message: ReceivedPartials) -> list[Command]:
        """An operator's partial signatures of either phase.

        Raises:
            ProtocolFault: of no phase of this duty, another slot, or from a stranger.
        """
        match message.body.kind:
            case PartialKind.POST_CONSENSUS:
                return self.second.receive(message)
            case PartialKind.AGGREGATOR_COMMITTEE:
                return self._receive_proofs(message)
            case kind:
                raise ProtocolFault(
                    Fault.MESSAGE_TYPE, f"an aggregator committee sends nothing of kind {kind}"
                )

    def _receive_proofs(self, message: ReceivedPartials) -> list[Command]:
        if self._is_underway:
            self.first.check(message)
            return []
        commands = self.first.receive(message)
        return commands or self._end_if_nobody()

    @property
    def _is_underway(self) -> bool:
        """Whether consensus has been opened, so that nobody more can be chosen."""
        return self._offer is not None or bool(self.decided_value)

    def recovered(self, results: tuple[Recovered, ...]) -> list[Command]:
        """Opens consensus with the first who are chosen; submits what the second completes."""
        self._course.note_recovered(results)
        of_first = [result for result in results if self.first.owns(result)]
        of_second = [result for result in results if self.second.owns(result)]
        commands: list[Command] = []
        if of_first:
            commands += self._recovered_proofs(of_first)
        if of_second:
            commands += self._recovered_objects(of_second)
        return commands

    def _recovered_proofs(self, results: Iterable[Recovered]) -> list[Command]:
        complete, commands = self.first.recovered(results)
        self._proofs.update(complete)
        if self._is_underway:
            return commands
        chosen = []
        rule, preset = self._setting.selection, self._setting.chain.preset
        for pair, proof in complete:
            selection = self._selections[pair]
            duty = selection.duty
            self._checked.add(pair)
            if selection.is_aggregator:
                is_chosen = rule.is_aggregator(duty, proof)
            else:
                is_chosen = rule.is_contributor(duty, proof, preset)
            if is_chosen:
                chosen.append((selection, proof))
        if not chosen:
            return commands + self._end_if_nobody()
        self._offer = Offer(chosen, version=self._version, preset=preset)
        return [Reached(Step.PRE_QUORUM), Open(), *self._offer.fetches(), *commands]

    def _end_if_nobody(self) -> list[Command]:
        """Ends the duty when nobody can be chosen any more."""
        if self._checked == self._selections.keys():
            return [self._finish(Reason.NOTHING_SELECTED)]
        if len(self.first.seen) < len(self._setting.committee) or self.first.is_recovering:
            return []
        self.finished = True
        present = self.first.present(self.first.incomplete())
        return [self._course.expire(Waiting.PRE_QUORUM, present)]

    def provide(self, query: Query, answer: Answer) -> list[Command]:
        """An aggregate or a contribution; the last one makes the own value."""
        if self._offer is None or self.decided_value:
            return []
        taken = self._offer.provide(query, answer)
        if isinstance(taken, Unavailable):
            self._course.note_unavailable(taken)
        value = self._offer.value() if self._offer.is_complete else None
        if value is None:
            return []
        self._course.note_available()
        size = self._setting.chain.preset.sizes.contribution_bytes
        encoded = encode_aggregator_committee_value(value, contribution_bytes=size)
        return [Reached(Step.DATA), Propose(encoded)]

    # --- consensus -------------------------------------------------------------------------

    def check_value(self, value: bytes, *, round_number: int) -> Verdict:
        """Whether the value is consistent.

        Raises:
            ProtocolFault: the first rule that it breaks.
        """
        self._has_seen_value = True
        read_value(value, self._setting.chain.preset)
        return Verdict.VALID

    def decide(self, value: bytes) -> list[Command]:
        """Checks the decided value again and signs what of it is for this node's validators.

        Raises:
            ProtocolFault: the value check's; nothing is signed then.
        """
        try:
            decided = read_value(value, self._setting.chain.preset)
        except ProtocolFault as refusal:
            self._course.note_refusal(refusal)
            raise
        self.decided_value = value
        self._version = decided.version
        self._endorsements = {
            Pair(each.validator_index, each.root): each
            for each in endorsements_of(
                decided, self._setting.chain, self.slot, is_wanted=self._wanted()
            )
        }
        self.second.due = frozenset(self._endorsements)
        commands: list[Command] = [Reached(Step.DECIDED)]
        if self._endorsements:
            commands.append(self.second.sign(self._items(self._endorsements)))
        return commands

    def _wanted(self) -> Callable[[BeaconRole, Assigned], bool]:
        """Which entries of a decided value this node signs.

        By the network's rule, every entry of a validator with a duty here. Then a leader could list
        one validator at every committee index, and make all members send a message that peers
        refuse. So an entry must be for a place that the validator may be selected for, once, and
        with the selection proof that the committee made, where it is known here.
        """
        if self._setting.value_check is ValueCheck.NETWORK:
            shares = self._shares
            own = {(each.role, each.validator_index) for each in self._duties}
            return lambda role, who: (
                (role, who.validator_index) in own and who.validator_index in shares
            )
        left = {
            (each.duty.role, each.duty.validator_index, each.place): self._proofs.get(pair)
            for pair, each in self._selections.items()
        }

        def is_wanted(role: BeaconRole, who: Assigned) -> bool:
            place = (role, who.validator_index, who.committee_index)
            if place not in left or left[place] not in (None, who.selection_proof):
                return False
            del left[place]
            return True

        return is_wanted

    # --- after consensus -------------------------------------------------------------------

    def _recovered_objects(self, results: Iterable[Recovered]) -> list[Command]:
        complete, commands = self.second.recovered(results)
        submissions = []
        for pair, signature in complete:
            submission = submission_of(self._endorsements[pair], signature, self._version)
            self._submitted_as[submission.root] = pair
            submissions.append(submission)
        if submissions:
            commands = [Reached(Step.POST_QUORUM), Submit(tuple(submissions)), *commands]
        return commands

    def submitted(self, results: tuple[Submitted, ...]) -> list[Command]:
        """Ends the duty when beacon nodes have answered for every duty of this node.

        A duty that was not chosen keeps it open until its time is over, so that co-operators'
        messages are taken as long as the network takes them.
        """
        self._course.note_submitted(results)
        self._answered |= {self._submitted_as[each.item.root] for each in results}
        return self._end_if_done()

    def _end_if_done(self) -> list[Command]:
        if self.first.is_signing or self.second.is_signing or not self._endorsements:
            return []
        if self._duties_left() or self._answered != self.second.due:
            return []
        self.finished = True
        return [Reached(Step.SUBMITTED), self._course.finish_submitted()]

    def _duties_left(self) -> set[tuple[int, int]]:
        """(role, validator) of this node's duties that the decided value does not mention."""
        own = {(duty.role, duty.validator_index) for duty in self._duties}
        return own - {(each.role, each.validator_index) for each in self._endorsements.values()}

    def expire(self) -> list[Command]:
        """Ends the duty where it stands."""
        self.finished = True
        if self.decided_value:
            return [self._stuck_after_consensus()]
        if self._offer is None:
            waiting = Waiting.PRE_QUORUM if self.first.is_answered else Waiting.PRE_SIGNER
            return [self._course.expire(waiting, self.first.present(self.first.incomplete()))]
        has_value = self._offer.is_complete or self._has_seen_value
        return [self._course.expire(Waiting.CONSENSUS if has_value else Waiting.DATA)]

    def _stuck_after_consensus(self) -> Finish:
        if not self._endorsements:
            return self._course.finish(Reason.NOTHING_SELECTED)
        if not self.second.is_answered:
            return self._course.expire(Waiting.POST_SIGNER)
        incomplete = self.second.incomplete()
        if incomplete:
            unfinished = dict.fromkeys(pair.validator_index for pair in incomplete)
            return self._course.expire(
                Waiting.POST_QUORUM, self.second.present(incomplete), unfinished
            )
        if self._answered != self.second.due:
            return self._course.expire(Waiting.SUBMISSION)
        return self._course.finish_submitted()

    def _finish(self, reason: Reason) -> Finish:
        self.finished = True
        return self._course.finish(reason)

    def _items(self, pairs: Iterable[Pair]) -> tuple[SignItem, ...]:
        return tuple(SignItem(self._shares[pair.validator_index], pair.root) for pair in pairs)
