"""Direct streams between operators: messages without a detour through the mesh.

A stream of the same authenticated connection, one in each direction, opened before it is needed.
What comes in passes the same gate as gossip and is known by content, so that a message which takes
both ways is judged once. A peer that does not keep up loses its stream, and gossip remains.

A frame is the topic's length (1 byte), the topic, the number of operators that get the message
directly (1 byte), their ids (8 bytes each, little-endian), the data. Whoever takes the message need
not forward it to these, if the one who says so is the one who signed the message: all that he could
suppress with a lie is what he says himself.

Source: docs/protocol.md, "Topics and gossip ids".
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, TypeAlias

import trio
from libp2p.abc import INetStream
from libp2p.custom_types import TProtocol
from libp2p.exceptions import BaseLibp2pError
from libp2p.host.basic_host import BasicHost
from libp2p.io.exceptions import IOException

from operator_node.p2p.intake import TIRED_SECONDS, Intake
from operator_node.p2p.scoring import Fault, PeerId
from operator_node.p2p.upstream.framing import CutOffError, FrameReader, FrameRoom, framed
from operator_node.p2p.upstream.peer_ids import id_of, name_of
from operator_node.p2p.upstream.peer_streams import PACKET_BYTES, cancel_at_end
from operator_node.p2p.upstream.windows import batch_window_updates
from operator_node.validation.verdict import Accept
from sdk.errors import PeerError
from sdk.types import OperatorId

_log: Final = logging.getLogger(__name__)

PROTOCOL: Final = TProtocol("/phalanx/direct/1")
QUEUED_MESSAGES: Final = 512
"""Per peer, as in gossip."""
QUEUED_BYTES: Final = 32 * 1024 * 1024
"""Per peer: three messages of the largest size."""
WRITE_SECONDS: Final = 5.0
"""For one write; a peer that takes longer is dropped."""
OPEN_SECONDS: Final = 10.0
"""As for the streams of gossip: `operator_node.p2p.upstream.peer_streams`."""
OPERATORS_NAMED: Final = 64
"""In one frame; committees have 13 at most, a topic can have a few committees of ours."""
FIRST_PAUSE_SECONDS: Final = 0.5
"""After a stream could not be opened: perhaps its connection just ended, and there is another."""
LONGEST_PAUSE_SECONDS: Final = 60.0
"""Peers that do not speak this protocol cost a packet each time."""
_ID_BYTES: Final = 8
_BATCH_BYTES: Final = 64 * 1024
"""Messages that wait together are written together."""


@dataclass(frozen=True, slots=True)
class DirectMessage:
    """What a peer sent.

    Attributes:
        reached: operators that get it directly, as the peer says.
    """

    topic: str
    reached: tuple[OperatorId, ...]
    data: bytes


Forward: TypeAlias = Callable[[PeerId, DirectMessage, Accept], Awaitable[None]]
"""Passes a message on by gossip: who brought it, what, and how it was accepted."""


@dataclass(slots=True)
class _Outgoing:
    """A queue for a peer, and how much is in it."""

    send: trio.MemorySendChannel[bytes]
    receive: trio.MemoryReceiveChannel[bytes]
    queued_bytes: int = 0


@dataclass(frozen=True, slots=True)
class _Pause:
    """Until when a peer is left alone, and how long that is."""

    seconds: float
    until: float


class DirectStreams:
    """Sends to peers directly, and takes what they send.

    Args:
        host: serves the protocol from now on.
        intake: judges what comes in.
        forward: called with what was accepted.
        nursery: in which the streams' tasks run.
        room: for large messages of all peers.
    """

    def __init__(
        self,
        host: BasicHost,
        intake: Intake,
        forward: Forward,
        nursery: trio.Nursery,
        room: FrameRoom | None = None,
    ) -> None:
        self._host = host
        self._room = FrameRoom() if room is None else room
        self._intake = intake
        self._forward = forward
        self._nursery = nursery
        self._outgoing: dict[PeerId, _Outgoing] = {}
        self._incoming: dict[PeerId, trio.CancelScope] = {}
        """Ends the reading of each peer's newest stream."""
        self._pauses: dict[PeerId, _Pause] = {}
        """Of connected peers to which no stream could be opened."""
        host.set_stream_handler(PROTOCOL, self._serve)

    def keep(self, peers: Iterable[PeerId]) -> None:
        """Opens streams to these peers where there are none; others are told apart as gone."""
        wanted = set(peers)
        for peer in self._pauses.keys() - wanted:
            del self._pauses[peer]
        now = trio.current_time()
        for peer in wanted - self._outgoing.keys():
            if peer not in self._pauses or self._pauses[peer].until <= now:
                self._open(peer)

    def send(self, peer: PeerId, message: DirectMessage) -> bool:
        """Whether the message is on its way; it may still be lost with the connection."""
        return self._send_frame(peer, _frame(message))

    def send_all(self, peers: Mapping[OperatorId, PeerId], topic: str, data: bytes) -> set[PeerId]:
        """Sends a message to all of these that have streams; to whom it is on its way."""
        reached = {each: peer for each, peer in peers.items() if peer in self._outgoing}
        if not reached:
            return set()
        frame = _frame(DirectMessage(topic, tuple(reached)[:OPERATORS_NAMED], data))
        return {peer for peer in reached.values() if self._send_frame(peer, frame)}

    def _send_frame(self, peer: PeerId, frame: bytes) -> bool:
        outgoing = self._outgoing.get(peer)
        if outgoing is None:
            return False
        if outgoing.queued_bytes + len(frame) > QUEUED_BYTES:
            self._drop(peer, outgoing)
            return False
        try:
            outgoing.send.send_nowait(frame)
        except trio.WouldBlock:
            self._drop(peer, outgoing)
            return False
        except trio.BrokenResourceError:
            return False  # its task is ending
        outgoing.queued_bytes += len(frame)
        return True

    def reaches(self, peer: PeerId) -> bool:
        """Whether there is a stream to the peer."""
        return peer in self._outgoing

    def _open(self, peer: PeerId) -> None:
        outgoing = _Outgoing(*trio.open_memory_channel[bytes](QUEUED_MESSAGES))
        self._outgoing[peer] = outgoing
        self._nursery.start_soon(self._write, peer, outgoing)

    def _drop(self, peer: PeerId, outgoing: _Outgoing) -> None:
        _log.info("peer %s does not keep up with direct messages", peer)
        outgoing.send.close()
        outgoing.receive.close()
        if self._outgoing.get(peer) is outgoing:
            del self._outgoing[peer]

    async def _write(self, peer: PeerId, outgoing: _Outgoing) -> None:
        """The task of one stream: everything that is queued for the peer, until it breaks."""
        try:
            if (stream := await self._stream_to(peer)) is not None:
                await _send(outgoing, stream)
        finally:
            outgoing.send.close()
            outgoing.receive.close()
            if self._outgoing.get(peer) is outgoing:
                del self._outgoing[peer]

    async def _stream_to(self, peer: PeerId) -> INetStream | None:
        """A new stream, None if there is none to be had: no connection, or another protocol."""
        with trio.move_on_after(OPEN_SECONDS), suppress(BaseLibp2pError):
            stream = await self._host.new_stream(id_of(peer), [PROTOCOL])
            self._pauses.pop(peer, None)
            return stream
        last = self._pauses.get(peer)
        seconds = FIRST_PAUSE_SECONDS if last is None else 2 * last.seconds
        seconds = min(seconds, LONGEST_PAUSE_SECONDS)
        self._pauses[peer] = _Pause(seconds, trio.current_time() + seconds)
        return None

    async def _serve(self, stream: INetStream) -> None:
        """Takes a peer's messages until its stream ends, or it opens another one."""
        peer = name_of(stream.muxed_conn.peer_id)
        batch_window_updates(stream)
        before, scope = self._incoming.get(peer), trio.CancelScope()
        self._incoming[peer] = scope
        if before is not None:
            # One at a time, or a peer could fill the room for large messages with all its streams.
            # A stream that is reset at this end does not wake who reads from it; so it is told.
            before.cancel()
        try:
            with scope:
                await self._read(stream, peer)
        except IOException:
            return  # the connection ended
        except CutOffError as problem:
            _log.debug("reading a direct stream of peer %s ended: %s", peer, problem)
        except PeerError as problem:
            _log.info("peer %s sent a broken direct message: %s", peer, problem)
            self._intake.blame(peer, Fault.BROKEN_FRAME)
        except Exception:
            # The outer boundary of this stream's task, as for gossip.
            _log.exception("reading a direct stream of peer %s failed", peer)
        finally:
            if self._incoming.get(peer) is scope:
                del self._incoming[peer]
        await stream.reset()

    async def _read(self, stream: INetStream, peer: PeerId) -> None:
        frames = FrameReader(stream, limit_bytes=PACKET_BYTES, room=self._room)
        while (frame := await frames.read()) is not None and not self._intake.refuses(peer):
            message = _message(frame)
            self._intake.hear(peer)
            accepted = self._intake.take(peer, message.topic, message.data)
            if accepted is not None:
                await self._forward(peer, message, accepted)
            if self._intake.is_tired_of(peer):
                await trio.sleep(TIRED_SECONDS)


