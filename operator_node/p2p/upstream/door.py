"""Incoming connections: asked for by address before the handshake, by peer before they count.

py-libp2p 0.8.1 counts every connection that it accepts until the node ends, not until the
connection does: after as many as its upper bound, in weeks or in an attacker's minute, it accepts
none any more, and keeps a task for each that is gone. Its own limits for handshakes per second and
its circuit breaker refuse everybody once somebody misbehaves. Here a place is taken while a
connection lasts, and who may have one is decided by `Door`.

Source: docs/security.md, "Peers".
"""

from __future__ import annotations

from typing import Final, Protocol

import trio
from libp2p.abc import IMuxedConn
from libp2p.io.abc import ReadWriteCloser
from libp2p.network.connection.raw_connection import RawConnection
from libp2p.network.connection.swarm_connection import SwarmConn
from libp2p.network.exceptions import SwarmException
from libp2p.network.swarm import Swarm
from libp2p.peer.id import ID
from libp2p.rcmgr import Direction
from libp2p.stream_muxer.yamux.yamux import Yamux
from multiaddr import Multiaddr  # type: ignore[import-untyped]

from operator_node.p2p.scoring import PeerId
from operator_node.p2p.upstream.peer_ids import name_of

HANDSHAKES_AT_ONCE: Final = 32
"""Of strangers: at 50 ms each they are done in two seconds, or wait for peers who dawdle."""
_CLOSE_SECONDS: Final = 1.0


class Door(Protocol):
    """Who may come in."""

    def admits(self, address: str) -> bool:
        """Whether an IP address may begin a handshake."""

    def keeps(self, peer: PeerId, inbound: int) -> bool:
        """Whether a peer that proved who it is may stay, beside so many that dialled before it."""


class OpenDoor:
    """Lets in everybody; for hosts that talk to nobody but their own tests."""

    def admits(self, address: str) -> bool:
        """Always."""
        return True

    def keeps(self, peer: PeerId, inbound: int) -> bool:
        """Always."""
        return True


class GuardedSwarm(Swarm):
    """A swarm with somebody at the door.

    Attributes:
        door: asked about everybody who comes.
    """

    door: Door = OpenDoor()
    _handshakes = 0

    async def _handle_inbound_connection(
        self, read_write_closer: ReadWriteCloser, maddr: Multiaddr
    ) -> None:
        """Serves one incoming connection as long as it lasts; its socket is closed behind it."""
        remote = read_write_closer.get_remote_address()
        if self._handshakes >= HANDSHAKES_AT_ONCE or remote is None:
            return
        if not self.door.admits(remote[0]):
            return
        self._handshakes += 1
        try:
            muxed = await self.upgrade_inbound_raw_conn(
                RawConnection(read_write_closer, False), maddr
            )
        finally:
            self._handshakes -= 1
        if isinstance(muxed, Yamux):
            await muxed.event_closed.wait()

    async def add_conn(self, muxed_conn: IMuxedConn, direction: str = "unknown") -> SwarmConn:
        """Puts a connection on the record, unless it came in and is not to stay."""
        if direction == "inbound":
            peer = name_of(muxed_conn.peer_id)
            if not self.door.keeps(peer, inbound_peers(self)):
                with trio.move_on_after(_CLOSE_SECONDS):
                    await muxed_conn.close()
                raise SwarmException(f"no room for peer {peer}")
        return await super().add_conn(muxed_conn, direction)


def inbound_peers(swarm: Swarm) -> int:
    """How many peers are connected that dialled this node."""
    return sum(
        any(isinstance(each, SwarmConn) and each.direction is Direction.INBOUND for each in of_peer)
        for of_peer in swarm.get_connections_map().values()
    )


def remote_address(swarm: Swarm, peer: ID) -> str | None:
    """The IP address that a connected peer dialled from, None if this node dialled it."""
    for each in swarm.get_connections(peer):
        muxed = each.muxed_conn
        if isinstance(muxed, Yamux) and not muxed.is_initiator:
            remote = muxed.get_remote_address()
            return None if remote is None else str(remote[0])
    return None
