"""Messages between real nodes on loopback: once, judged before they are forwarded, anonymous."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio
from libp2p.custom_types import TProtocol
from libp2p.peer.id import ID
from libp2p.peer.peerinfo import PeerInfo
from libp2p.pubsub.pb import rpc_pb2
from multiaddr import Multiaddr  # type: ignore[import-untyped]

from operator_node.p2p.upstream.framing import framed
from operator_node.p2p.upstream.host import new_host
from tests.p2p.nodes import TOPIC, Node, is_meshed, message, running, until
from tests.unit.operator_node.p2p.upstream.hosts import identity

pytestmark = pytest.mark.slow

SETTLE_SECONDS = 0.5
"""In which a copy would arrive that must not."""


def cluster(count: int, *, direct: bool) -> list[Node]:
    first = Node(1, direct=direct)
    others = (Node(each, direct=direct, bootstrap=[first.place]) for each in range(2, count + 1))
    return [first, *others]


def play(nodes: list[Node], scene: Callable[[], Awaitable[None]]) -> None:
    """Runs a scene once all nodes are in each other's mesh."""

    async def main() -> None:
        async with running(nodes):
            await until(lambda: is_meshed(nodes) and all(map(has_all, nodes)))
            await scene()

    def has_all(node: Node) -> bool:
        peers = node.network.peers()
        return all(each.has_stream for each in peers) and len(peers) == len(nodes) - 1

    trio.run(main)


@pytest.mark.slow
@pytest.mark.parametrize("direct", [False, True])
def test_every_message_reaches_everyone_exactly_once(direct: bool) -> None:
    nodes = cluster(4, direct=direct)
    sent: dict[bytes, Node] = {}

    async def scene() -> None:
        for number in range(25):
            for node in nodes:
                sent[await node.say(f"message {number}")] = node
        await until(lambda: all(len(each.got) == 75 for each in nodes))
        await trio.sleep(SETTLE_SECONDS)

    play(nodes, scene)
    for node in nodes:
        assert set(node.got) == {data for data, author in sent.items() if author is not node}
        assert set(node.got.values()) == {1}


@pytest.mark.slow
def test_an_ignored_message_is_not_forwarded_and_nobody_is_blamed() -> None:
    nodes = cluster(3, direct=False)

    async def scene() -> None:
        data = message("ignored", 9)
        link = nodes[0].network
        await link.send_to(nodes[1].operator, TOPIC, data)
        await until(lambda: data in nodes[1].got)
        await trio.sleep(SETTLE_SECONDS)
        assert data not in nodes[2].got
        assert all(each.score == 0 for each in nodes[1].network.peers())

    play(nodes, scene)


@pytest.mark.slow
def test_a_direct_message_of_somebody_else_is_forwarded_to_all() -> None:
    nodes = cluster(3, direct=False)

    async def scene() -> None:
        data = message("good", 9)
        await nodes[0].network.send_to(nodes[1].operator, TOPIC, data)
        await until(lambda: data in nodes[2].got)
        assert nodes[2].brought_by[data] == nodes[1].network.peer_id

    play(nodes, scene)


@pytest.mark.slow
def test_rejected_messages_lower_the_score_until_the_peer_is_disconnected() -> None:
    nodes = cluster(3, direct=False)

    async def scene() -> None:
        liar, victim = nodes[0], nodes[1]
        data = [message(f"rejected {number}", 1) for number in range(25)]
        await liar.network.send_to(victim.operator, TOPIC, data[0])
        await until(lambda: score_of(liar, victim) < 0)
        for each in data[1:]:
            await liar.network.send_to(victim.operator, TOPIC, each)
        await until(lambda: liar.operator not in victim.network.operators_connected())
        await trio.sleep(SETTLE_SECONDS)
        assert liar.operator not in victim.network.operators_connected()
        assert not set(data) & set(nodes[2].got)

    def score_of(node: Node, seen_by: Node) -> float:
        peers = {each.peer: each.score for each in seen_by.network.peers()}
        return peers.get(node.network.peer_id, 0.0)

    play(nodes, scene)


@pytest.mark.slow
def test_a_peer_that_names_senders_or_sends_junk_is_blamed_and_harms_nobody() -> None:
    nodes = cluster(2, direct=False)

    async def scene() -> None:
        named = rpc_pb2.Message(topicIDs=[TOPIC], data=message("good", 1), from_id=b"x", seqno=b"1")
        await write_to(nodes[0], framed(rpc_pb2.RPC(publish=[named]).SerializeToString()))
        await write_to(nodes[0], framed(b"\xff\xff\xff junk"))
        data = await nodes[1].say("good again")
        await until(lambda: data in nodes[0].got)
        assert named.data not in nodes[0].got
        assert nodes[0].network.restarts == 0

    async def write_to(node: Node, data: bytes) -> None:
        """As a stranger with the plain protocol."""
        stranger = new_host(identity(99).key)
        async with stranger.run([]):
            address, _, peer = node.place.partition("/p2p/")
            await stranger.connect(PeerInfo(ID.from_base58(peer), [Multiaddr(address)]))
            stream = await stranger.new_stream(ID.from_base58(peer), [TProtocol("/meshsub/1.1.0")])
            await stream.write(data)
            await until(lambda: node.network.score(identity(99).peer) < 0)

    play(nodes, scene)
