"""Frames: whole, in order, bounded, whatever pieces they arrive in."""

from __future__ import annotations

import pytest
import trio
from libp2p.network.stream.exceptions import StreamEOF
from trio.testing import MockClock

from operator_node.p2p.upstream.framing import (
    LARGE_BYTES,
    CutOffError,
    FrameReader,
    FrameRoom,
    framed,
)
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


def read_all(stream: Pieces, *, limit: int = 1000, room: FrameRoom | None = None) -> list[bytes]:
    async def main() -> list[bytes]:
        frames = FrameReader(stream, limit_bytes=limit if room is None else 10**7, room=room)
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


class Endless(Pieces):
    """A stream that never goes on."""

    async def read(self, n: int | None = None, /) -> bytes:
        if self.pieces:
            return await super().read(n)
        await trio.sleep_forever()
        raise AssertionError


def cut_off(stream: Pieces, room: FrameRoom | None = None) -> None:
    async def main() -> None:
        frames = FrameReader(stream, limit_bytes=10_000_000, room=room)
        with pytest.raises(CutOffError):
            await frames.read()

    trio.run(main, clock=MockClock(autojump_threshold=0))


def test_a_frame_that_does_not_go_on_is_given_up() -> None:
    cut_off(Endless(framed(b"abc")[:-1], 100))


def test_large_frames_share_a_room_and_small_ones_need_none() -> None:
    room = FrameRoom(1_000_000)
    large = framed(bytes(600_000))
    with room.taken(600_000):
        cut_off(Pieces(large, 65536), room)
        assert read_all(Pieces(framed(bytes(LARGE_BYTES)), 65536), room=room)
    assert read_all(Pieces(large, 65536), room=room) == [bytes(600_000)]
    assert read_all(Pieces(large, 65536), room=room) == [bytes(600_000)]


def test_room_is_free_again_after_a_frame_that_was_cut_off() -> None:
    room = FrameRoom(1_000_000)
    large = framed(bytes(600_000))
    cut_off(Pieces(large[:-1], 65536), room)
    assert read_all(Pieces(large, 65536), room=room) == [bytes(600_000)]


def test_what_is_only_announced_takes_no_room() -> None:
    room, size = FrameRoom(1_000_000), 600_000

    async def announce() -> None:
        stream = Endless(framed(bytes(size))[:10], 10)
        await FrameReader(stream, limit_bytes=size, room=room).read()

    async def main() -> bytes | None:
        async with trio.open_nursery() as nursery:
            for _ in range(7):
                nursery.start_soon(announce)
            await trio.testing.wait_all_tasks_blocked()
            honest = Pieces(framed(b"h" * size), 65536)
            frame = await FrameReader(honest, limit_bytes=size, room=room).read()
            nursery.cancel_scope.cancel()
        return frame

    assert trio.run(main, clock=MockClock(autojump_threshold=0)) == b"h" * size


def test_what_has_come_of_a_frame_takes_room_until_it_is_given_up() -> None:
    room = FrameRoom(1_000_000)

    async def hold() -> None:
        stream = Endless(framed(bytes(600_000))[:-1], 65536)
        with pytest.raises(CutOffError):
            await FrameReader(stream, limit_bytes=10**7, room=room).read()

    async def read() -> bytes | None:
        stream = Pieces(framed(bytes(600_000)), 65536)
        return await FrameReader(stream, limit_bytes=10**7, room=room).read()

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(hold)
            await trio.testing.wait_all_tasks_blocked()
            with pytest.raises(CutOffError):
                await read()
        assert await read() == bytes(600_000)

    trio.run(main, clock=MockClock(autojump_threshold=0))
