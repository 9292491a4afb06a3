"""libp2p's publish and subscribe, with what is known of a peer bound to the streams it came by.

Each side sends on a stream of its own: all its subscriptions first. py-libp2p 0.8.1 keeps what it
knows by peer, not by stream, and so loses peers that come back:

- A peer that is connected anew while its old stream is still on record is passed over ("already
  has pubsub stream"), so that it never hears of our subscriptions and stays outside the mesh.
- When the stream on which we send breaks, what came on the peer's own stream is forgotten, too;
  the peer sends its subscriptions once and not again.
- Nobody listens on the stream on which we send, so that its end shows with the next packet only.
- A stream that cannot be opened because its connection just ended is tried again for some
  exceptions and never again for others, though there is another connection.
- A subscription made while the first packet is on its way reaches nobody.

Here a stream lasts as long as it is open, and what was said on it no longer. Whoever is connected
has one, or is tried again, ever slower. Never judges messages.

Source: libp2p pubsub, "Connection and stream management"; docs/protocol.md.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Final

import trio
from libp2p.abc import INetStream
from libp2p.exceptions import BaseLibp2pError
from libp2p.peer.id import ID
from libp2p.pubsub.gossipsub import GossipSub
from libp2p.pubsub.pb import rpc_pb2
from libp2p.pubsub.pubsub import Pubsub
from libp2p.pubsub.rpc_queue import RpcQueue

from operator_node.p2p.upstream.framing import framed
from operator_node.p2p.upstream.peer_ids import name_of

_log: Final = logging.getLogger(__name__)

PACKET_BYTES: Final = 10 * 1024 * 1024
"""The largest message has 9,589,483 bytes; the rest is for its topic and for control."""
QUEUED_PACKETS: Final = 512
"""Per peer. A slot's messages of the largest node, all at once."""
QUEUED_BYTES: Final = 16 * 1024 * 1024
"""Per peer: one message of the largest size and the rest of a slot. Upstream has no such bound."""
WRITE_SECONDS: Final = 10.0
"""For one packet; a peer that takes longer does not read, and loses the stream with its queue."""
OPEN_SECONDS: Final = 10.0
"""For a stream on a connection that stands: milliseconds, but seconds on a machine that is busy
with the handshakes of a start, where giving up and beginning again makes it busier."""
FIRST_WAIT_SECONDS: Final = 0.25
LONGEST_WAIT_SECONDS: Final = 30.0
"""Between attempts; peers that do not speak the protocol cost a packet each time."""
_RESET_SECONDS: Final = 1.0
"""For telling the peer that a stream has ended."""


class ByteBoundQueue(RpcQueue):
    """What waits to be sent to a peer, bounded in bytes, too."""

    _bytes = 0

    def push(self, rpc: rpc_pb2.RPC, priority: bool = False) -> bool:
        """Whether there was room for a packet."""
        size = rpc.ByteSize()
        if self._bytes + size > QUEUED_BYTES or not super().push(rpc, priority):
            return False
        self._bytes += size
        return True

    async def pop(self) -> rpc_pb2.RPC | None:
        """The next packet, None at the end."""
        packet = await super().pop()
        if packet is not None:
            self._bytes -= packet.ByteSize()
        return packet


