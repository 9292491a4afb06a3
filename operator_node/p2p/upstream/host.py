"""A libp2p host: TCP, Noise, Yamux, and no opinions of its own about whom to connect to.

py-libp2p 0.8.1 offers plaintext and secio besides by default, so that a peer could choose a
connection on which nobody proves who he is; it connects to known peers by itself until half of the
allowed connections are used; it lets unprotected peers go by rules of its own; and it retries dials
inside a dial. All four are switched off. It listens with SO_REUSEPORT, so that two nodes on one
port would get each other's connections; hence `is_free`.
"""

from __future__ import annotations

import socket
from typing import Final

from libp2p.crypto.keys import KeyPair
from libp2p.crypto.x25519 import create_new_key_pair
from libp2p.custom_types import TProtocol
from libp2p.host.basic_host import BasicHost
from libp2p.network.auto_connector import AutoConnector
from libp2p.network.config import ConnectionConfig, RetryConfig
from libp2p.peer.id import ID
from libp2p.peer.peerstore import PeerStore
from libp2p.security.noise.transport import PROTOCOL_ID as NOISE
from libp2p.security.noise.transport import Transport as NoiseTransport
from libp2p.transport.tcp.tcp import TCP
from libp2p.transport.upgrader import TransportUpgrader
from multiaddr import Multiaddr  # type: ignore[import-untyped]

from operator_node.p2p.upstream.connections import OneConnection
from operator_node.p2p.upstream.door import Door, GuardedSwarm, OpenDoor
from operator_node.p2p.upstream.muxer import BoundedMuxers
from operator_node.p2p.upstream.peer_ids import name_of

CONNECTIONS: Final = 166
"""The network's upper bound of peers, 150, and a few that are just replaced by others."""
_CONNECTIONS_PER_PEER: Final = 2
"""Two are made when both sides dial at the same time; `connections` then ends one of them."""
_HANDSHAKE_SECONDS: Final = 8.0
"""A healthy peer needs a fraction; nodes that start together on one machine need seconds."""


def new_host(key: KeyPair, door: Door | None = None) -> BasicHost:
    """A host that goes by the peer id of `key`; it listens once it is run.

    Args:
        key: secp256k1.
        door: who may come in; everybody by default.
    """
    noise = NoiseTransport(key, noise_privkey=create_new_key_pair().private_key)
    me = ID.from_pubkey(key.public_key)
    peers = PeerStore()
    peers.add_key_pair(me, key)
    upgrader = TransportUpgrader({TProtocol(NOISE): noise}, {})
    upgrader.muxer_multistream = BoundedMuxers()
    swarm = GuardedSwarm(
        me,
        peers,
        upgrader,
        transports=[TCP()],
        retry_config=RetryConfig(max_retries=0),
        connection_config=ConnectionConfig(
            max_connections=CONNECTIONS,
            high_watermark=CONNECTIONS,
            low_watermark=0,
            min_connections=0,
            max_connections_per_peer=_CONNECTIONS_PER_PEER,
            inbound_upgrade_timeout=_HANDSHAKE_SECONDS,
        ),
    )
    swarm.door = OpenDoor() if door is None else door
    swarm.auto_connector = Unhurried(swarm)
    swarm.register_notifee(OneConnection(swarm, name_of(me)))
    return BasicHost(swarm)


class Unhurried(AutoConnector):
    """Connects to nobody: whom to dial is decided by `operator_node.p2p.redial` alone.

    Upstream's aims for half of the upper bound of connections, and has no switch.
    """

    async def maybe_connect(self) -> None:
        """Does nothing."""


def is_free(address: Multiaddr) -> bool:
    """Whether nobody listens on a TCP multiaddress of an IP address of this machine."""
    text = str(address)
    is_v6 = text.startswith("/ip6/")
    family = socket.AF_INET6 if is_v6 else socket.AF_INET
    host = address.value_for_protocol("ip6" if is_v6 else "ip4")
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # Without it, connections that ended a minute ago would count as somebody.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(address.value_for_protocol("tcp"))))
        except OSError:
            return False
    return True
