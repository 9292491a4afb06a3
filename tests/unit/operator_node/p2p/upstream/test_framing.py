"""Frames: whole, in order, bounded, whatever pieces they arrive in."""

from __future__ import annotations

import pytest
import trio
from libp2p.network.stream.exceptions import StreamEOF

from operator_node.p2p.upstream.framing import FrameReader, framed
from sdk.errors import PeerError


class Pieces:
    """A stream that gives prepared pieces, then ends."""

    def __init__(self, data: bytes, size: int) -> None:
        self.pieces = [data[at : at + size] for at in range(0, len(data), size)]
        self.reads = 0

    async def read(self, n: int | None = None, /) -> bytes:
        await trio.lowlevel.checkpoint()
        self.reads += 1
        if not self.pieces:
            raise StreamEOF
        return self.pieces.pop(0)


def read_all(stream: Pieces, *, limit: int = 1000) -> list[bytes]:
    async def main() -> list[bytes]:
        frames = FrameReader(stream, limit_bytes=limit)
        found: list[bytes] = []
        while (frame := await frames.read()) is not None:
            found.append(frame)
        return found

    return trio.run(main)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_frames_are_the_same_in_whatever_pieces_they_arrive(size: int) -> None:
    wanted = [b"", b"a", b"b" * 127, b"c" * 128, b"d" * 300]
    assert read_all(Pieces(b"".join(map(framed, wanted)), size)) == wanted


def test_many_frames_take_one_read() -> None:
    stream = Pieces(framed(b"x" * 50) * 20, 64 * 1024)
    assert len(read_all(stream)) == 20
    assert stream.reads == 2  # the second one finds the end


@pytest.mark.parametrize("data", [framed(b"x" * 1001), b"\xff" * 20])
def test_a_frame_above_the_limit_is_refused_before_it_is_read(data: bytes) -> None:
    stream = Pieces(data, 4)
    with pytest.raises(PeerError) as caught:
        read_all(stream)
    assert caught.value.code == "frame_too_large"
    assert stream.reads == 1


@pytest.mark.parametrize("data", [framed(b"abc")[:-1], b"\x80"])
def test_a_stream_that_ends_inside_a_frame_is_told_from_one_that_ends(data: bytes) -> None:
    with pytest.raises(PeerError) as caught:
        read_all(Pieces(data, 100))
    assert caught.value.code == "frame_cut_off"
