"""Whether a proposal may be accepted, in the order of the protocol's rules, at a bounded cost.

Pure. Checking a value is dear, hundreds of milliseconds for a block, and a leader that lies can
sign as many values as it likes. So each leader has only some values checked in vain.

Source: docs/protocol.md, "Common validation".
"""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from typing import Final

from operator_node.qbft import arrival
from operator_node.qbft.justify import Justification
from operator_node.qbft.leading import FIRST_ROUND
from operator_node.qbft.types import Setup, State, Verdict
from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.messages import ConsensusMessage, Received
from sdk.types import OperatorId

REFUSED_VALUES: Final = 2
"""Values of one leader that are checked in vain before its next ones are refused unseen. An honest
one proposes once in a round, or twice if it forgot the first in a restart."""


class Proposals:
    """The rules for proposals of one instance, and how often a leader's values were refused."""

    __slots__ = ("_justification", "_refused", "_setup")

    def __init__(self, setup: Setup, justification: Justification) -> None:
        self._setup = setup
        self._justification = justification
        self._refused: Counter[tuple[OperatorId, int]] = Counter()

    def check(self, state: State, received: Received) -> Verdict:
        """What the value check says of a proposal that breaks no rule.

        Raises:
            ProtocolFault: the first broken rule.
        """
        arrival.check_proposer(self._setup, state, received)
        root = sha256(received.signed.full_data).digest()
        if root != received.body.root:
            raise ProtocolFault(
                Fault.DATA_NOT_OF_ROOT,
                f"proposed root {received.body.root.hex()}, data {root.hex()}",
            )
        return self._judge(received, self._fault_beside_value(state, received.body))

    def _fault_beside_value(self, state: State, body: ConsensusMessage) -> ProtocolFault | None:
        """The first broken rule of those that come after the value check."""
        justification = self._justification
        try:
            if body.round > FIRST_ROUND:
                justification.check_proposal(
                    body.round,
                    body.root,
                    justification.read(body.round_change_justification),
                    justification.read(body.prepare_justification),
                )
        except ProtocolFault as fault:
            return fault
        if body.round == state.round and state.proposal is not None:
            return ProtocolFault(
                Fault.PROPOSAL_INVALID, f"a proposal of round {state.round} is accepted already"
            )
        return None

    def _judge(self, received: Received, later: ProtocolFault | None) -> Verdict:
        """The verdict on the value, unless that or `later`, which comes after it, is a fault.

        Refused values are counted per leader and round. Where `later` is a fault the check only
        tells which one is named; those count per leader alone, since they may name any round.
        """
        leader, round_ = received.signed.signers[0], received.body.round
        place = leader, round_ if later is None else 0
        if self._refused[place] >= REFUSED_VALUES:
            raise later or ProtocolFault(
                Fault.VALUE_INVALID, f"{REFUSED_VALUES} values of round {round_} were refused"
            )
        try:
            verdict = self._setup.check_value(received.signed.full_data)
            if later is not None:
                raise later
        except ProtocolFault:
            self._refused[place] += 1
            raise
        return verdict