async def _send(outgoing: _Outgoing, stream: INetStream) -> None:
    """Writes what is queued until the stream ends, at either side."""
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(cancel_at_end, stream, nursery.cancel_scope)
            async for frame in outgoing.receive:
                batch = _with_waiting(frame, outgoing.receive)
                outgoing.queued_bytes -= len(batch)
                with trio.fail_after(WRITE_SECONDS):
                    await stream.write(batch)
            nursery.cancel_scope.cancel()
    except* (BaseLibp2pError, trio.TooSlowError, trio.ClosedResourceError):
        pass  # the connection broke, or the peer does not keep up
    finally:
        with trio.CancelScope(shield=True), trio.move_on_after(1):
            await stream.reset()


def _with_waiting(first: bytes, receive: trio.MemoryReceiveChannel[bytes]) -> bytes:
    batch = [first]
    size = len(first)
    while size < _BATCH_BYTES:
        try:
            batch.append(receive.receive_nowait())
        except (trio.WouldBlock, trio.EndOfChannel):
            break
        size += len(batch[-1])
    return b"".join(batch)


def _frame(message: DirectMessage) -> bytes:
    topic = message.topic.encode()
    operators = b"".join(each.to_bytes(_ID_BYTES, "little") for each in message.reached)
    head = bytes([len(topic)]) + topic + bytes([len(message.reached)]) + operators
    return framed(head + message.data)


def _message(frame: bytes) -> DirectMessage:
    topic_end = 1 + frame[0] if frame else 1
    count = frame[topic_end] if len(frame) > topic_end else 0
    start = topic_end + 1 + count * _ID_BYTES
    if len(frame) <= start or count > OPERATORS_NAMED:
        raise PeerError("a direct message that ends before its data", code="direct_malformed")
    operators = (frame[at : at + _ID_BYTES] for at in range(topic_end + 1, start, _ID_BYTES))
    return DirectMessage(
        frame[1:topic_end].decode(errors="replace"),
        tuple(OperatorId(int.from_bytes(each, "little")) for each in operators),
        frame[start:],
    )
