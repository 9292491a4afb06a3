"""One connection per peer: of two, both ends keep the same one.

py-libp2p 0.8.1 keeps two connections to a peer side by side, and opens streams on the one that has
more of them. After a peer was lost without a word and came back that is the dead one, on which each
stream fails until the system gives the connection up, a quarter of an hour later; and if both ends
closed one of two at random, both could be gone. Here the younger replaces one that is so old that
its peer cannot have been dialling already: then the peer has lost it. Of two that came from dials
at the same time the one dialled by the smaller peer id stays. Never opens a connection.

Source: docs/architecture.md; the same rule of ids as in `operator_node.p2p.redial`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import trio
from libp2p.abc import INetConn, INetStream, INetwork, INotifee
from libp2p.network.connection.swarm_connection import SwarmConn
from libp2p.network.swarm import Swarm
from libp2p.rcmgr import Direction
from multiaddr import Multiaddr  # type: ignore[import-untyped]

from operator_node.p2p.scoring import PeerId
from operator_node.p2p.upstream.peer_ids import name_of

DIAL_SECONDS: Final = 5.0
"""For connection, encryption and multiplexing together; a healthy peer needs a fraction."""


@dataclass(frozen=True, slots=True)
class Link:
    """A connection as the rule sees it.

    Attributes:
        is_outbound: whether this node dialled.
        since: seconds of any monotonic clock.
    """

    is_outbound: bool
    since: float


def keeps_younger(older: Link, younger: Link, *, me: PeerId, peer: PeerId) -> bool:
    """Whether of two connections to a peer the younger stays; the peer comes to the same answer.

    Whoever is connected does not dial: a dial that began before the older connection stood ends
    within `DIAL_SECONDS`, and two dials of one side run one after the other.
    """
    if older.is_outbound == younger.is_outbound or younger.since - older.since > DIAL_SECONDS:
        return True
    return younger.is_outbound == (me < peer)


class OneConnection(INotifee):
    """Closes the one of two connections that is not to stay, as soon as there are two.

    Args:
        swarm: which it is registered with.
        me: the own peer id.
    """

    def __init__(self, swarm: Swarm, me: PeerId) -> None:
        self._swarm = swarm
        self._me = me
        self._since: dict[INetConn, float] = {}
        self._ending: set[INetConn] = set()

    async def connected(self, _network: INetwork, conn: INetConn) -> None:
        """Compares a new connection with those to the same peer."""
        now = trio.current_time()
        self._since[conn] = now
        peer = conn.muxed_conn.peer_id
        for other in self._swarm.get_connections(peer):
            # One that is not announced yet will be compared with this one when it is.
            if other is conn or other.is_closed or other not in self._since:
                continue
            if self._ending & {conn, other}:
                continue
            older = Link(_is_outbound(other), self._since[other])
            younger = Link(_is_outbound(conn), now)
            is_replaced = keeps_younger(older, younger, me=self._me, peer=name_of(peer))
            ending = other if is_replaced else conn
            self._ending.add(ending)
            # Closing takes its time, and whoever announces the connection waits for this method.
            self._swarm.manager.run_task(ending.close)

    async def disconnected(self, _network: INetwork, conn: INetConn) -> None:
        """Forgets a connection."""
        self._since.pop(conn, None)
        self._ending.discard(conn)

    async def opened_stream(self, network: INetwork, stream: INetStream) -> None:
        """Nothing to do."""

    async def closed_stream(self, network: INetwork, stream: INetStream) -> None:
        """Nothing to do."""

    async def listen(self, network: INetwork, multiaddr: Multiaddr) -> None:
        """Nothing to do."""

    async def listen_close(self, network: INetwork, multiaddr: Multiaddr) -> None:
        """Nothing to do."""


async def close_all(connections: Iterable[INetConn]) -> None:
    """Closes connections at once; upstream does it one by one, a third of a second each.

    Upstream's `close_peer` also takes a connection off the record that came while it closed those
    before, and from then on the two ends disagree about whether they are connected.
    """
    async with trio.open_nursery() as nursery:
        for conn in list(connections):
            nursery.start_soon(conn.close)


def _is_outbound(conn: INetConn) -> bool:
    return isinstance(conn, SwarmConn) and conn.direction is Direction.OUTBOUND
