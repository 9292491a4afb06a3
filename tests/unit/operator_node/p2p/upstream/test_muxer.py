"""Streams and bytes of a peer: each defect is still there upstream, and not here. Real sockets."""

from __future__ import annotations

import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
import trio
from libp2p import create_yamux_muxer_option
from libp2p.abc import INetStream
from libp2p.custom_types import TProtocol
from libp2p.exceptions import BaseLibp2pError
from libp2p.host.basic_host import BasicHost
from libp2p.network.swarm import Swarm
from libp2p.stream_muxer.muxer_multistream import MuxerMultistream
from libp2p.stream_muxer.yamux.yamux import (
    FLAG_SYN,
    MAX_WINDOW_SIZE,
    TYPE_DATA,
    TYPE_WINDOW_UPDATE,
    YAMUX_HEADER_FORMAT,
    Yamux,
    YamuxStream,
)
from multiaddr import Multiaddr  # type: ignore[import-untyped]

from operator_node.p2p.upstream.dialer import Dialer
from operator_node.p2p.upstream.muxer import (
    REFUSALS,
    STREAMS_PER_PEER,
    WAITING_BYTES,
    WINDOW_BYTES,
    BoundedYamux,
)
from tests.p2p.nodes import free_port, until
from tests.unit.operator_node.p2p.upstream.hosts import host, identity, peer

PROTOCOL = TProtocol("/test/1")
PIECE = bytes(64 * 1024)
pytestmark = pytest.mark.usefixtures("swept")


def play(
    scene: Callable[[Yamux, Yamux], Awaitable[None]], *, is_stock: bool, takes: bool = False
) -> None:
    """Gives a scene the attacker's end of a connection, and the end of the one attacked."""

    async def idle(_stream: INetStream) -> None:
        await trio.sleep_forever()

    async def main() -> None:
        attacker, served = host(1), host(2)
        if is_stock:
            stock = MuxerMultistream(create_yamux_muxer_option())
            swarm_of(served).upgrader.muxer_multistream = stock
        if takes:
            served.set_stream_handler(PROTOCOL, idle)
        address = f"/ip4/127.0.0.1/tcp/{free_port()}"
        async with attacker.run([]), served.run([Multiaddr(address)]):
            assert await Dialer(attacker).dial(identity(2).peer, [address])
            await until(lambda: bool(Dialer(served).connected()))
            ends = [yamux_of(attacker, 2), yamux_of(served, 1)]
            with trio.fail_after(30):
                await scene(*ends)

    trio.run(main)


def swarm_of(one: BasicHost) -> Swarm:
    network = one.get_network()
    assert isinstance(network, Swarm)
    return network


def yamux_of(one: BasicHost, other: int) -> Yamux:
    muxed = swarm_of(one).get_connections(peer(other))[0].muxed_conn
    assert isinstance(muxed, Yamux)
    return muxed


def frame(kind: int, flags: int, stream: int, data: bytes = b"") -> bytes:
    return struct.pack(YAMUX_HEADER_FORMAT, 0, kind, flags, stream, len(data)) + data


async def write_all(attacker: Yamux, frames: list[bytes]) -> None:
    """As many as there is somebody to take."""
    with suppress(BaseLibp2pError):
        for each in frames:
            await attacker._write_frame(each)


@pytest.mark.parametrize("is_stock", [True, False])
def test_upstream_takes_any_number_of_streams_and_we_do_not(is_stock: bool) -> None:
    count = STREAMS_PER_PEER + 20

    async def scene(attacker: Yamux, served: Yamux) -> None:
        first = attacker.next_stream_id
        for number in range(count):
            await attacker._write_frame(frame(TYPE_WINDOW_UPDATE, FLAG_SYN, first + 2 * number))
        if is_stock:
            await until(lambda: len(served.streams) >= count)
            return
        assert isinstance(served, BoundedYamux)
        await until(lambda: served._refusals >= 20)
        assert served._opened_by_peer() <= STREAMS_PER_PEER + 10
        assert not served.is_closed

    play(scene, is_stock=is_stock)


def test_who_goes_on_opening_streams_loses_the_connection() -> None:
    async def scene(attacker: Yamux, served: Yamux) -> None:
        first = attacker.next_stream_id
        numbers = range(first, first + 2 * (STREAMS_PER_PEER + 4 * REFUSALS), 2)
        await write_all(attacker, [frame(TYPE_WINDOW_UPDATE, FLAG_SYN, each) for each in numbers])
        await until(lambda: served.is_closed)

    play(scene, is_stock=False)


@pytest.mark.parametrize("is_stock", [True, False])
def test_upstream_keeps_what_exceeds_a_window_and_we_end_the_connection(is_stock: bool) -> None:
    async def scene(attacker: Yamux, served: Yamux) -> None:
        stream = attacker.next_stream_id
        await attacker._write_frame(frame(TYPE_WINDOW_UPDATE, FLAG_SYN, stream))
        await until(lambda: stream in served.streams)
        count = 2 * WAITING_BYTES // len(PIECE)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(write_all, attacker, [frame(TYPE_DATA, 0, stream, PIECE)] * count)
            if is_stock:
                await until(lambda: len(served.stream_buffers[stream]) > WAITING_BYTES)
            else:
                await until(lambda: served.is_closed)
                assert not served.stream_buffers
            nursery.cancel_scope.cancel()

    play(scene, is_stock=is_stock, takes=True)


def test_windows_grow_less_than_upstreams() -> None:
    assert 4 * WINDOW_BYTES <= WAITING_BYTES < MAX_WINDOW_SIZE

    async def scene(attacker: Yamux, served: Yamux) -> None:
        stream = await served.open_stream()
        assert isinstance(stream, YamuxStream)
        for _ in range(10):
            stream.epoch_start = 0.0
            stream._apply_autotune_epoch(0)
        assert stream.target_recv_window == WINDOW_BYTES

    play(scene, is_stock=False)
