"""One consensus instance: what each event does to its state, and what it then asks for.

Pure; never raises for what a peer sent. A refused message yields `Complain` and changes nothing. A
prepare or commit that overtakes its proposal is refused too, see `EARLY_FAULTS` in `heights`.

Source: docs/protocol.md, "Consensus".
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from operator_node.qbft import arrival, drafts
from operator_node.qbft.justify import Justification, own_proof
from operator_node.qbft.leading import FIRST_ROUND, draft_proposal, is_called, may_propose
from operator_node.qbft.proposals import Proposals
from operator_node.qbft.tallies import (
    add_first,
    aggregate,
    has_quorum,
    largest_disjoint,
    lean,
    signers_of,
)
from operator_node.qbft.types import (
    Broadcast,
    Decide,
    Output,
    Setup,
    StartTimer,
    State,
    Verdict,
)
from operator_node.wire.faults import Complain, Fault, ProtocolFault
from operator_node.wire.messages import ConsensusKind, Received
from sdk.types import OperatorId

_PROPOSAL: Final = int(ConsensusKind.PROPOSAL)
_PREPARE: Final = int(ConsensusKind.PREPARE)
_COMMIT: Final = int(ConsensusKind.COMMIT)


class Instance:
    """Consensus of one committee at one height, as one member takes part in it.

    Attributes:
        state: everything that it knows; a state given to the constructor is gone on with.
    """

    __slots__ = ("_blocked_round", "_justification", "_proposals", "_setup", "state")

    def __init__(self, setup: Setup, height: int, *, state: State | None = None) -> None:
        self._setup = setup
        self._justification = Justification(setup, height)
        self._proposals = Proposals(setup, self._justification)
        self._blocked_round = 0
        self.state = State(height) if state is None else state

    def start(self, value: bytes | None) -> list[Output]:
        """Begins round 1. Called once, and not on a restored instance.

        Args:
            value: to propose as leader; None to take part in the proposals of others until
                `supply` brings one.
        """
        self.state.start_value = value
        return [StartTimer(self.state.height, FIRST_ROUND), *self._propose(FIRST_ROUND)]

    def supply(self, value: bytes) -> list[Output]:
        """Sets or replaces the value to propose, and proposes it if the current round waits for it.

        A value that the check refuses changes nothing.
        """
        state = self.state
        if state.decided:
            return []
        if not self._is_live:
            return [self._stopped(Fault.INSTANCE_STOPPED)]
        try:
            self._setup.check_value(value)
        except ProtocolFault as fault:
            return [Complain(fault.fault, fault.message)]
        state.start_value = value
        return self._propose(state.round)

    def receive(self, received: Received) -> list[Output]:
        """Takes in one message, of a peer or an own broadcast that came back."""
        try:
            return self._apply(received)
        except ProtocolFault as fault:
            return [Complain(fault.fault, fault.message, self._blame(fault, received))]

    def expire(self, round_: int) -> list[Output]:
        """The timer of a round fired: goes on to the next one; nothing if that round is over."""
        state = self.state
        if state.decided or round_ != state.round:
            return []
        if not self._is_live:
            return [self._stopped(Fault.TIMEOUT_AFTER_STOP)]
        outputs = self._missed_proposal() + self._wish(round_ + 1)
        return outputs + self._enter(round_ + 1)

    def review(self) -> list[Output]:
        """Checks an unvouched proposal again, now that the beacon node may answer.

        A valid one gets its prepare. One that is refused now is forgotten, as if refused at once.
        """
        state = self.state
        if state.proposal is None or not state.is_prepare_held or state.decided:
            return []
        try:
            verdict = self._setup.check_value(state.proposal.signed.full_data)
        except ProtocolFault as fault:
            state.proposal, state.is_prepare_held = None, False
            return [Complain(fault.fault, fault.message)]
        return self._prepare() if verdict is Verdict.VALID else []

    def stop(self) -> None:
        """Takes no part any more, for good."""
        self.state.stopped = True

    @property
    def _is_live(self) -> bool:
        return not self.state.stopped and self.state.round < self._setup.cut_off

    def _blame(self, fault: ProtocolFault, received: Received) -> OperatorId | None:
        """The sender, if what it signed is wrong whatever others did."""
        accepted, signers = self.state.proposal, received.signed.signers
        is_second_proposal = (
            fault.fault is Fault.PROPOSAL_INVALID
            and accepted is not None
            and accepted.body.root != received.body.root
        )
        is_proven = fault.fault in arrival.PROVEN_FAULTS or is_second_proposal
        return signers[0] if is_proven and len(signers) == 1 else None

    def _apply(self, received: Received) -> list[Output]:
        state = self.state
        if state.stopped or state.round >= self._setup.cut_off:
            return [self._stopped(Fault.INSTANCE_STOPPED)]
        arrival.check_current(self._setup, state, received)
        kind = received.body.kind
        if kind == _PREPARE:
            return self._on_prepare(received)
        if kind == _COMMIT:
            return self._on_commit(received)
        if kind == _PROPOSAL:
            return self._on_proposal(received)
        return self._on_round_change(received)

    def _on_proposal(self, received: Received) -> list[Output]:
        state, body = self.state, received.body
        verdict = self._proposals.check(state, received)
        if not add_first(state.proposals, received):
            return []
        outputs: list[Output] = []
        if body.round > state.round:
            outputs = self._enter(body.round)
        state.proposal = received
        if verdict is Verdict.UNVOUCHED:
            state.is_prepare_held = True
            return outputs
        return outputs + self._prepare()

    def _on_prepare(self, received: Received) -> list[Output]:
        setup, state = self._setup, self.state
        arrival.check_prepare(setup, state, received)
        if not add_first(state.prepares, received):
            return []
        outputs: list[Output] = []
        prepares = state.prepares[state.round]
        if state.is_prepare_held:
            outputs += self._prepare_if_vouched(prepares)
        if state.proposal is None or not has_quorum(prepares, setup.committee):
            return outputs
        if has_quorum(prepares[:-1], setup.committee):
            return outputs
        state.prepared_round = state.round
        state.prepared_value = state.proposal.signed.full_data
        state.adopted_proof = ()
        return outputs + self._commit(received.body.root)

    def _on_commit(self, received: Received) -> list[Output]:
        setup, state, body = self._setup, self.state, received.body
        arrival.check_commit(setup, state, received)
        if not add_first(state.commits, received) or state.decided or state.proposal is None:
            return []
        commits = largest_disjoint(state.commits[body.round], body.root)
        if not has_quorum(commits, setup.committee):
            return []
        state.decided = True
        state.decided_value = state.proposal.signed.full_data
        proof = aggregate(commits, state.decided_value)
        return [Decide(state.height, body.round, state.decided_value, proof)]

    def _on_round_change(self, received: Received) -> list[Output]:
        setup, state, body = self._setup, self.state, received.body
        # Data beside an unprepared round change is never read, so it need not be hashed either.
        root = sha256(received.signed.full_data).digest() if body.data_round else body.root
        self._justification.check_round_change(own_proof(received), body.round, root)
        arrival.check_usable(setup, received)
        had_quorum = has_quorum(state.round_changes.get(body.round, ()), setup.committee)
        if not add_first(state.round_changes, lean(received, state.round_changes)):
            return []
        if had_quorum and body.round != self._blocked_round:
            return []
        outputs = self._propose(body.round)
        if had_quorum or any(isinstance(output, Broadcast) for output in outputs):
            return outputs
        return outputs + self._follow()

    def _wish(self, round_: int) -> list[Output]:
        """The own round change."""
        setup, state = self._setup, self.state
        self._adopt(round_)
        return self._broadcast(
            drafts.round_change(setup.identifier, state, round_, setup.committee)
        )

    def _adopt(self, round_: int) -> None:
        """Takes over what another member prepared last before a round, if it is another value.

        A proposal is justified only if all prepared round changes in it are for its own value. Two
        members that stay with different values would block every proposal, for good when a quorum
        needs both. The later round is the one that may have decided, and its prepares prove it.
        """
        state = self.state
        if not state.prepared_round:
            return
        known = (change for changes in state.round_changes.values() for change in changes)
        earlier = (change for change in known if change.body.data_round < round_)
        latest = max(earlier, key=lambda change: change.body.data_round, default=None)
        if (
            latest is not None
            and latest.body.data_round > state.prepared_round
            and latest.body.root != sha256(state.prepared_value).digest()
        ):
            state.prepared_round = latest.body.data_round
            state.prepared_value = latest.signed.full_data
            state.adopted_proof = latest.body.round_change_justification

    def _follow(self) -> list[Output]:
        """Jumps to the lowest round above the current one, once f + 1 members are above."""
        setup, state = self._setup, self.state
        above = {round_ for round_ in state.round_changes if round_ > state.round}
        ahead = signers_of(message for round_ in above for message in state.round_changes[round_])
        if len(ahead) < setup.committee.partial_quorum:
            return []
        outputs = self._enter(min(above))
        return outputs + self._wish(state.round)

    def _propose(self, round_: int) -> list[Output]:
        """The proposal of a round, if this node leads it, is asked for one and has a value.

        A quorum of round changes that justify nothing blocks the round until others come.
        """
        setup, state = self._setup, self.state
        if not may_propose(setup, state, round_) or not is_called(setup, state, round_):
            return []
        draft = draft_proposal(setup, state, self._justification, round_)
        if not isinstance(draft, Broadcast):
            self._blocked_round = round_
            return [*draft]
        state.own_proposal_round = round_
        return self._broadcast(draft)

    def _missed_proposal(self) -> list[Output]:
        """A complaint if the current round ends without a proposal for want of an own value."""
        setup, state = self._setup, self.state
        if (
            state.start_value is not None
            or not may_propose(setup, state, state.round)
            or not is_called(setup, state, state.round)
        ):
            return []
        return [
            Complain(
                Fault.NO_VALUE_TO_PROPOSE, f"round {state.round} ended before a value was there"
            )
        ]

    def _prepare_if_vouched(self, prepares: list[Received]) -> list[Output]:
        others = signers_of(prepares) - {self._setup.me}
        if len(others) < self._setup.committee.partial_quorum:
            return []
        return self._prepare()

    def _prepare(self) -> list[Output]:
        """The own prepare of the accepted proposal, unless one was sent in this round."""
        state = self.state
        state.is_prepare_held = False
        if state.proposal is None or state.own_prepare_round >= state.round:
            return []
        state.own_prepare_round = state.round
        root = state.proposal.body.root
        return self._broadcast(
            drafts.prepare(self._setup.identifier, state.height, state.round, root)
        )

    def _commit(self, root: bytes) -> list[Output]:
        """The own commit, unless one was sent in this round."""
        state = self.state
        if state.own_commit_round >= state.round:
            return []
        state.own_commit_round = state.round
        return self._broadcast(
            drafts.commit(self._setup.identifier, state.height, state.round, root)
        )

    def _enter(self, round_: int) -> list[Output]:
        """Begins a later round: nothing is accepted in it yet."""
        state = self.state
        state.round = round_
        state.proposal, state.is_prepare_held = None, False
        return [StartTimer(state.height, round_)]

    def _broadcast(self, draft: Broadcast) -> list[Output]:
        if not self._is_live:
            return [self._stopped(Fault.INSTANCE_STOPPED)]
        return [] if draft.body.round < self.state.silent_until_round else [draft]

    def _stopped(self, fault: Fault) -> Complain:
        state = self.state
        return Complain(fault, f"height {state.height} has ended in round {state.round}")
