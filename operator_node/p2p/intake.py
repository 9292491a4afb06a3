"""The one gate for messages from peers, by gossip or by direct stream: once, judged, scored.

Synchronous from claiming a message to its verdict, so that two copies that arrive at the same
time, from two peers or by two ways, cannot both get through. It never forwards; that is for
whoever asked, if the answer is yes.

There is no queue before it: what is not read yet waits within the peer's window. When the node is
behind, or a peer brought too much that was useless, messages of other committees are dropped
unjudged; those of own committees are judged always. What was dropped is not claimed, so that
another peer can still bring it.

Source: docs/protocol.md, "Gossip validation"; docs/security.md, "Peers".
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final, TypeAlias, assert_never

from operator_node.p2p.rates import PeerRates
from operator_node.p2p.scoring import Fault, PeerId, Standing
from operator_node.p2p.seen import SeenMessages
from operator_node.validation.verdict import Accept, Ignore, Reject, Verdict

BEHIND_SECONDS: Final = 0.1
"""The event loop wakes up so late: consensus of own committees needs all there is."""
TIRED_SECONDS: Final = 0.05
"""To wait after each packet of a peer that brought too much useless: twenty a second remain, which
is what a mesh needs; what it wants to send beyond waits in its own memory."""

Judge: TypeAlias = Callable[[bytes, str, PeerId], Verdict]
"""(data, topic, who delivered it) → verdict; uses what it accepts. Called once per message."""
Concerns: TypeAlias = Callable[[bytes], bool]
"""Whether a message, undecoded, looks like one of an own committee."""
Hear: TypeAlias = Callable[[PeerId, Accept], None]
"""Told who was the first to bring a message that was accepted."""


@dataclass(slots=True)
class IntakeCounts:
    """How many messages came to which end since the start."""

    accepted: int = 0
    ignored: int = 0
    rejected: int = 0
    copies: int = 0
    off_topic: int = 0
    """On a topic that this node did not subscribe to."""
    repeated: int = 0
    """Of the copies, those from the peer that brought the message the first time."""
    flooded: int = 0
    """Dropped because the peer sent more than any peer may."""
    shed_behind: int = 0
    """Of other committees, dropped because this node was behind."""
    shed_useless: int = 0
    """Of other committees, dropped because the peer brought too much that was useless."""


class Intake:
    """Decides what becomes of a message.

    Args:
        judge: the node's validation.
        standing: where rejections are counted.
        concerns: tells messages of own committees; without it all count as that.
        is_kept: whether a peer is a co-operator or trusted; it is never slowed down.
        hear: told who brings messages first.
        now: seconds of a monotonic clock.
    """

    __slots__ = (
        "_concerns",
        "_hear",
        "_is_behind",
        "_is_kept",
        "_judge",
        "_now",
        "_rates",
        "_standing",
        "counts",
        "heard",
        "seen",
        "topics",
    )

    def __init__(
        self,
        judge: Judge,
        standing: Standing,
        *,
        concerns: Concerns = lambda _data: True,
        is_kept: Callable[[PeerId], bool] = lambda _peer: False,
        hear: Hear = lambda _peer, _accepted: None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._judge = judge
        self._standing = standing
        self._concerns = concerns
        self._is_kept = is_kept
        self._hear = hear
        self._now = now
        self._rates = PeerRates()
        self._is_behind = False
        self.seen = SeenMessages()
        self.topics: frozenset[str] = frozenset()
        self.counts = IntakeCounts()
        self.heard: dict[PeerId, float] = {}
        """When anything of a connected peer came last."""

    def take(self, peer: PeerId, topic: str, data: bytes) -> Accept | None:
        """What was accepted of a peer, to be forwarded; None if there is nothing to do."""
        if not self._is_wanted(peer, topic, data) or not self._claim(peer, topic, data):
            return None
        verdict = self._judge(data, topic, peer)
        match verdict:
            case Accept():
                self.counts.accepted += 1
                self._hear(peer, verdict)
                return verdict
            case Ignore():
                self.counts.ignored += 1
                self._rates.note_useless(peer, now=self._now())
            case Reject():
                self.counts.rejected += 1
                self.blame(peer, Fault.REJECTED_MESSAGE)
            case _:
                assert_never(verdict)
        return None

    def claim_own(self, topic: str, data: bytes) -> bool:
        """Whether a message of this node is new; it is not taken when it comes back."""
        return self.seen.claim(topic, data)

    def blame(self, peer: PeerId, fault: Fault) -> None:
        """Counts a fault against a peer."""
        self._standing.blame(peer, fault)

    def refuses(self, peer: PeerId) -> bool:
        """Whether nothing of the peer is to be listened to."""
        return self._standing.is_refused(peer)

    def is_tired_of(self, peer: PeerId) -> bool:
        """Whether to read less of a peer, because too much of it was useless."""
        return not self._is_kept(peer) and self._rates.is_useless(peer, now=self._now())

    def hear(self, peer: PeerId) -> None:
        """Something of a peer came, whatever it is."""
        self.heard[peer] = self._now()

    def feel(self, lag_seconds: float) -> None:
        """How late the event loop is at present."""
        self._is_behind = lag_seconds > BEHIND_SECONDS

    def keep(self, peers: Collection[PeerId]) -> None:
        """Forgets what is known of all other peers, apart from their scores."""
        self._rates.keep(peers)
        for peer in self.heard.keys() - peers:
            del self.heard[peer]

    def _is_wanted(self, peer: PeerId, topic: str, data: bytes) -> bool:
        """Whether to look at a message at all."""
        now = self._now()
        if not self._rates.admits(peer, len(data), now=now):
            self.counts.flooded += 1
            self.blame(peer, Fault.MESSAGE_FLOOD)
            return False
        if topic not in self.topics:
            self.counts.off_topic += 1
            self._rates.note_useless(peer, now=now)
            return False
        is_useless = self._rates.is_useless(peer, now=now)
        if not (self._is_behind or is_useless) or self._concerns(data):
            return True
        if self._is_behind:
            self.counts.shed_behind += 1
        else:
            self.counts.shed_useless += 1
        return False

    def _claim(self, peer: PeerId, topic: str, data: bytes) -> bool:
        """Whether a message is new. A peer that brought it before is to blame, others are not."""
        if self.seen.claim(topic, data, bearer=peer):
            return True
        self.counts.copies += 1
        if self.seen.bearer(topic, data) == peer:
            self.counts.repeated += 1
            if not self._rates.excuses_repeat(peer, now=self._now()):
                self.blame(peer, Fault.REPEATED_MESSAGE)
        return False
