"""libp2p's gossip router, with what stands against an anonymous network taken out.

Each override names the defect of py-libp2p 0.8.1 that it answers and can go when upstream mends
it; `tests/unit/operator_node/p2p/upstream` tells when that is. Never validates.

Source: libp2p gossipsub 1.1; docs/protocol.md, "Topics and gossip ids".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Final

from libp2p.custom_types import TProtocol
from libp2p.peer.id import ID
from libp2p.pubsub.gossipsub import PROTOCOL_ID_V11, GossipSub
from libp2p.pubsub.mcache import CacheEntry, MessageCache
from libp2p.pubsub.pb import rpc_pb2
from libp2p.pubsub.score import ScoreParams, TopicScoreParams

from operator_node.wire.gossip import gossip_id

HEARTBEAT_SECONDS: Final = 0.7
"""As on the network. Upstream's default is 120 s, which leaves meshes broken for as long."""
MESH_DEGREE: Final = 8
MESH_LOW: Final = 6
MESH_HIGH: Final = 12
HEARTBEATS_OFFERED: Final = 4
"""For so many heartbeats a message is offered to peers outside the mesh."""
HEARTBEATS_KEPT: Final = 6
OFFERS_PER_HEARTBEAT: Final = 2000
"""Of one topic to one peer: above any load this is built for, 24 kB."""
CACHE_BYTES: Final = 64 * 1024 * 1024
"""A dozen messages of the largest size; prepares and commits have 1 kB."""


class ContentCache(MessageCache):
    """Recent messages by the network's id.

    Defect 3: upstream's goes by `from` and `seqno`, which anonymous messages do not have, so that
    all of them are one, and offered messages cannot be asked for. It has no bound in bytes either.
    """

    def __init__(self, window_size: int, history_size: int) -> None:
        super().__init__(window_size, history_size)
        self._bytes = 0

    def put(self, msg: rpc_pb2.Message) -> None:
        """Keeps the message, unless there is no room."""
        message_id = gossip_id(msg.data)
        if message_id in self.msgs or self._bytes + len(msg.data) > CACHE_BYTES:
            return
        self.msgs[message_id] = msg
        self.history[0].append(CacheEntry(message_id, msg.topicIDs))
        self._bytes += len(msg.data)

    def shift(self) -> None:
        """Ends a heartbeat's time, and forgets the oldest."""
        super().shift()
        self._bytes = sum(len(msg.data) for msg in self.msgs.values())


class Router(GossipSub):
    """Keeps the meshes and sends messages into them.

    Args:
        score: of a peer; 0 or less. Meshes prefer better peers.

    Settings against upstream's defaults: /meshsub/1.1.0 alone, because 1.2 sends an IDONTWANT per
    message and peer whatever its size; spam protection off (defect 4: ten messages a second of a
    peer and topic, the rest dropped silently); no adaptive degrees, no grafts by IP address, which
    ignore back-off. Defect 9: score parameters are simplified, so scores are ours.
    """

    def __init__(self, *, score: Callable[[ID], float]) -> None:
        super().__init__(
            protocols=[TProtocol(PROTOCOL_ID_V11)],
            degree=MESH_DEGREE,
            degree_low=MESH_LOW,
            degree_high=MESH_HIGH,
            heartbeat_interval=HEARTBEAT_SECONDS,  # type: ignore[arg-type]  # only ever slept
            score_params=ScoreParams(
                p1_time_in_mesh=TopicScoreParams(),
                p6_appl_slack_weight=1.0,
                app_specific_score_fn=score,
            ),
            adaptive_gossip_enabled=False,
            spam_protection_enabled=False,
            eclipse_protection_enabled=False,
        )
        self.mcache = ContentCache(HEARTBEATS_OFFERED, HEARTBEATS_KEPT)
        self._offers: defaultdict[ID, defaultdict[str, list[bytes]]] = defaultdict(
            lambda: defaultdict(list)
        )

    async def publish(
        self,
        msg_forwarder: ID,
        pubsub_msg: rpc_pb2.Message,
        have_it: frozenset[ID] = frozenset(),
    ) -> None:
        """Sends a message to the mesh of its topic, except to who brought it.

        Those that are said to have it get only its id, with the next heartbeat; if they lack the
        message after all, they ask for it.

        Defect 1: upstream takes every anonymous message after the first for equivocation. It also
        keeps copies, up to a hundred a peer, for connected peers that did not subscribe, signs a
        record of the sender into each packet, and counts deliveries without a bound.
        """
        if self.pubsub is None:
            return
        self.mcache.put(pubsub_msg)
        packet = rpc_pb2.RPC(publish=[pubsub_msg])
        own = self.pubsub.my_id
        topic = pubsub_msg.topicIDs[0]
        for peer in self._get_peers_to_send([topic], msg_forwarder, own):
            if peer in have_it:
                offers = self._offers[peer][topic]
                offers.append(gossip_id(pubsub_msg.data))
                del offers[:-OFFERS_PER_HEARTBEAT]
            else:
                self.send_rpc(peer, packet)

    def gossip_heartbeat(self) -> defaultdict[ID, dict[str, list[bytes]]]:
        """Which message ids to offer to whom: upstream's choice, outside the meshes, and ours."""
        chosen = super().gossip_heartbeat()
        for peer, offers in self._offers.items():
            for topic, ids in offers.items():
                chosen[peer].setdefault(topic, []).extend(ids)
        self._offers.clear()
        return chosen

    async def send_recent_messages(self, peer_id: ID, topic: str) -> None:
        """Gives a new subscriber the messages of the last heartbeats, through the peer's queue.

        Upstream writes them to the stream while the queue's task writes, too: large messages of
        both would be cut into each other.
        """
        recent = [self.mcache.get(message_id) for message_id in self.mcache.window(topic)]
        if messages := [each for each in recent if each is not None]:
            self.send_rpc(peer_id, rpc_pb2.RPC(publish=messages))
