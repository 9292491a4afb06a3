"""How much a peer may send: messages before they are decoded, repeats, and what turns out useless.

A budget per peer and kind. None of them is near what an honest peer sends; what is beyond is
dropped for the price of a comparison. Forgets peers as soon as they are gone.

Pure: times are arguments, in seconds of any monotonic clock.

Source: docs/security.md, "Peers"; docs/protocol.md, "Gossip validation".
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from operator_node.p2p.scoring import PeerId


@dataclass(frozen=True, slots=True)
class Rate:
    """So many at once, and so many per second in the long run."""

    burst: float
    per_second: float


MESSAGES: Final = Rate(5000, 1000)
"""The heaviest load that a node is built for may come from a single peer."""
MESSAGE_BYTES: Final = Rate(32 * 1024 * 1024, 4 * 1024 * 1024)
"""Three messages of the largest size at once; mainnet's whole traffic is 50 kB/s."""
REPEATS: Final = Rate(500, 5)
"""A peer that connects anew sends the messages of the last heartbeats again."""
USELESS: Final = Rate(300, 30)
"""Honest peers forward what they accepted; where our views differ, that can be useless here."""
PEERS: Final = 1024
"""Many times the connections of a node; the one that came first goes first."""


@dataclass(slots=True)
class Bucket:
    """What is left of a rate."""

    rate: Rate
    left: float
    since: float

    @classmethod
    def full(cls, rate: Rate, now: float) -> Bucket:
        """The whole burst."""
        return cls(rate, rate.burst, now)

    def take(self, count: float, now: float) -> bool:
        """Takes as much, if there is as much."""
        if self.look(now) < count:
            return False
        self.left -= count
        return True

    def look(self, now: float) -> float:
        """How much is left."""
        refilled = self.left + (now - self.since) * self.rate.per_second
        self.left, self.since = min(refilled, self.rate.burst), now
        return self.left


@dataclass(slots=True)
class _Budget:
    now: float
    messages: Bucket = field(init=False)
    size: Bucket = field(init=False)
    repeats: Bucket = field(init=False)
    useless: Bucket = field(init=False)

    def __post_init__(self) -> None:
        self.messages = Bucket.full(MESSAGES, self.now)
        self.size = Bucket.full(MESSAGE_BYTES, self.now)
        self.repeats = Bucket.full(REPEATS, self.now)
        self.useless = Bucket.full(USELESS, self.now)


class PeerRates:
    """The budgets of all peers."""

    __slots__ = ("_budgets",)

    def __init__(self) -> None:
        self._budgets: dict[PeerId, _Budget] = {}

    def admits(self, peer: PeerId, size: int, *, now: float) -> bool:
        """Whether a message of so many bytes is to be looked at."""
        budget = self._of(peer, now)
        return budget.messages.take(1, now) and budget.size.take(size, now)

    def excuses_repeat(self, peer: PeerId, *, now: float) -> bool:
        """Whether it may have brought a message twice."""
        return self._of(peer, now).repeats.take(1, now)

    def note_useless(self, peer: PeerId, *, now: float) -> None:
        """What it brought was of no use, through no provable fault of its own."""
        self._of(peer, now).useless.take(1, now)

    def is_useless(self, peer: PeerId, *, now: float) -> bool:
        """Whether it has brought too much of that lately."""
        budget = self._budgets.get(peer)
        return budget is not None and budget.useless.look(now) < 1

    def keep(self, peers: Collection[PeerId]) -> None:
        """Forgets all others."""
        for peer in self._budgets.keys() - peers:
            del self._budgets[peer]

    def _of(self, peer: PeerId, now: float) -> _Budget:
        budget = self._budgets.get(peer)
        if budget is None:
            if len(self._budgets) >= PEERS:
                del self._budgets[next(iter(self._budgets))]
            budget = self._budgets[peer] = _Budget(now)
        return budget
