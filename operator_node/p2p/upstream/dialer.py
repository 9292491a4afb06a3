"""Dials peers, at once and again.

Defect 10 of py-libp2p 0.8.1: after one failed dial the swarm refuses to dial that peer for 60 s.
Defect 11: it forgets addresses 120 s after they were handed to `connect`. Here both are reset
before each dial, and retrying is left to whoever calls, who knows how urgent the peer is.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Final

import trio
from libp2p.exceptions import BaseLibp2pError
from libp2p.host.basic_host import BasicHost
from libp2p.network.swarm import Swarm
from libp2p.peer.peerinfo import PeerInfo
from multiaddr import Multiaddr  # type: ignore[import-untyped]
from multiaddr.exceptions import Error as MultiaddrError  # type: ignore[import-untyped]

from operator_node.p2p.scoring import PeerId
from operator_node.p2p.upstream.peer_ids import id_of, name_of

DIAL_SECONDS: Final = 5.0
"""For connection, encryption and multiplexing together; a healthy peer needs a fraction."""


class Dialer:
    """Connects to peers of a host."""

    def __init__(self, host: BasicHost) -> None:
        network = host.get_network()
        if not isinstance(network, Swarm):
            raise TypeError(f"a host with a Swarm is needed, not {type(network).__name__}")
        self._host = host
        self._swarm = network

    async def dial(self, peer: PeerId, addresses: Iterable[str]) -> bool:
        """Whether there is a connection to the peer now.

        Args:
            peer: its id, base58.
            addresses: multiaddresses without the peer's id.
        """
        peer_id = id_of(peer)
        self._swarm.unblock_peer(peer_id)
        self._host.get_peerstore().clear_addrs(peer_id)
        info = PeerInfo(peer_id, list(_readable(addresses)))
        with trio.move_on_after(DIAL_SECONDS):
            try:
                await self._host.connect(info)
            except (BaseLibp2pError, OSError):
                return False  # not there, or another peer is; whoever calls tries again
        return self.is_connected(peer)

    def is_connected(self, peer: PeerId) -> bool:
        """Whether there is a usable connection to the peer."""
        return any(not each.is_closed for each in self._swarm.get_connections(id_of(peer)))

    def connected(self) -> frozenset[PeerId]:
        """Ids of all peers with a usable connection, base58."""
        return frozenset(
            name_of(peer)
            for peer, connections in self._swarm.get_connections_map().items()
            if any(not each.is_closed for each in connections)
        )

    async def hang_up(self, peer: PeerId) -> None:
        """Closes all connections to the peer."""
        await self._swarm.close_peer(id_of(peer))

    def protect(self, peer: PeerId) -> None:
        """Keeps the peer when connections are trimmed."""
        self._swarm.protect(id_of(peer), _PROTECTED)


_PROTECTED: Final = "co-operator"


def _readable(addresses: Iterable[str]) -> Iterable[Multiaddr]:
    """Those that are multiaddresses; what a peer writes into its record need not be one."""
    for address in addresses:
        with suppress(ValueError, MultiaddrError):
            yield Multiaddr(address)
