"""All instances of one identifier: which message belongs to which height, and what is decided.

Pure; never raises for what a peer sent.

Source: docs/protocol.md, "Heights".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from operator_node.qbft.decided import best_proof, check_decided, is_decided_message
from operator_node.qbft.instance import Instance
from operator_node.qbft.rounds import QUICK_ROUNDS
from operator_node.qbft.tallies import add_first, largest_disjoint
from operator_node.qbft.types import Decide, Output, Setup, Spread, State
from operator_node.wire.faults import Complain, Fault, ProtocolFault
from operator_node.wire.messages import ConsensusKind, Received
from operator_node.wire.structure import check_message
from sdk.types import OperatorId

INSTANCES_KEPT: Final = 16
"""Heights that late members can still be helped with, the highest ones. Duties that share an
identifier are hours apart as a rule, and each instance may hold blocks of many rounds."""

QUICK_ANSWERS: Final = 2
"""Decided messages for one member that asks late, at one height, in the quick rounds: the second in
case the first got lost. Each may hold a block, and asking costs a liar nothing. Each slow round
brings one more: both can get lost in one outage of half a minute, and nobody else may be left to
help. There are four of these, minutes apart, and none in duties that agree on blocks."""

EARLY_FAULTS: Final = frozenset({Fault.FUTURE_MESSAGE, Fault.NO_PROPOSAL, Fault.WRONG_ROUND})
"""Faults of messages that may merely have overtaken others (prepares and commits; any kind at a
future height): worth offering again after the next `StartTimer`, or after a proposal came."""


class Heights:
    """Consensus of one committee on one identifier, height after height.

    Attributes:
        height: of the latest instance that was started or decided; 0 at first.
    """

    __slots__ = ("_answered", "_at", "_setup", "_silent_until", "height")

    def __init__(self, setup: Setup, *, height: int = 0, states: Iterable[State] = ()) -> None:
        self._setup = setup
        self._at = {state.height: Instance(setup, state.height, state=state) for state in states}
        self._answered: dict[int, dict[OperatorId, list[int]]] = {}
        self._silent_until: dict[int, int] = {}
        self.height = height

    @property
    def instances(self) -> tuple[Instance, ...]:
        """The stored ones, highest height first."""
        return tuple(self._at[height] for height in sorted(self._at, reverse=True))

    def instance(self, height: int) -> Instance | None:
        """The instance of a height, if it is stored."""
        return self._at.get(height)

    def is_decided(self, height: int) -> bool:
        """Whether the instance of a height decided."""
        instance = self._at.get(height)
        return instance is not None and instance.state.decided

    def silence(self, height: int, until_round: int) -> None:
        """Sends nothing at a height in rounds before one, whether it is started yet or not.

        For a node that began anew without the state of that height and may have voted in these
        rounds. Above the cut-off, it only listens, and learns what the others decide.
        """
        instance = self._at.get(height)
        if instance is None:
            self._silent_until[height] = until_round
        else:
            instance.state.silent_until_round = until_round

    def start(self, height: int, value: bytes | None) -> list[Output]:
        """Begins consensus at a height and stops all other heights.

        Args:
            height: not below any that was started or decided before.
            value: see `Instance.start`; one that the check refuses starts nothing.
        """
        if value is not None:
            try:
                self._setup.check_value(value)
            except ProtocolFault as fault:
                return [Complain(fault.fault, fault.message)]
        if height < self.height:
            return [
                Complain(Fault.START_IN_THE_PAST, f"start at {height}, the height is {self.height}")
            ]
        if height in self._at:
            return [Complain(Fault.INSTANCE_EXISTS, f"height {height} was begun or decided before")]
        self.height = height
        state = State(height, silent_until_round=self._silent_until.get(height, 0))
        self._silent_until = {
            later: round_ for later, round_ in self._silent_until.items() if later > height
        }
        instance = self._store(Instance(self._setup, height, state=state))
        for other in self._at.values():
            if other is not instance:
                other.stop()
        return instance.start(value)

    def supply(self, height: int, value: bytes) -> list[Output]:
        """See `Instance.supply`."""
        instance = self._at.get(height)
        if instance is None:
            return [Complain(Fault.NO_RUNNING_INSTANCE, f"nothing was started at height {height}")]
        return instance.supply(value)

    def receive(self, received: Received) -> list[Output]:
        """Takes in one message, of a peer or an own broadcast that came back."""
        body = received.body
        if body.identifier != self._setup.identifier:
            return [Complain(Fault.IDENTIFIER, f"message of {body.identifier.hex()}")]
        if is_decided_message(self._setup, received):
            return self._on_decided(received)
        instance = self._at.get(body.height)
        if instance is None:
            return [self._unknown(body.height)]
        if instance.state.decided:
            return self._on_late(instance, received)
        outputs = instance.receive(received)
        if instance.state.decided:
            decisions = [each.decided for each in outputs if isinstance(each, Decide)]
            outputs += map(Spread, decisions)
        return outputs

    def expire(self, height: int, round_: int) -> list[Output]:
        """The timer of a round fired; nothing if its instance is gone."""
        instance = self._at.get(height)
        return [] if instance is None else instance.expire(round_)

    def review(self, height: int) -> list[Output]:
        """See `Instance.review`; nothing if the instance is gone."""
        instance = self._at.get(height)
        return [] if instance is None else instance.review()

    def stop(self, height: int) -> None:
        """Takes no part in a height any more; it keeps helping late members if it was decided."""
        instance = self._at.get(height)
        if instance is not None:
            instance.stop()

    def _unknown(self, height: int) -> Complain:
        is_first_missing = self.height == 0 and 0 not in self._at
        if height > self.height or is_first_missing:
            return Complain(
                Fault.FUTURE_MESSAGE, f"message of height {height}, the height is {self.height}"
            )
        return Complain(Fault.NO_RUNNING_INSTANCE, f"nothing is known of height {height}")

    def _on_late(self, instance: Instance, received: Received) -> list[Output]:
        """Refuses a message for a decided height; a member that asks for a round gets the proof."""
        height = instance.state.height
        outputs: list[Output] = [Complain(Fault.ALREADY_DECIDED, f"height {height} is decided")]
        asks = self._asks_for_help(received)
        proof = best_proof(instance.state) if asks is not None else None
        if asks is not None and proof is not None:
            rounds = self._answered.setdefault(height, {}).setdefault(asks, [])
            rounds.append(received.body.round)
            outputs.append(Spread(proof, to=asks))
        return outputs

    def _asks_for_help(self, received: Received) -> OperatorId | None:
        """The other member that sent this round change, if it is for this node to answer.

        Answers go to rising rounds only, and f + 1 members give them, who follow the asker by id:
        an honest one is among them, and if that is late itself, those who follow it help it first.
        """
        setup, body, signers = self._setup, received.body, received.signed.signers
        try:
            check_message(received.signed, body, setup.generation)
        except ProtocolFault:
            return None
        if body.kind != ConsensusKind.ROUND_CHANGE or body.round > setup.cut_off:
            return None
        asks = signers[0]
        if len(signers) != 1 or asks == setup.me or asks not in setup.committee:
            return None
        order = setup.committee.operators
        behind = order.index(asks) + 1
        if setup.me not in (order + order)[behind : behind + setup.committee.partial_quorum]:
            return None
        answered = self._answered.get(body.height, {}).get(asks, [])
        is_new = all(body.round > round_ for round_ in answered)
        is_granted = body.round > QUICK_ROUNDS or len(answered) < QUICK_ANSWERS
        return asks if is_new and is_granted else None

    def _on_decided(self, received: Received) -> list[Output]:
        body, signed = received.body, received.signed
        instance = self._at.get(body.height)
        if instance is None and self._is_too_old(body.height):
            return [self._unknown(body.height)]
        try:
            check_decided(self._setup, received)
        except ProtocolFault as fault:
            return [Complain(fault.fault, fault.message)]
        if instance is None:
            instance = self._store(Instance(self._setup, body.height))
        self.height = max(self.height, body.height)
        state = instance.state
        if state.decided:
            stored = largest_disjoint(state.commits.get(body.round, ()), body.root)
            if len(signed.signers) > sum(len(commit.signed.signers) for commit in stored):
                add_first(state.commits, received)
            return []
        state.decided = True
        state.round = body.round
        state.decided_value = signed.full_data
        add_first(state.commits, received)
        return [Decide(body.height, body.round, signed.full_data, signed)]

    def _is_too_old(self, height: int) -> bool:
        """Whether a height would be forgotten again at once, and so decided anew each time."""
        return len(self._at) >= INSTANCES_KEPT and height < min(self._at)

    def _store(self, instance: Instance) -> Instance:
        self._at[instance.state.height] = instance
        if len(self._at) > INSTANCES_KEPT:
            lowest = min(self._at)
            del self._at[lowest]
            self._answered.pop(lowest, None)
        return instance
