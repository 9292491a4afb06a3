"""Incoming connections: asked for at the door, and forgotten when they end. Real sockets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio
from libp2p import new_swarm
from libp2p.host.basic_host import BasicHost
from libp2p.network.config import ConnectionConfig
from libp2p.network.swarm import Swarm
from libp2p.peer.id import ID
from multiaddr import Multiaddr  # type: ignore[import-untyped]

from operator_node.p2p.scoring import PeerId
from operator_node.p2p.upstream.dialer import Dialer
from operator_node.p2p.upstream.door import HANDSHAKES_AT_ONCE, inbound_peers
from operator_node.p2p.upstream.host import new_host
from tests.p2p.nodes import free_port, until
from tests.unit.operator_node.p2p.upstream.hosts import host, identity

pytestmark = pytest.mark.usefixtures("swept")


class Doorman:
    """Notes who came, and lets in whom it is told to."""

    def __init__(self, *, admits: bool = True, keeps: bool = True) -> None:
        self.addresses: list[str] = []
        self.peers: list[tuple[PeerId, int]] = []
        self._admits = admits
        self._keeps = keeps

    def admits(self, address: str) -> bool:
        self.addresses.append(address)
        return self._admits

    def keeps(self, peer: PeerId, inbound: int) -> bool:
        self.peers.append((peer, inbound))
        return self._keeps


def swarm_of(one: BasicHost) -> Swarm:
    network = one.get_network()
    assert isinstance(network, Swarm)
    return network


def at(served: BasicHost, scene: Callable[[str], Awaitable[None]]) -> None:
    """Plays a scene with the address of a host."""

    async def main() -> None:
        address = f"/ip4/127.0.0.1/tcp/{free_port()}"
        async with served.run([Multiaddr(address)]):
            await scene(address)

    trio.run(main)


async def called(address: str, number: int) -> bool:
    """Whether a guest stands at the address's door for a moment, and is gone."""
    guest = host(number)
    async with guest.run([]):
        dialer = Dialer(guest)
        found = await dialer.dial(identity(1).peer, [address])
        await dialer.hang_up_on_all()
        return found


def test_upstream_counts_connections_that_are_gone_and_we_do_not() -> None:
    stock = new_swarm(
        identity(1).key,
        muxer_preference="YAMUX",
        connection_config=ConnectionConfig(
            max_connections=2, high_watermark=2, low_watermark=0, min_connections=0
        ),
    )
    assert isinstance(stock, Swarm)

    async def fill_up(address: str) -> None:
        for number in (2, 3):
            assert await called(address, number)
        await until(lambda: not stock.get_connections())
        assert stock._inbound_limiter.available_tokens == 0
        assert not await called(address, 4)

    at(BasicHost(stock), fill_up)

    ours = new_host(identity(1).key)
    swarm_of(ours).connection_config.max_connections = 2

    async def come_and_go(address: str) -> None:
        for number in (2, 3, 4, 5):
            assert await called(address, number)
            await until(lambda: not swarm_of(ours).get_connections())

    at(ours, come_and_go)


def test_an_address_that_is_not_admitted_gets_no_handshake() -> None:
    door = Doorman(admits=False)

    async def scene(address: str) -> None:
        assert not await called(address, 2)

    at(new_host(identity(1).key, door), scene)
    assert door.addresses == ["127.0.0.1"]
    assert door.peers == []


def test_a_peer_that_is_not_to_stay_never_counts() -> None:
    door = Doorman(keeps=False)
    served = new_host(identity(1).key, door)

    async def scene(address: str) -> None:
        guest = host(2)
        async with guest.run([]):
            await Dialer(guest).dial(identity(1).peer, [address])
            await until(lambda: not Dialer(guest).connected())
        assert Dialer(served).connected() == frozenset()

    at(served, scene)
    assert door.peers == [(identity(2).peer, 0)]


def test_who_dialled_is_counted_and_its_address_known() -> None:
    door = Doorman()
    served = new_host(identity(1).key, door)

    async def scene(address: str) -> None:
        guest, other = host(2), host(3)
        async with guest.run([]), other.run([Multiaddr(f"/ip4/127.0.0.1/tcp/{free_port()}")]):
            assert await Dialer(guest).dial(identity(1).peer, [address])
            theirs = [str(each) for each in other.get_transport_addrs()]
            assert await Dialer(served).dial(identity(3).peer, theirs)
            await until(lambda: len(Dialer(served).connected()) == 2)
            assert inbound_peers(swarm_of(served)) == 1
            assert Dialer(served).came_from(identity(2).peer) == "127.0.0.1"
            assert Dialer(served).came_from(identity(3).peer) is None

    at(served, scene)


def test_handshakes_that_dawdle_are_bounded_and_end() -> None:
    door = Doorman()
    served = new_host(identity(1).key, door)
    swarm_of(served).connection_config.inbound_upgrade_timeout = 0.5

    async def scene(address: str) -> None:
        port = int(address.rpartition("/")[2])
        async with trio.open_nursery() as nursery:
            for _ in range(HANDSHAKES_AT_ONCE + 8):
                nursery.start_soon(dawdle, port)
        assert HANDSHAKES_AT_ONCE <= len(door.addresses) < HANDSHAKES_AT_ONCE + 8
        assert await called(address, 2)

    async def dawdle(port: int) -> None:
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        async with stream:
            with trio.fail_after(10):
                while await stream.receive_some(1000):
                    pass

    at(served, scene)
    assert ID.from_base58(door.peers[-1][0]) == ID.from_base58(identity(2).peer)
