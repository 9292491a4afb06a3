"""Dials peers, at once and again.

Defect 10 of py-libp2p 0.8.1: after one failed dial the swarm refuses to dial that peer for 60 s.
Defect 11: it forgets addresses 120 s after they were handed to `connect`. Here both are reset
before each dial, and retrying is left to whoever calls, who knows how urgent the peer is. It also
dials the first TCP address of a peer and no other, and takes a connection that is just ending for
one that is there; here addresses are tried one after the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Final

import trio
from libp2p.exceptions import BaseLibp2pError
from libp2p.host.basic_host import BasicHost
from libp2p.network.swarm import Swarm
from multiaddr import Multiaddr  # type: ignore[import-untyped]
from multiaddr.exceptions import Error as MultiaddrError  # type: ignore[import-untyped]

from operator_node.p2p.scoring import PeerId
from operator_node.p2p.upstream.connections import DIAL_SECONDS, close_all
from operator_node.p2p.upstream.door import remote_address
from operator_node.p2p.upstream.peer_ids import id_of, name_of

_ADDRESS_SECONDS: Final = 120
"""For which an address is handed over; more than a dial takes."""
_UNREADABLE: Final = (ValueError, MultiaddrError)
_FAILURES: Final = (BaseLibp2pError, OSError, *_UNREADABLE)
"""Of one dial. An address is what a peer wrote: whatever is wrong with it costs that dial alone."""


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
        peer_id, store = id_of(peer), self._host.get_peerstore()
        for address in _readable(addresses):
            self._swarm.unblock_peer(peer_id)
            store.clear_addrs(peer_id)
            store.add_addrs(peer_id, [address], _ADDRESS_SECONDS)
            with trio.move_on_after(DIAL_SECONDS), suppress(*_FAILURES):
                await self._swarm.dial_peer(peer_id)
            if self.is_connected(peer):
                return True
        return False  # not there, or another peer is; whoever calls tries again

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
        await close_all(self._swarm.get_connections(id_of(peer)))

    async def hang_up_on_all(self) -> None:
        """Closes all connections."""
        await close_all(self._swarm.get_connections())

    def came_from(self, peer: PeerId) -> str | None:
        """The IP address that a connected peer dialled from; None if this node dialled it."""
        return remote_address(self._swarm, id_of(peer))


def _readable(addresses: Iterable[str]) -> Iterable[Multiaddr]:
    """Those that are multiaddresses; what a peer writes into its record need not be one."""
    for address in addresses:
        with suppress(*_UNREADABLE):
            found = Multiaddr(address)
            list(found.protocols())  # some are taken and cannot be read: /ip6zone/x/ip6/fe80::1
            yield found
