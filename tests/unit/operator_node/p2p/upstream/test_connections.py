"""One connection per peer: both ends keep the same one; upstream keeps all. Real sockets."""

from __future__ import annotations

from contextlib import AsyncExitStack

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from libp2p.host.basic_host import BasicHost
from libp2p.network.connection.swarm_connection import SwarmConn
from libp2p.network.swarm import Swarm
from libp2p.peer.id import ID
from multiaddr import Multiaddr  # type: ignore[import-untyped]

from operator_node.p2p.scoring import PeerId
from operator_node.p2p.upstream.connections import (
    DIAL_SECONDS,
    Link,
    OneConnection,
    keeps_younger,
)
from tests.p2p.nodes import free_port, until
from tests.unit.operator_node.p2p.upstream.hosts import host, peer
from tests.unit.operator_node.p2p.upstream.test_hosts import listening

pytestmark = pytest.mark.usefixtures("swept")

LOW, HIGH = PeerId("a"), PeerId("z")
dialled_by_low = st.booleans()
ages = st.floats(0, 3 * DIAL_SECONDS)


def answer(*, at: PeerId, older_by_low: bool, younger_by_low: bool, age: float) -> bool:
    """Whether one end keeps the younger of two connections."""
    peer_id = HIGH if at == LOW else LOW
    older = Link(older_by_low == (at == LOW), 0.0)
    younger = Link(younger_by_low == (at == LOW), age)
    return keeps_younger(older, younger, me=at, peer=peer_id)


@given(dialled_by_low, dialled_by_low, ages)
def test_both_ends_keep_the_same_connection(older: bool, younger: bool, age: float) -> None:
    answers = {
        answer(at=end, older_by_low=older, younger_by_low=younger, age=age) for end in (LOW, HIGH)
    }
    assert len(answers) == 1


@given(st.booleans(), ages)
def test_of_dials_at_the_same_time_the_one_of_the_smaller_id_stays_in_either_order(
    low_came_first: bool, age: float
) -> None:
    keeps = answer(
        at=LOW,
        older_by_low=low_came_first,
        younger_by_low=not low_came_first,
        age=min(age, DIAL_SECONDS),
    )
    assert keeps is not low_came_first


@given(dialled_by_low, dialled_by_low)
def test_a_peer_that_dials_later_has_lost_the_older_connection(older: bool, younger: bool) -> None:
    late = DIAL_SECONDS + 0.1
    assert answer(at=LOW, older_by_low=older, younger_by_low=younger, age=late)


def swarm_of(one: BasicHost) -> Swarm:
    network = one.get_network()
    assert isinstance(network, Swarm)
    return network


def alive(one: BasicHost, number: int) -> list[SwarmConn]:
    connections = swarm_of(one).get_connections(peer(number))
    return [each for each in connections if isinstance(each, SwarmConn) and not each.is_closed]


def ends(conn: SwarmConn) -> object:
    """The same for both ends of a connection: the port from which it was dialled."""
    return conn.muxed_conn.secured_conn.conn.stream.stream.socket  # type: ignore[attr-defined]


def dialling_port(conn: SwarmConn, *, is_outbound: bool) -> int:
    socket = ends(conn)
    name = socket.getsockname() if is_outbound else socket.getpeername()  # type: ignore[attr-defined]
    port = name[1]
    assert isinstance(port, int)
    return port


@pytest.mark.parametrize("is_ours", [True, False])
def test_upstream_keeps_a_connection_that_the_peer_has_lost_and_we_do_not(is_ours: bool) -> None:
    one, two = host(1), host(2)
    if not is_ours:
        for each in (one, two):
            notifees = swarm_of(each).notifees
            notifees[:] = [some for some in notifees if not isinstance(some, OneConnection)]

    async def main() -> None:
        async with listening(one, free_port()), listening(two, free_port()) as address:
            first = await swarm_of(one).dial_addr(Multiaddr(address), peer(2))
            second = await swarm_of(one).dial_addr(Multiaddr(address), peer(2))
            if is_ours:
                await until(lambda: alive(one, 2) == [second] and len(alive(two, 1)) == 1)
            else:
                await until(lambda: len(alive(two, 1)) == 2)
                assert alive(one, 2) == [first, second]

    trio.run(main)


def test_two_that_dial_each_other_end_with_one_connection_the_same_at_both_ends() -> None:
    one, two = host(1), host(2)

    async def main() -> None:
        async with AsyncExitStack() as stack:
            there = await stack.enter_async_context(listening(two, free_port()))
            here = await stack.enter_async_context(listening(one, free_port()))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(dial, one, there, peer(2))
                nursery.start_soon(dial, two, here, peer(1))
            await until(lambda: len(alive(one, 2)) == len(alive(two, 1)) == 1)
            mine, theirs = alive(one, 2)[0], alive(two, 1)[0]
            assert mine.direction is not theirs.direction
            low = min(str(peer(1)), str(peer(2)))
            assert mine.direction.name == ("OUTBOUND" if low == str(peer(1)) else "INBOUND")
            stream = await mine.new_stream()
            await until(lambda: not theirs.is_closed and len(theirs.get_streams()) > 0)
            await stream.reset()

    async def dial(one: BasicHost, address: str, number: ID) -> None:
        await swarm_of(one).dial_addr(Multiaddr(address), number)

    trio.run(main)
