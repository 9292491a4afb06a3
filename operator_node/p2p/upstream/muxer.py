"""Yamux with bounds: streams that a peer opens, bytes that wait to be read, windows that grow.

py-libp2p 0.8.1 takes as many streams as a peer opens, each with a task that waits ten seconds for
the peer to name a protocol; it notes that a peer sends more than its window, and keeps the bytes
all the same; and it lets the window of each stream grow to 16 MiB. One peer could fill the memory.
It makes connections of its own class, whatever class it was given; hence `BoundedMuxers`.

Source: the Yamux specification, "Flow control".
"""

from __future__ import annotations

import logging
from typing import Final

import trio
from libp2p.abc import IMuxedConn, IMuxedStream, ISecureConn
from libp2p.custom_types import TProtocol
from libp2p.peer.id import ID
from libp2p.stream_muxer.muxer_multistream import MuxerMultistream
from libp2p.stream_muxer.yamux.yamux import PROTOCOL_ID as YAMUX
from libp2p.stream_muxer.yamux.yamux import Yamux, YamuxStream

from operator_node.p2p.upstream.peer_ids import name_of

_log: Final = logging.getLogger(__name__)

STREAMS_PER_PEER: Final = 32
"""That it may have open: gossip, direct messages, addresses, pings and identification need six."""
REFUSALS: Final = 64
"""Streams refused before the connection ends: who goes on is no peer of ours."""
WINDOW_BYTES: Final = 1024 * 1024
"""To which a stream's window grows: a block over a link of 100 ms in one go."""
WAITING_BYTES: Final = 4 * 1024 * 1024
"""Unread, of all streams of a peer; four full windows. 600 MiB if all 150 peers did it at once."""


class TooMuchUnreadError(trio.TooSlowError):
    """A peer sent beyond its windows. Of this kind because upstream ends the connection for it."""


class BoundedYamux(Yamux):
    """One peer's connection, within bounds."""

    _refusals = 0

    async def accept_stream(self) -> IMuxedStream:
        """The next stream that the peer opens; those that are too many are reset."""
        while True:
            stream = await super().accept_stream()
            if self._opened_by_peer() <= STREAMS_PER_PEER:
                return _bounded(stream)
            await stream.reset()
            self._refusals += 1
            if self._refusals >= REFUSALS:
                _log.info("peer %s opens too many streams", name_of(self.peer_id))
                await self.close()

    async def open_stream(self) -> YamuxStream:
        """A stream to the peer."""
        stream = await super().open_stream()
        _bounded(stream)
        return stream

    async def _read_data_body(self, length: int) -> bytes:
        waiting = sum(map(len, self.stream_buffers.values()))
        if waiting + length > WAITING_BYTES:
            _log.info("peer %s sends beyond its windows", name_of(self.peer_id))
            raise TooMuchUnreadError
        return await super()._read_data_body(length)

    def _opened_by_peer(self) -> int:
        parity = 0 if self.is_initiator_value else 1
        return sum(number % 2 == parity for number in self.streams)


class BoundedMuxers(MuxerMultistream):
    """Agrees with peers upon Yamux, and makes it ours."""

    def __init__(self) -> None:
        super().__init__({TProtocol(YAMUX): BoundedYamux})

    async def new_conn(self, conn: ISecureConn, peer_id: ID) -> IMuxedConn:
        """A connection with streams."""
        protocol, muxer = await self._selector.select(
            conn, conn.is_initiator, self.negotiate_timeout
        )
        return self._annotate_connection(muxer(conn, peer_id), conn, protocol)


def _bounded(stream: IMuxedStream) -> IMuxedStream:
    """Stops the stream's window from growing beyond `WINDOW_BYTES`."""
    if not isinstance(stream, YamuxStream):
        return stream
    grow = stream._apply_autotune_epoch

    def grow_to_bound(buffered: int) -> int:
        return grow(buffered) if stream.target_recv_window < WINDOW_BYTES else 0

    stream._apply_autotune_epoch = grow_to_bound  # type: ignore[method-assign]  # of this alone
    return stream
