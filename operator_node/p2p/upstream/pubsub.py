"""libp2p's publish and subscribe, made anonymous, and judging messages before it forwards them.

Each override names the defect of py-libp2p 0.8.1 that it answers and can go when upstream mends
it; `tests/unit/operator_node/p2p/upstream` tells when that is.

Source: libp2p pubsub, signature policy StrictNoSign; docs/protocol.md, "Gossip validation".
"""

from __future__ import annotations

import logging
from typing import Final

import trio
from libp2p.abc import IHost, INetStream
from libp2p.network.stream.exceptions import StreamError
from libp2p.peer.id import ID
from libp2p.pubsub.pb import rpc_pb2
from libp2p.tools.timed_cache.last_seen_cache import LastSeenCache

from operator_node.p2p.intake import TIRED_SECONDS, Intake
from operator_node.p2p.scoring import Fault
from operator_node.p2p.upstream.control import ControlLimits, Kind
from operator_node.p2p.upstream.framing import CutOffError, FrameReader, FrameRoom
from operator_node.p2p.upstream.packets import packet_of
from operator_node.p2p.upstream.peer_ids import name_of
from operator_node.p2p.upstream.peer_streams import PACKET_BYTES, StreamwisePubsub
from operator_node.p2p.upstream.router import Router
from operator_node.p2p.upstream.windows import batch_window_updates
from operator_node.wire.gossip import gossip_id
from sdk.errors import PeerError

_log: Final = logging.getLogger(__name__)

SUBSCRIPTIONS_PER_PEER: Final = 256
"""All subnets of two generations."""


class AnonymousPubsub(StreamwisePubsub):
    """Sends and takes messages that consist of topic and data.

    Args:
        host: running or about to run.
        router: belongs to this object from now on.
        intake: decides about every message of a peer.
        known_topics: subscriptions of peers to other topics are not kept.
        limits: of what peers may ask for.
        room: for large packets of all peers.

    Defect 7: upstream's limit of 100 subscriptions per peer is below the 128 subnets.
    """

    def __init__(
        self,
        host: IHost,
        router: Router,
        intake: Intake,
        known_topics: frozenset[str],
        limits: ControlLimits,
        room: FrameRoom,
    ) -> None:
        super().__init__(
            host,
            router,
            strict_signing=False,
            msg_id_constructor=lambda message: gossip_id(message.data),
            max_subscriptions_per_peer=SUBSCRIPTIONS_PER_PEER,
            max_inbound_rpc_size=PACKET_BYTES,
            allowed_topics=known_topics,
        )
        self._intake = intake
        self._router = router
        self._limits = limits
        self._room = room
        unused: LastSeenCache = self.seen_messages
        # It has a thread that sleeps a minute at a time; told to end, it does so by itself.
        unused._stop_event.set()
        self.seen_messages = intake.seen  # type: ignore[assignment]  # has what is used of it

    async def publish(self, topic_id: str | list[str], data: bytes) -> None:
        """Sends a message of this node.

        Defect 2: upstream always says who sent it, even unsigned, and strict peers reject that.
        """
        topics = [topic_id] if isinstance(topic_id, str) else topic_id
        for topic in topics:
            await self.send(topic, data)

    async def send(self, topic: str, data: bytes, have_it: frozenset[ID] = frozenset()) -> None:
        """Sends a message of this node, except to peers that get it another way."""
        if self._intake.claim_own(topic, data):
            await self._router.publish(self.my_id, anonymous(topic, data), have_it)

    async def push_msg(self, msg_forwarder: ID, msg: rpc_pb2.Message) -> None:
        """Judges a message of a peer, and forwards it if it is good.

        Defects 2, 5 and 6: upstream takes messages that say who sent them; it marks a message seen
        only after validation, so that copies get through together; and it cannot ignore.
        """
        peer = name_of(msg_forwarder)
        if self._intake.refuses(peer):
            return
        if not _is_anonymous(msg):
            self._intake.blame(peer, Fault.NOT_ANONYMOUS)
            return
        topic, data = msg.topicIDs[0], msg.data
        if self._intake.take(peer, topic, data) is not None:
            await self._router.publish(msg_forwarder, anonymous(topic, data))

    def is_peer_blacklisted(self, peer_id: ID) -> bool:
        """Whether to open no stream to the peer, which is what its score says."""
        return self._intake.refuses(name_of(peer_id))

    def get_hello_packet(self) -> rpc_pb2.RPC:
        """All subscriptions, without a record of the sender, which each receiver would verify."""
        packet = super().get_hello_packet()
        packet.ClearField("senderRecord")
        return packet

    async def write_msg(self, stream: INetStream, rpc_msg: rpc_pb2.RPC) -> bool:
        """Writes a packet, without the record of the sender that upstream puts into each."""
        # An empty record instead of none is taken for an invalid one by peers.
        rpc_msg.ClearField("senderRecord")
        return await super().write_msg(stream, rpc_msg)

    async def continuously_read_stream(self, stream: INetStream) -> None:
        """Reads packets until the stream ends; one after the other, in the peer's order.

        Upstream reads byte by byte (see `framing`), starts a task per message, verifies a record
        of the sender per packet, and lets bytes that are no packet end the whole service.
        """
        peer = stream.muxed_conn.peer_id
        name = name_of(peer)
        batch_window_updates(stream)
        scope = self._begin_inbound(peer)
        try:
            with scope:
                await self._read_packets(stream, peer)
                return
        except StreamError:
            return  # the connection ended, in whatever way
        except CutOffError as problem:
            _log.debug("reading from peer %s ended: %s", name, problem)
        except PeerError as problem:
            _log.info("peer %s sent a broken packet: %s", name, problem)
            self._intake.blame(name, Fault.BROKEN_FRAME)
        except Exception:
            # The outer boundary of this stream's task: whatever one packet sets off must not end
            # the service that serves all peers.
            _log.exception("reading from peer %s failed", name)
        finally:
            self._end_inbound(peer, scope)
        await stream.reset()

    async def _read_packets(self, stream: INetStream, peer: ID) -> None:
        name = name_of(peer)
        frames = FrameReader(stream, limit_bytes=PACKET_BYTES, room=self._room)
        while (frame := await frames.read()) is not None:
            self._intake.hear(name)
            await self._use(packet_of(frame), peer)
            if self._intake.is_tired_of(name):
                await trio.sleep(TIRED_SECONDS)

    async def _use(self, packet: rpc_pb2.RPC, peer: ID) -> None:
        count = len(packet.subscriptions)
        if count and self._limits.admits(peer, Kind.SUBSCRIPTION, count):
            for subscription in packet.subscriptions[: SUBSCRIPTIONS_PER_PEER * 2]:
                self.handle_subscription(peer, subscription)
        for message in packet.publish:
            await self.push_msg(peer, message)
        if packet.HasField("control"):
            await self.router.handle_rpc(packet, peer)


def anonymous(topic: str, data: bytes) -> rpc_pb2.Message:
    """A message of nothing but topic and data."""
    return rpc_pb2.Message(topicIDs=[topic], data=data)


def _is_anonymous(msg: rpc_pb2.Message) -> bool:
    names_sender = any(msg.HasField(name) for name in ("from_id", "seqno", "signature", "key"))
    return not names_sender and len(msg.topicIDs) == 1
