"""Frames on a libp2p stream: a varint of the length, then the bytes; read through a buffer.

Defect of py-libp2p 0.8.1: it reads length prefixes one byte at a time, each through stream, muxer
and Noise. Here a stream is read in large pieces, and what is left over is kept for the next frame.
Never keeps more than one frame and one piece in memory; what has come
of large frames of all peers fits into a `FrameRoom`, and they must be complete in time, so that
peers who begin them and do not go on fill no memory. What is only announced takes no room: else a
few peers could announce it full, and nobody's large frame would pass.

Source: docs/protocol.md, "Topics and gossip ids"; libp2p's unsigned varints.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final, Protocol

import trio
from libp2p.network.stream.exceptions import StreamEOF
from libp2p.utils.varint import encode_uvarint

from sdk.errors import PeerError

PIECE_BYTES: Final = 64 * 1024
"""Of one read; most messages fit with room to spare."""
LARGE_BYTES: Final = 256 * 1024
"""Beyond it a frame needs room: a stream's first window may hold as much anyway."""
ROOM_BYTES: Final = 64 * 1024 * 1024
"""For large frames on their way: six of the largest size; blocks have 0.3 MB."""
FRAME_SECONDS: Final = 30.0
"""For the rest of a frame: the largest in half a minute is 3 Mbit/s."""
_LENGTH_BYTES: Final = 4
"""Of a length prefix at most: 2**28 bytes are more than any frame here."""


class CutOffError(PeerError):
    """A stream ended too early. So it does when a connection breaks: nobody is to be blamed."""

    default_code = "frame_cut_off"


class Readable(Protocol):
    """The reading half of a stream."""

    async def read(self, n: int | None = None, /) -> bytes:
        """Up to `n` bytes, none at the end."""


def framed(data: bytes) -> bytes:
    """`data` behind its length."""
    return encode_uvarint(len(data)) + data


class FrameRoom:
    """What has come of the large frames that are on their way, all together."""

    def __init__(self, size: int = ROOM_BYTES) -> None:
        self._left = size

    @contextmanager
    def taken(self, size: int) -> Iterator[None]:
        """Takes room for bytes of a frame while the block runs.

        Raises:
            CutOffError: there is none; that is not the peer's fault.
        """
        if size > self._left:
            raise CutOffError(f"no room for {size} bytes of a frame beside those on their way")
        self._left -= size
        try:
            yield
        finally:
            self._left += size


class FrameReader:
    """Reads frames one after the other.

    Args:
        stream: libp2p's; nobody else may read from it.
        limit_bytes: of one frame.
        room: shared with other readers; without one, frames have all they need.
    """

    __slots__ = ("_buffer", "_limit", "_room", "_stream")

    def __init__(
        self, stream: Readable, *, limit_bytes: int, room: FrameRoom | None = None
    ) -> None:
        self._stream = stream
        self._limit = limit_bytes
        self._room = FrameRoom(limit_bytes) if room is None else room
        self._buffer = bytearray()

    async def read(self) -> bytes | None:
        """The next frame, None if the stream ended before it began.

        Raises:
            PeerError: `frame_too_large`; there is nothing to read after it.
            CutOffError: the stream ended inside a frame, the frame took too long, or there was no
                room for it.
            StreamError: libp2p's, the connection broke.
        """
        while (header := self._header()) is None:
            if not await self._fill():
                if self._buffer:
                    raise _cut_off()
                return None
        start, length = header
        if len(self._buffer) < start + length:
            await self._fill_to(start, length)
        frame = bytes(memoryview(self._buffer)[start : start + length])
        del self._buffer[: start + length]
        return frame

    def _header(self) -> tuple[int, int] | None:
        """Where the frame starts, and its length; None if more must be read to know."""
        length = 0
        for place, byte in enumerate(self._buffer[:_LENGTH_BYTES]):
            length |= (byte & 0x7F) << (7 * place)
            if not byte & 0x80:
                if length > self._limit:
                    raise _too_large(length, self._limit)
                return place + 1, length
        if len(self._buffer) >= _LENGTH_BYTES:
            raise _too_large(length, self._limit)
        return None

    async def _fill_to(self, start: int, length: int) -> None:
        taken = 0
        with ExitStack() as room, trio.move_on_after(FRAME_SECONDS) as patience:
            while len(self._buffer) < start + length:
                if not await self._fill():
                    raise _cut_off()
                arrived = min(len(self._buffer) - start, length)
                if arrived > LARGE_BYTES:
                    room.enter_context(self._room.taken(arrived - taken))
                    taken = arrived
        if patience.cancelled_caught:
            raise CutOffError(f"a frame was not complete after {FRAME_SECONDS:.0f} s")

    async def _fill(self) -> bool:
        try:
            piece = await self._stream.read(PIECE_BYTES)
        except StreamEOF:
            return False
        self._buffer += piece
        return bool(piece)


def _too_large(length: int, limit: int) -> PeerError:
    return PeerError(
        f"the peer announced a frame of {length} bytes or more, the limit is {limit}",
        code="frame_too_large",
        data={"length": length, "limit": limit},
    )


def _cut_off() -> PeerError:
    return CutOffError("the stream ended inside a frame")
