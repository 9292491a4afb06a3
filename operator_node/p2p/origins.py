"""Which peer is a co-operator's node, told by who is the first to bring what he signed.

For operators whose node signs no address record. A guess: whoever is well connected can be first,
too, and a stranger that is taken for an operator gains a place, and nothing else. One per operator.

Pure: a majority vote with one candidate each (Boyer and Moore).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from operator_node.p2p.scoring import PeerId
from sdk.types import OperatorId

KNOWN_FROM: Final = 8
"""Messages by which a candidate is ahead: two duties of an operator."""
MOST: Final = 32
"""No lead lasts longer than as many messages of somebody else: operators move."""


class Origins:
    """Candidates of the operators that are wanted."""

    __slots__ = ("_candidates",)

    def __init__(self) -> None:
        self._candidates: dict[OperatorId, tuple[PeerId, int]] = {}

    def note(self, operator: OperatorId, peer: PeerId) -> None:
        """A peer was the first to bring a message of an operator."""
        candidate, lead = self._candidates.get(operator, (peer, 0))
        if candidate == peer:
            self._candidates[operator] = (peer, min(lead + 1, MOST))
        elif lead > 1:
            self._candidates[operator] = (candidate, lead - 1)
        else:
            self._candidates[operator] = (peer, 1)

    def peers(self) -> frozenset[PeerId]:
        """Those that are taken for operators' nodes."""
        found = self._candidates.values()
        return frozenset(peer for peer, lead in found if lead >= KNOWN_FROM)

    def lead(self, peer: PeerId) -> int:
        """By how many messages it is ahead, over all operators."""
        return sum(lead for candidate, lead in self._candidates.values() if candidate == peer)

    def keep(self, operators: Collection[OperatorId]) -> None:
        """Forgets all other operators."""
        for operator in self._candidates.keys() - operators:
            del self._candidates[operator]
