"""Who may be connected, who must, and who has to go when there are too many.

Co-operators and trusted peers are kept: there is always room for them, and nobody shows them out
but their own score. Strangers get what is left; at most half of all places goes to peers that came
by themselves, so that nobody can surround a node by dialling it. Whoever is let go is the one whom
meshes miss least, and is avoided for some minutes.

Pure but for the clock that it is given.

Source: docs/security.md, "Peers".
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from operator_node.p2p.addresses import AddressLimits
from operator_node.p2p.scoring import PeerId, Standing

PEERS_AT_MOST: Final = 150
"""However many subnets: each costs memory, and every one wants to be told of every message."""
PEERS_PER_TOPIC: Final = 3
TRIMMED_AT_ONCE: Final = 5
TRIM_SECONDS: Final = 30.0
"""In which no more than `TRIMMED_AT_ONCE` are let go: meshes close such gaps unnoticed."""
AVOIDED_SECONDS: Final = 300.0
AVOIDED_PEERS: Final = 256
"""More than can be let go in that time."""


@dataclass(frozen=True, slots=True)
class Worth:
    """What a connected peer is good for.

    Attributes:
        firsts: messages of co-operators that it was the first to bring, lately.
        alone: topics in whose mesh there is nobody else, one other, two others.
        score: 0 or less.
        latency_seconds: of the last ping; None if there was none.
    """

    peer: PeerId
    firsts: int
    alone: tuple[int, int, int]
    score: float
    latency_seconds: float | None

    def rank(self) -> tuple[float, ...]:
        """Higher is better."""
        latency = float("inf") if self.latency_seconds is None else self.latency_seconds
        return (self.firsts, *self.alone, self.score, -latency)


class Crowd:
    """Decides about places; also who is let in at the door.

    Args:
        standing: peers' scores.
        addresses: budgets of incoming connections.
        trusted: peers for whom no limit holds.
        base: places before any subnet adds its own.
        now: seconds of a monotonic clock.

    Attributes:
        connected: peers that count as that.
        kept: co-operators and trusted peers.
        missing: co-operators whose place is known, and who are not connected.
        topics: how many this node is subscribed to.
    """

    def __init__(
        self,
        *,
        standing: Standing,
        addresses: AddressLimits,
        trusted: Iterable[PeerId],
        base: int,
        now: Callable[[], float],
    ) -> None:
        self._standing = standing
        self._addresses = addresses
        self._trusted = frozenset(trusted)
        self._base = base
        self._now = now
        self._avoided: dict[PeerId, float] = {}
        self._trimmed: deque[float] = deque(maxlen=TRIMMED_AT_ONCE)
        self.connected: frozenset[PeerId] = frozenset()
        self.kept: frozenset[PeerId] = self._trusted
        self.missing = 0
        self.topics = 0
        self.turned_away = 0
        """Peers that found no place after their handshake."""

    def target(self) -> int:
        """How many peers there are to be."""
        return min(self._base + PEERS_PER_TOPIC * self.topics, PEERS_AT_MOST)

    def for_strangers(self) -> int:
        """Places that are not kept free for co-operators; half at least."""
        target = self.target()
        return max(target - self.missing, target // 2)

    def keep(self, co_operators: frozenset[PeerId]) -> None:
        """Who is kept from now on, beside trusted peers."""
        self.kept = self._trusted | co_operators

    def is_kept(self, peer: PeerId) -> bool:
        """Whether the peer is a co-operator or trusted."""
        return peer in self.kept

    def avoids(self, peer: PeerId) -> bool:
        """Whether to have no connection with a peer for now."""
        if self._standing.is_refused(peer):
            return True
        return peer not in self.kept and self._avoided.get(peer, 0.0) > self._now()

    # At the door

    def admits(self, address: str) -> bool:
        """Whether somebody from an IP address may begin a handshake."""
        return self._addresses.admits(address, now=self._now())

    def keeps(self, peer: PeerId, inbound: int) -> bool:
        """Whether a peer that proved who it is may stay, beside so many that dialled before it."""
        if self.avoids(peer):
            is_welcome = False
        elif peer in self.kept or peer in self.connected:
            is_welcome = True
        else:
            has_place = len(self.connected) < self.for_strangers()
            is_welcome = has_place and inbound < self.target() // 2
        self.turned_away += not is_welcome
        return is_welcome

    def blame(self, address: str | None) -> None:
        """A peer had to be shown out; its address is known if it came by itself."""
        if address is not None:
            self._addresses.blame(address, now=self._now())

    # When there are too many

    def surplus(self) -> int:
        """How many may be let go now."""
        now = self._now()
        recently = sum(at > now - TRIM_SECONDS for at in self._trimmed)
        too_many = len(self.connected) - self.for_strangers()
        return max(0, min(too_many, TRIMMED_AT_ONCE - recently))

    def let_go(self, worths: Iterable[Worth], count: int) -> list[PeerId]:
        """The least useful strangers; they are avoided from now on."""
        strangers = [each for each in worths if each.peer not in self.kept]
        strangers.sort(key=Worth.rank)
        now = self._now()
        gone = [each.peer for each in strangers[:count]]
        for peer in gone:
            self._trimmed.append(now)
            self._avoided.pop(peer, None)
            self._avoided[peer] = now + AVOIDED_SECONDS
        while len(self._avoided) > AVOIDED_PEERS:
            del self._avoided[next(iter(self._avoided))]
        return gone
