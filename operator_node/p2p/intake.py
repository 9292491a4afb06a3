"""The one gate for messages from peers, by gossip or by direct stream: once, judged, scored.

Synchronous from claiming a message to its verdict, so that two copies that arrive at the same
time, from two peers or by two ways, cannot both get through. It never forwards; that is for
whoever asked, if the answer is yes.

Source: docs/protocol.md, "Gossip validation".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias, assert_never

from operator_node.p2p.scoring import Fault, PeerId, Standing
from operator_node.p2p.seen import SeenMessages
from operator_node.validation.verdict import Accept, Ignore, Reject, Verdict

Judge: TypeAlias = Callable[[bytes, str, PeerId], Verdict]
"""(data, topic, who delivered it) → verdict; uses what it accepts. Called once per message."""


@dataclass(slots=True)
class IntakeCounts:
    """How many messages came to which end since the start."""

    accepted: int = 0
    ignored: int = 0
    rejected: int = 0
    copies: int = 0
    off_topic: int = 0
    """On a topic that this node did not subscribe to."""


class Intake:
    """Decides what becomes of a message.

    Args:
        judge: the node's validation.
        standing: where rejections are counted.
    """

    __slots__ = ("_judge", "_standing", "counts", "seen", "topics")

    def __init__(self, judge: Judge, standing: Standing) -> None:
        self._judge = judge
        self._standing = standing
        self.seen = SeenMessages()
        self.topics: frozenset[str] = frozenset()
        self.counts = IntakeCounts()

    def take(self, peer: PeerId, topic: str, data: bytes) -> Accept | None:
        """What was accepted of a peer, to be forwarded; None if there is nothing to do."""
        if topic not in self.topics:
            self.counts.off_topic += 1
            return None
        if not self.seen.claim(topic, data):
            self.counts.copies += 1
            return None
        verdict = self._judge(data, topic, peer)
        match verdict:
            case Accept():
                self.counts.accepted += 1
                return verdict
            case Ignore():
                self.counts.ignored += 1
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
