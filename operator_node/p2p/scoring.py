"""What a peer's conduct is worth: rejected messages count against it, time forgives.

Pure. Peers that the operator trusts by hand are never refused. The score of a peer that did
nothing wrong is 0; there is no credit to collect, so nobody can save up for an attack.

Source: docs/protocol.md, "Gossip validation".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum
from typing import Final, NewType

PeerId = NewType("PeerId", str)
"""A libp2p peer id in base58."""
PEER_ID_FORM: Final = re.compile(r"[1-9A-HJ-NP-Za-km-z]{10,64}")
"""What text can be one; a secp256k1 key's has 53 characters."""

REFUSED_BELOW: Final = -20.0
"""One rejected message can come from another version of the software, twenty in a minute do not."""
FORGIVEN_ABOVE: Final = -5.0
"""Two half-lives after it was refused, a peer may come back."""
WORST: Final = -320.0
"""Six half-lives from being forgiven: whoever repairs a node need not wait longer than that."""
HALF_LIFE_SECONDS: Final = 60.0
_FORGOTTEN_ABOVE: Final = -0.01
PEERS_REMEMBERED: Final = 10_000
"""Ids cost nothing to make; the best of those that misbehaved are forgotten first."""


class Fault(Enum):
    """What a peer can be blamed for."""

    REJECTED_MESSAGE = "rejected_message"
    NOT_ANONYMOUS = "not_anonymous"
    """The message says who sent it; the network forbids that."""
    BROKEN_FRAME = "broken_frame"
    FORGED_RECORD = "forged_record"
    """An address record whose signature is not the operator's."""
    TOO_MANY_REQUESTS = "too_many_requests"
    REPEATED_MESSAGE = "repeated_message"
    """One that it brought before, beyond what a reconnection explains."""
    MESSAGE_FLOOD = "message_flood"
    CONTROL_FLOOD = "control_flood"
    """More of gossip's own messages in a heartbeat than any mesh needs."""
    EARLY_GRAFT = "early_graft"
    """It asked into the mesh again and again while it was to stay out."""


_COSTS: Final = {
    Fault.REJECTED_MESSAGE: -1.0,
    Fault.NOT_ANONYMOUS: -2.0,
    Fault.BROKEN_FRAME: -10.0,
    Fault.FORGED_RECORD: -10.0,
    Fault.TOO_MANY_REQUESTS: -1.0,
    Fault.REPEATED_MESSAGE: -1.0,
    Fault.MESSAGE_FLOOD: -0.05,
    Fault.CONTROL_FLOOD: -2.0,
    Fault.EARLY_GRAFT: -1.0,
}


class Standing:
    """Scores of the peers that misbehaved lately.

    Args:
        trusted: peers that are never refused.
    """

    __slots__ = ("_refused", "_scores", "_trusted")

    def __init__(self, trusted: Iterable[PeerId] = ()) -> None:
        self._trusted = frozenset(trusted)
        self._scores: dict[PeerId, float] = {}
        self._refused: set[PeerId] = set()

    def blame(self, peer: PeerId, fault: Fault) -> None:
        """Takes the fault's cost off the peer's score."""
        if peer in self._trusted:
            return
        if peer not in self._scores and len(self._scores) >= PEERS_REMEMBERED:
            self._forget(max(self._scores, key=self._scores.__getitem__))
        self._scores[peer] = max(self.score(peer) + _COSTS[fault], WORST)
        if self._scores[peer] <= REFUSED_BELOW:
            self._refused.add(peer)

    def score(self, peer: PeerId) -> float:
        """0 or less."""
        return self._scores.get(peer, 0.0)

    def is_refused(self, peer: PeerId) -> bool:
        """Whether to have no connection with it."""
        return peer in self._refused

    def pass_time(self, seconds: float) -> None:
        """Brings every score closer to 0."""
        factor = 0.5 ** (seconds / HALF_LIFE_SECONDS)
        for peer, score in list(self._scores.items()):
            self._scores[peer] = score * factor
            if self._scores[peer] > FORGIVEN_ABOVE:
                self._refused.discard(peer)
            if self._scores[peer] > _FORGOTTEN_ABOVE:
                self._forget(peer)

    def _forget(self, peer: PeerId) -> None:
        del self._scores[peer]
        self._refused.discard(peer)
