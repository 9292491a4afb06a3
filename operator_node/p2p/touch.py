"""Keeps in touch with peers during one life of the libp2p part: dials, greets, asks, shows out.

Looks at all connections a few times per second and acts on what it finds. Who is to be connected
is decided by `crowd`, whom to dial when by `redial`, who is alive by `liveness`.

Source: docs/architecture.md; docs/security.md, "Peers".
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

import trio

from operator_node.p2p.book import AddressBook
from operator_node.p2p.crowd import Crowd, Worth
from operator_node.p2p.gossip import Gossip
from operator_node.p2p.intake import Intake
from operator_node.p2p.liveness import LATE_SECONDS, Answer, Asking, Liveness
from operator_node.p2p.origins import Origins
from operator_node.p2p.places import Place, joined
from operator_node.p2p.redial import Redial
from operator_node.p2p.scoring import PeerId, Standing
from operator_node.p2p.spreading import AddressExchange
from operator_node.p2p.streams import DirectStreams
from sdk.types import OperatorId

_log: Final = logging.getLogger(__name__)

TICK_SECONDS: Final = 0.25
"""Between looks at who is connected: a lost co-operator is noticed this fast."""
GREETINGS: Final = 3
GREETING_WAIT_SECONDS: Final = 1.0
"""Peers that do not speak the protocol are left alone after a few seconds."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What outlives a failure of the libp2p part.

    Attributes:
        me: own peer id.
        bootstrap: any nodes of the network.
        trusted: always connected.
        may_trim: whether peers may be let go at this time of the slot.
    """

    me: PeerId
    bootstrap: tuple[Place, ...]
    trusted: tuple[Place, ...]
    book: AddressBook
    standing: Standing
    intake: Intake
    crowd: Crowd
    redial: Redial
    origins: Origins
    liveness: Liveness
    may_trim: Callable[[], bool]

    def drops(self) -> dict[str, int]:
        """What was dropped or refused since the start, by what it was."""
        counts = self.intake.counts
        return {
            "message_off_topic": counts.off_topic,
            "message_repeated": counts.repeated,
            "message_flood": counts.flooded,
            "message_behind": counts.shed_behind,
            "message_useless": counts.shed_useless,
            "connection_no_place": self.crowd.turned_away,
            "connection_one_way": self.liveness.reconnected,
        }


class Touch:
    """Keeps in touch.

    Args:
        memory: of the lives before.
        gossip: of this life, as all that follow.
        streams: for co-operators.
        exchange: of address records.
        asking: whether peers are alive.
        nursery: for dials and greetings.
    """

    def __init__(
        self,
        memory: Memory,
        gossip: Gossip,
        streams: DirectStreams,
        exchange: AddressExchange,
        asking: Asking,
        nursery: trio.Nursery,
    ) -> None:
        self._memory = memory
        self._gossip = gossip
        self._streams = streams
        self._exchange = exchange
        self._asking = asking
        self._nursery = nursery
        self._wanted: frozenset[OperatorId] = frozenset()
        self._late_at = -math.inf
        """When the event loop was too late the last time."""

    def want(self, operators: frozenset[OperatorId]) -> None:
        """Names the co-operators."""
        self._wanted = operators

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            due = trio.current_time() + TICK_SECONDS
            self._look()
            await trio.sleep_until(due)
            self._feel(trio.current_time() - due)

    def _feel(self, lag_seconds: float) -> None:
        self._memory.intake.feel(lag_seconds)
        if lag_seconds > LATE_SECONDS:
            self._late_at = trio.current_time()

    def _look(self) -> None:
        memory, nursery = self._memory, self._nursery
        memory.standing.pass_time(TICK_SECONDS)
        co_operators = self._co_operators()
        memory.crowd.keep(co_operators | memory.origins.peers())
        self._count()
        places = self._targets()
        connected, now = memory.crowd.connected, trio.current_time()
        for peer in memory.redial.due(places, connected, now=now):
            nursery.start_soon(self._dial, peer, places[peer])
        for peer in memory.liveness.due(connected, memory.crowd.kept, memory.intake.heard, now=now):
            nursery.start_soon(self._ask, peer)
        if (surplus := memory.crowd.surplus()) and memory.may_trim():
            for peer in memory.crowd.let_go(map(self._worth, connected), surplus):
                _log.info("peer %s is let go: there are too many", peer)
                nursery.start_soon(self._gossip.dialer.hang_up, peer)
        self._streams.keep(co_operators & connected)

    def _co_operators(self) -> frozenset[PeerId]:
        records = map(self._memory.book.of, self._wanted)
        return frozenset(each.peer for each in records if each is not None)

    def _count(self) -> None:
        """Brings up to date who is connected; greets who came, shows out who misbehaved."""
        memory, gossip = self._memory, self._gossip
        before, present = memory.crowd.connected, gossip.dialer.connected()
        refused = frozenset(filter(memory.standing.is_refused, present))
        # Refused peers come back at once; nobody is to count on them until they are gone again.
        memory.crowd.connected = connected = present - refused
        memory.crowd.topics = len(memory.intake.topics)
        memory.crowd.missing = len(self._co_operators() - connected - {memory.me})
        memory.intake.keep(connected)
        for peer in connected - before:
            self._nursery.start_soon(self._greet, peer)
        for peer in refused & before:
            # Once: a peer that is shown out again, before it counted, was blamed for it already.
            memory.crowd.blame(gossip.dialer.came_from(peer))
        for peer in refused:
            _log.info("peer %s is disconnected for its score", peer)
            self._nursery.start_soon(gossip.dialer.hang_up, peer)

    def _worth(self, peer: PeerId) -> Worth:
        memory = self._memory
        return Worth(
            peer,
            memory.origins.lead(peer),
            self._gossip.alone(peer),
            memory.standing.score(peer),
            memory.liveness.latency(peer),
        )

    async def _greet(self, peer: PeerId) -> None:
        """Exchanges records with a new peer; again if the connection was replaced meanwhile."""
        for _ in range(GREETINGS):
            if peer not in self._memory.crowd.connected or await self._exchange.exchange(peer):
                return
            await trio.sleep(GREETING_WAIT_SECONDS)

    def _targets(self) -> dict[PeerId, tuple[str, ...]]:
        """Whom to be connected to, and where; the most important first, those to avoid left out."""
        memory = self._memory
        groups = [memory.trusted, self._places_of(sorted(self._wanted))]
        # The other half is for those who dial this node.
        wished = memory.crowd.target() // 2
        if len(memory.crowd.connected) < wished:
            others = sorted(memory.book.operators() - self._wanted, key=self._lot)
            groups += [memory.bootstrap, self._places_of(others[:wished])]
        found = joined(groups)
        return {peer: where for peer, where in found.items() if not memory.crowd.avoids(peer)}

    def _places_of(self, operators: Iterable[OperatorId]) -> tuple[Place, ...]:
        records = map(self._memory.book.of, operators)
        return tuple(Place(each.peer, each.addresses) for each in records if each is not None)

    def _lot(self, operator: OperatorId) -> bytes:
        """An order of operators that is each node's own: else all would dial the same few."""
        return blake2b(b"%d %b" % (operator, self._memory.me.encode()), digest_size=8).digest()

    async def _dial(self, peer: PeerId, addresses: tuple[str, ...]) -> None:
        is_connected = False
        try:
            is_connected = await self._gossip.dialer.dial(peer, addresses)
        finally:
            now = trio.current_time()
            self._memory.redial.ended(peer, is_connected=is_connected, now=now)

    async def _ask(self, peer: PeerId) -> None:
        began = trio.current_time()
        answer = await self._asking.ask(peer)
        now = trio.current_time()
        if self._late_at >= began - TICK_SECONDS:
            answer = Answer.UNKNOWN
        was_heard = self._memory.intake.heard.get(peer, -math.inf) > began
        if self._memory.liveness.ended(
            peer, answer, took=now - began, was_heard=was_heard, now=now
        ):
            _log.info("peer %s is connected anew: its answer was %s", peer, answer.value)
            await self._gossip.dialer.hang_up(peer)
