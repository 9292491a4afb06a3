"""Host and dialer: each defect is still there upstream, and not here. Real sockets on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from libp2p import new_swarm
from libp2p.abc import INetStream
from libp2p.custom_types import TProtocol
from libp2p.host.basic_host import BasicHost
from libp2p.network.auto_connector import AutoConnector
from libp2p.network.exceptions import SwarmException
from libp2p.network.stream.net_stream import NetStream
from libp2p.network.swarm import Swarm
from libp2p.peer.peerinfo import PeerInfo
from libp2p.stream_muxer.yamux.yamux import YamuxStream
from multiaddr import Multiaddr  # type: ignore[import-untyped]

from operator_node.p2p.upstream.dialer import Dialer
from operator_node.p2p.upstream.host import is_free
from operator_node.p2p.upstream.windows import HELD_BACK_BYTES, batch_window_updates
from tests.p2p.nodes import free_port
from tests.unit.operator_node.p2p.upstream.hosts import host, identity, peer

PROTOCOL = TProtocol("/test/1")
ZONE_ALONE = "/ip6zone/x/ip6/fe80::1/tcp/1"
"""Taken for a multiaddress, though its protocols cannot be read."""
pytestmark = pytest.mark.usefixtures("swept")


@asynccontextmanager
async def listening(one: BasicHost, port: int) -> AsyncIterator[str]:
    address = f"/ip4/127.0.0.1/tcp/{port}"
    async with one.run([Multiaddr(address)]):
        yield address


def protocols(swarm: object) -> set[str]:
    assert isinstance(swarm, Swarm)
    return set(map(str, swarm.upgrader.security_multistream.transports))


def test_upstream_offers_connections_without_proof_of_identity_and_we_do_not() -> None:
    assert any("plaintext" in each for each in protocols(new_swarm()))
    assert protocols(host(1).get_network()) == {"/noise"}


@pytest.mark.parametrize("is_ours", [False, True])
def test_upstream_connects_to_known_peers_by_itself_and_we_do_not(is_ours: bool) -> None:
    one = host(1)
    network = one.get_network()
    assert isinstance(network, Swarm)
    if not is_ours:
        network.auto_connector = AutoConnector(network)
    connector = network.auto_connector
    dialled: list[str] = []

    async def main() -> None:
        async with listening(host(2), free_port()) as address, listening(one, free_port()):
            one.get_peerstore().add_addrs(peer(2), [Multiaddr(address)], 120)
            await connector.maybe_connect()
            with trio.move_on_after(0.5 if is_ours else 5):
                while not dialled:
                    dialled.extend(Dialer(one).connected())
                    await trio.sleep(0.02)

    trio.run(main)
    assert dialled == ([] if is_ours else [identity(2).peer])


def test_upstream_refuses_to_dial_again_after_a_failure_and_we_dial_at_once() -> None:
    port = free_port()
    address = f"/ip4/127.0.0.1/tcp/{port}"

    async def main() -> None:
        one, two = host(1), host(2)
        async with listening(one, free_port()):
            info = PeerInfo(peer(2), [Multiaddr(address)])
            dialer = Dialer(one)
            assert not await dialer.dial(identity(2).peer, [address])
            with pytest.raises(SwarmException, match="negative cache"):
                await one.connect(info)
            async with listening(two, port):
                assert await dialer.dial(identity(2).peer, [address])
                assert dialer.connected() == {identity(2).peer}
                await dialer.hang_up(identity(2).peer)
                assert dialer.connected() == frozenset()

    trio.run(main)


def test_another_peer_at_the_address_is_not_taken_for_the_wanted_one() -> None:
    async def main() -> None:
        one, two = host(1), host(2)
        async with listening(one, free_port()), listening(two, free_port()) as address:
            assert not await Dialer(one).dial(identity(3).peer, [address])

    trio.run(main)


def test_an_address_that_is_none_is_passed_over() -> None:
    async def main() -> None:
        one, two = host(1), host(2)
        async with listening(one, free_port()), listening(two, free_port()) as address:
            addresses = ["nonsense", "/ip4/1.2.3.400/tcp/1", ZONE_ALONE, address]
            assert await Dialer(one).dial(identity(2).peer, addresses)

    trio.run(main)


def test_an_address_that_fails_in_whatever_way_costs_its_dial_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dialer, tried = Dialer(host(1)), list[object]()

    async def fail(_swarm: Swarm, peer_id: object) -> None:
        tried.append(peer_id)
        list(Multiaddr(ZONE_ALONE).protocols())

    monkeypatch.setattr(Swarm, "dial_peer", fail)

    async def main() -> bool:
        return await dialer.dial(identity(2).peer, ["/ip4/192.0.2.1/tcp/1", "/ip4/192.0.2.2/tcp/1"])

    assert trio.run(main) is False
    assert len(tried) == 2


@pytest.mark.parametrize("is_ours", [False, True])
def test_upstream_dials_the_first_address_of_a_peer_alone_and_we_dial_all(is_ours: bool) -> None:
    nobody = f"/ip4/127.0.0.1/tcp/{free_port()}"

    async def main() -> bool:
        one, two = host(1), host(2)
        async with listening(one, free_port()), listening(two, free_port()) as address:
            addresses = [nobody, address]
            if is_ours:
                return await Dialer(one).dial(identity(2).peer, addresses)
            try:
                await one.connect(PeerInfo(peer(2), [Multiaddr(each) for each in addresses]))
            except SwarmException:
                return False
            return True

    assert trio.run(main) is is_ours


@pytest.mark.parametrize("is_ours", [False, True])
def test_upstream_takes_a_connection_that_ends_for_one_that_stands_and_we_do_not(
    is_ours: bool,
) -> None:
    async def main() -> bool:
        one, two = host(1), host(2)
        async with listening(one, free_port()), listening(two, free_port()) as address:
            dialer = Dialer(one)
            assert await dialer.dial(identity(2).peer, [address])
            async with trio.open_nursery() as nursery:
                nursery.start_soon(dialer.hang_up, identity(2).peer)
                while dialer.is_connected(identity(2).peer):
                    await trio.lowlevel.checkpoint()
                if is_ours:
                    return await dialer.dial(identity(2).peer, [address])
                await one.connect(PeerInfo(peer(2), [Multiaddr(address)]))
                return dialer.is_connected(identity(2).peer)

    assert trio.run(main) is is_ours


def test_upstream_would_share_a_port_with_another_node_and_we_notice() -> None:
    async def main() -> None:
        port = free_port()
        address = Multiaddr(f"/ip4/127.0.0.1/tcp/{port}")
        assert is_free(address)
        async with listening(host(1), port):
            assert not is_free(address)
            async with listening(host(2), port):
                pass  # no error upstream

    trio.run(main)


@pytest.mark.parametrize("is_batched", [False, True])
def test_upstream_answers_every_read_with_a_packet_and_we_do_not(is_batched: bool) -> None:
    count, size = 50, 1000
    assert count * size < 2 * HELD_BACK_BYTES

    async def main() -> int:
        one, two = host(1), host(2)
        updates = 0
        ended = trio.Event()

        async def serve(stream: INetStream) -> None:
            nonlocal updates
            assert isinstance(stream, NetStream)
            muxed = stream.muxed_stream
            assert isinstance(muxed, YamuxStream)
            connection, own = muxed.conn, muxed.stream_id.to_bytes(4, "big")
            write = connection._write_frame

            async def counted(frame: bytes) -> None:
                nonlocal updates
                updates += frame[1] == 1 and frame[4:8] == own  # type and stream of Yamux
                await write(frame)

            # By setattr, as mypy forbids the plain way.
            setattr(connection, "_write_frame", counted)  # noqa: B010
            # The window grows while round trips seem long, an update each time: on a busy machine.
            setattr(muxed, "_effective_rtt", lambda: 0.0)  # noqa: B010
            if is_batched:
                batch_window_updates(stream)
            received = 0
            while received < count * size:
                received += len(await stream.read(size))
                await stream.write(b"k")
            ended.set()

        two.set_stream_handler(PROTOCOL, serve)
        async with listening(one, free_port()), listening(two, free_port()) as address:
            assert await Dialer(one).dial(identity(2).peer, [address])
            stream = await one.new_stream(peer(2), [PROTOCOL])
            for _ in range(count):
                await stream.write(bytes(size))
                await stream.read(1)
            with trio.fail_after(5):
                await ended.wait()
        return updates

    updates = trio.run(main)
    assert updates < count / 10 if is_batched else updates >= count
