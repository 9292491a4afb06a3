"""libp2p's gossip router, with what stands against an anonymous network taken out.

Each override names the defect of py-libp2p 0.8.1 that it answers and can go when upstream mends
it; `tests/unit/operator_node/p2p/upstream` tells when that is. Never validates.

Source: libp2p gossipsub 1.1; docs/protocol.md, "Topics and gossip ids".
"""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Final

from libp2p.custom_types import TProtocol
from libp2p.peer.id import ID
from libp2p.pubsub.gossipsub import PROTOCOL_ID_V11, GossipSub
from libp2p.pubsub.mcache import CacheEntry, MessageCache
from libp2p.pubsub.pb import rpc_pb2
from libp2p.pubsub.score import ScoreParams, TopicScoreParams

from operator_node.p2p.upstream.control import ControlLimits, Kind
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
        limits: of what peers may ask for.
        is_kept: whether a peer is a co-operator or trusted: first into a mesh, last out of it.

    Settings against upstream's defaults: /meshsub/1.1.0 alone, because 1.2 sends an IDONTWANT per
    message and peer whatever its size; spam protection off (defect 4: ten messages a second of a
    peer and topic, the rest dropped silently); no adaptive degrees, no grafts by IP address, which
    ignore back-off. Defect 9: score parameters are simplified, so scores are ours. Upstream also
    takes as many peers into a mesh as ask, and lets any of them go at the next heartbeat; whoever
    asks often enough would have the mesh for himself. And it keeps every back-off for good.
    """

    def __init__(
        self,
        *,
        score: Callable[[ID], float],
        limits: ControlLimits,
        is_kept: Callable[[ID], bool] = lambda _peer: False,
    ) -> None:
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
        self._limits = limits
        self._score = score
        self._is_kept = is_kept
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
        self._answer(peer_id, self.mcache.window(topic))

    # What peers ask for

    async def handle_rpc(self, rpc: rpc_pb2.RPC, sender_peer_id: ID) -> None:
        """Does what a peer asks for, within its budgets."""
        self._limits.trim(sender_peer_id, rpc.control)
        await super().handle_rpc(rpc, sender_peer_id)

    async def handle_iwant(self, iwant_msg: rpc_pb2.ControlIWant, sender_peer_id: ID) -> None:
        """Sends messages that a peer lacks."""
        self._answer(sender_peer_id, iwant_msg.messageIDs)

    async def handle_graft(self, graft_msg: rpc_pb2.ControlGraft, sender_peer_id: ID) -> None:
        """Takes a peer into a mesh, if there is room and it did not have to stay out."""
        topic = graft_msg.topicID
        mesh = self.mesh.get(topic, set())
        if self._check_back_off(sender_peer_id, topic):
            self._limits.blame_early_graft(sender_peer_id)
        is_full = sender_peer_id not in mesh and len(mesh) >= MESH_HIGH
        if is_full and not self._is_kept(sender_peer_id):
            self._add_back_off(sender_peer_id, topic, is_unsubscribe=False)
            await self.emit_prune(topic, sender_peer_id, do_px=False, is_unsubscribe=False)
            return
        await super().handle_graft(graft_msg, sender_peer_id)

    def _answer(self, peer: ID, message_ids: Iterable[bytes]) -> None:
        """Queues the messages that are still there, as many as the peer may ask for."""
        found = (self.mcache.get(each) for each in dict.fromkeys(message_ids))
        answer: list[rpc_pb2.Message] = []
        for message in found:
            if message is None:
                continue
            if not self._limits.admits(peer, Kind.ANSWER_BYTES, len(message.data)):
                break
            answer.append(message)
        if answer:
            self.send_rpc(peer, rpc_pb2.RPC(publish=answer))

    # Who is in a mesh

    def mesh_heartbeat(
        self,
    ) -> tuple[defaultdict[ID, list[str]], defaultdict[ID, list[str]]]:
        """Fills meshes up and thins them out; a new time for all budgets begins."""
        self._limits.turn()
        self._forget_back_offs()
        return super().mesh_heartbeat()

    def _get_in_topic_gossipsub_peers_from_minus(
        self, topic: str, num_to_select: int, minus: Iterable[ID], backoff_check: bool = False
    ) -> list[ID]:
        """Some of a topic's peers: those that are to be kept, and any of the others."""
        everybody = super()._get_in_topic_gossipsub_peers_from_minus(
            topic, len(self.peer_protocol), minus, backoff_check
        )
        random.shuffle(everybody)
        everybody.sort(key=self._is_kept, reverse=True)
        return everybody[: max(num_to_select, 0)]

    def _select_peers_for_pruning(self, topic: str, num_to_prune: int) -> list[ID]:
        """Whom to show out of a mesh: strangers with the lowest score first."""
        peers = list(self.mesh.get(topic, ()))
        random.shuffle(peers)
        peers.sort(key=lambda peer: (self._is_kept(peer), self._score(peer)))
        return peers[: max(num_to_prune, 0)]

    def _forget_back_offs(self) -> None:
        now = time.time()
        for topic, until in list(self.back_off.items()):
            self.back_off[topic] = {peer: at for peer, at in until.items() if at > now}