class StreamwisePubsub(Pubsub):
    """Opens one stream to each peer, and forgets what a peer said when its own stream ends."""

    router: GossipSub

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self._inbound: dict[ID, trio.CancelScope] = {}
        """Ends the reading of each peer's newest stream."""
        self._opening: dict[ID, trio.Event] = {}
        """Peers to which a stream is being opened, and what tells of another connection."""

    # The stream on which we send

    async def _handle_new_peer_with_retry(self, peer_id: ID, _timeout: float | None = None) -> None:
        """Opens a stream to a peer, and tries again while it is connected; one task per peer.

        Upstream calls it for each new connection; here also when a stream has ended.
        """
        if peer_id in self._opening:
            self._opening[peer_id].set()
            return
        wait = FIRST_WAIT_SECONDS
        try:
            while self._wants_stream(peer_id):
                news = self._opening[peer_id] = trio.Event()
                with trio.move_on_after(OPEN_SECONDS):
                    await self._handle_new_peer(peer_id)
                if self._wants_stream(peer_id):
                    with trio.move_on_after(wait):
                        await news.wait()
                    wait = FIRST_WAIT_SECONDS if news.is_set() else 2 * wait
                    wait = min(wait, LONGEST_WAIT_SECONDS)
        finally:
            self._opening.pop(peer_id, None)

    def _wants_stream(self, peer: ID) -> bool:
        is_ours = peer not in self.peers and not self.is_peer_blacklisted(peer)
        return is_ours and self._peer_is_connected(peer)

    async def _handle_new_peer(self, peer_id: ID) -> None:
        """Opens a stream to a peer, on which our subscriptions come first."""
        try:
            stream = await self.host.new_stream(peer_id, self.protocols)
        except (BaseLibp2pError, OSError) as problem:
            _log.debug("no stream to peer %s: %s", name_of(peer_id), problem)
            return
        # No await from here on: a subscription is either in the first packet or queued behind it.
        queue = ByteBoundQueue(QUEUED_PACKETS, PACKET_BYTES)
        queue.push(self.get_hello_packet(), priority=True)
        self.router.add_peer(peer_id, stream.get_protocol())
        self.peers[peer_id] = stream
        self.peer_queues[peer_id] = queue
        self.manager.run_task(self.handle_sending_messages, peer_id, stream, queue)
        await self._send_recent_messages_to_new_peer(peer_id)

    async def handle_sending_messages(
        self, peer_id: ID, stream: INetStream, queue: RpcQueue
    ) -> None:
        """Sends what is queued for a peer until the stream ends, at either side."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(cancel_at_end, stream, nursery.cancel_scope)
                while (packet := await queue.pop()) is not None:
                    await self.write_msg(stream, packet)
                nursery.cancel_scope.cancel()
        except* (BaseLibp2pError, trio.TooSlowError) as problems:
            _log.debug("sending to peer %s ended: %s", name_of(peer_id), problems.exceptions)
        finally:
            self._lose_stream(peer_id, stream)
            with trio.CancelScope(shield=True), trio.move_on_after(_RESET_SECONDS):
                await stream.reset()

    async def write_msg(self, stream: INetStream, rpc_msg: rpc_pb2.RPC) -> bool:
        """Writes a packet; where upstream gives up the peer, this raises what the stream did."""
        with trio.fail_after(WRITE_SECONDS):
            await stream.write(framed(rpc_msg.SerializeToString()))
        return True

    def _lose_stream(self, peer: ID, stream: INetStream) -> None:
        """Takes a stream off the record, unless it was replaced, and has it opened anew."""
        if self.peers.get(peer) is not stream:
            return
        del self.peers[peer]
        self.peer_queues.pop(peer).close()
        self._clear_pending_announce_retries_for_peer(peer)
        self.router.remove_peer(peer)
        if self.manager.is_running:
            self.manager.run_task(self._handle_new_peer_with_retry, peer)

    def _handle_dead_peer(self, peer_id: ID) -> None:
        """Upstream calls it for a peer without a connection."""
        if (stream := self.peers.get(peer_id)) is not None:
            self._lose_stream(peer_id, stream)

    # The stream on which the peer sends

    def known_of(self, peer: ID) -> tuple[bool, int]:
        """Whether a peer has a stream to this node, and how many subscriptions came on it."""
        return peer in self._inbound, self._peer_subscription_count.get(peer, 0)

    def _begin_inbound(self, peer: ID) -> trio.CancelScope:
        """Takes a peer's new stream for the one that counts; it says everything again.

        It is read in the scope that this gives, which the next stream ends: a stream that is reset
        at this end does not wake who reads from it, so that each would leave a task behind.
        """
        before, scope = self._inbound.get(peer), trio.CancelScope()
        self._inbound[peer] = scope
        if before is not None:
            self._forget_all_subscriptions(peer)
            before.cancel()
        return scope

    def _end_inbound(self, peer: ID, scope: trio.CancelScope) -> None:
        """Forgets what a peer said on a stream that has ended, unless it opened another one."""
        if self._inbound.get(peer) is not scope:
            return
        del self._inbound[peer]
        self._forget_all_subscriptions(peer)
        for topic in self.router.mesh.values():
            topic.discard(peer)


async def cancel_at_end(stream: INetStream, scope: trio.CancelScope) -> None:
    """Peers write nothing on a stream of ours: whatever there is to read is its end."""
    with suppress(BaseLibp2pError):
        await stream.read(1)
    scope.cancel()
