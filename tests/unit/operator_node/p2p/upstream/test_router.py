"""The router's overrides: each defect is still there upstream, and not here."""

from __future__ import annotations

import inspect
from functools import partial

import pytest
import trio
from libp2p.custom_types import TProtocol
from libp2p.peer.id import ID
from libp2p.pubsub.gossipsub import PROTOCOL_ID_V11, GossipSub
from libp2p.pubsub.mcache import MessageCache
from libp2p.pubsub.pb import rpc_pb2
from libp2p.pubsub.rpc_queue import RpcQueue

from operator_node.p2p.upstream import router as router_module
from operator_node.p2p.upstream.control import PER_HEARTBEAT, Kind
from operator_node.p2p.upstream.peer_ids import name_of
from operator_node.p2p.upstream.router import (
    HEARTBEAT_SECONDS,
    MESH_HIGH,
    ContentCache,
    Router,
)
from operator_node.wire.gossip import gossip_id
from tests.p2p.nodes import TOPIC
from tests.unit.operator_node.p2p.upstream.hosts import anonymous, our_pubsub, peer, stock_router

NEAR, OTHER = peer(2), peer(3)


def meshed() -> tuple[Router, dict[int, RpcQueue]]:
    """A router with two peers in the mesh of the topic, and their queues."""
    pubsub, router, _intake = our_pubsub()
    queues = {2: RpcQueue(), 3: RpcQueue()}
    pubsub.peer_queues = {NEAR: queues[2], OTHER: queues[3]}
    pubsub.peer_topics = {TOPIC: {NEAR, OTHER}}
    router.mesh[TOPIC] = {NEAR, OTHER}
    return router, queues


def popped(queue: RpcQueue) -> list[bytes]:
    """Data of the messages in a queue."""
    packets: list[rpc_pb2.RPC] = []
    while (packet := queue._queue.pop()) is not None:
        packets.append(packet)
    return [message.data for packet in packets for message in packet.publish]


def test_upstream_takes_anonymous_messages_for_equivocation() -> None:
    stock = stock_router()
    assert stock._check_equivocation(anonymous(b"one"))
    assert not stock._check_equivocation(anonymous(b"two"))


def test_every_anonymous_message_goes_to_the_mesh_except_to_its_bearer() -> None:
    router, queues = meshed()

    async def main() -> None:
        await router.publish(NEAR, anonymous(b"one"))
        await router.publish(NEAR, anonymous(b"two"))

    trio.run(main)
    assert popped(queues[3]) == [b"one", b"two"]
    assert popped(queues[2]) == []


def test_a_peer_that_has_a_message_is_only_offered_it() -> None:
    router, queues = meshed()
    trio.run(router.publish, peer(1), anonymous(b"one"), frozenset({OTHER}))
    assert popped(queues[2]) == [b"one"]
    assert popped(queues[3]) == []
    assert router.gossip_heartbeat()[OTHER] == {TOPIC: [gossip_id(b"one")]}
    assert router.gossip_heartbeat().get(OTHER) is None


def test_upstream_keeps_one_anonymous_message_and_we_keep_all() -> None:
    stock, ours = MessageCache(3, 5), ContentCache(3, 5)
    for cache in (stock, ours):
        cache.put(anonymous(b"one"))
        cache.put(anonymous(b"two"))
    assert len(stock.msgs) == 1
    found = ours.get(gossip_id(b"two"))
    assert found is not None
    assert found.data == b"two"


def test_cached_messages_are_bounded_in_bytes_and_forgotten() -> None:
    cache = ContentCache(1, 2)
    large = bytes(router_module.CACHE_BYTES - 10)
    cache.put(anonymous(large))
    cache.put(anonymous(b"too much for the rest"))
    assert len(cache.msgs) == 1
    for _ in range(2):
        cache.shift()
    cache.put(anonymous(b"fits again"))
    assert [each.data for each in cache.msgs.values()] == [b"fits again"]


def test_upstream_drops_the_eleventh_message_of_a_second_and_we_do_not() -> None:
    stock, (router, queues) = stock_router(), meshed()
    passed = [stock._check_spam_protection(NEAR, anonymous(b"%d" % each)) for each in range(11)]
    assert passed == [True] * 10 + [False]

    async def main() -> None:
        for number in range(30):
            await router.publish(NEAR, anonymous(b"%d" % number))

    trio.run(main)
    assert len(popped(queues[3])) == 30


def test_upstreams_heartbeat_is_two_minutes_and_ours_less_than_a_second() -> None:
    assert inspect.signature(GossipSub).parameters["heartbeat_interval"].default == 120
    assert meshed()[0].heartbeat_interval == HEARTBEAT_SECONDS < 1


def test_only_the_protocol_without_a_reply_per_message_is_spoken() -> None:
    assert meshed()[0].get_protocols() == ["/meshsub/1.1.0"]


def test_recent_messages_go_through_the_queue_of_a_new_subscriber() -> None:
    router, queues = meshed()

    async def main() -> None:
        await router.publish(NEAR, anonymous(b"one"))
        popped(queues[3])
        await router.send_recent_messages(NEAR, TOPIC)

    trio.run(main)
    assert popped(queues[2]) == [b"one"]


def crowded(count: int, *, kept: frozenset[ID] = frozenset()) -> Router:
    """A router with so many peers in the mesh of the topic."""
    pubsub, router, _intake = our_pubsub(kept=kept)
    peers = [peer(number) for number in range(10, 10 + count)]
    pubsub.peer_queues = {each: RpcQueue() for each in peers}
    pubsub.peer_topics = {TOPIC: set(peers)}
    router.mesh[TOPIC] = set(peers)
    router.peer_protocol = dict.fromkeys(peers, TProtocol(PROTOCOL_ID_V11))
    return router


def graft(router: Router, who: ID) -> None:
    trio.run(router.handle_graft, rpc_pb2.ControlGraft(topicID=TOPIC), who)


def test_upstream_takes_whoever_asks_into_a_mesh_and_we_take_co_operators_alone() -> None:
    stock = stock_router()
    stock.mesh[TOPIC] = {peer(number) for number in range(10, 22)}
    graft_stock = partial(stock.handle_graft, rpc_pb2.ControlGraft(topicID=TOPIC))
    trio.run(graft_stock, NEAR)
    assert NEAR in stock.mesh[TOPIC]

    router = crowded(MESH_HIGH, kept=frozenset({OTHER}))
    graft(router, NEAR)
    assert NEAR not in router.mesh[TOPIC]
    assert router._check_back_off(NEAR, TOPIC)
    graft(router, OTHER)
    assert OTHER in router.mesh[TOPIC]
    assert NEAR not in crowded(MESH_HIGH - 1).mesh[TOPIC]


def test_there_is_room_below_the_bound() -> None:
    router = crowded(MESH_HIGH - 1)
    graft(router, NEAR)
    assert NEAR in router.mesh[TOPIC]


def test_asking_into_a_mesh_too_early_is_blamed() -> None:
    pubsub, router, intake = our_pubsub()
    pubsub.peer_queues = {NEAR: RpcQueue()}
    router.mesh[TOPIC] = set()
    router._add_back_off(NEAR, TOPIC, is_unsubscribe=False)
    graft(router, NEAR)
    assert NEAR not in router.mesh[TOPIC]
    assert intake._standing.score(name_of(NEAR)) == -1


def test_co_operators_are_the_first_into_a_mesh_and_the_last_out_of_it() -> None:
    operator = peer(11)
    router = crowded(20, kept=frozenset({operator}))
    for _ in range(20):
        assert operator not in router._select_peers_for_pruning(TOPIC, 19)
        router.mesh[TOPIC] = set()
        assert operator in router._get_in_topic_gossipsub_peers_from_minus(TOPIC, 1, [])
        router.mesh[TOPIC] = {peer(number) for number in range(10, 30)}
    assert len(router._get_in_topic_gossipsub_peers_from_minus(TOPIC, 5, [])) == 5
    assert router._get_in_topic_gossipsub_peers_from_minus(TOPIC, -3, []) == []


def test_upstream_sends_a_message_as_often_as_it_is_asked_and_we_within_a_budget() -> None:
    router, queues = meshed()
    want = rpc_pb2.ControlIWant(messageIDs=[gossip_id(bytes(700_000))] * 50)

    async def main() -> None:
        await router.publish(NEAR, anonymous(bytes(700_000)))
        popped(queues[3])
        for _ in range(10):
            await router.handle_iwant(want, OTHER)

    trio.run(main)
    assert len(popped(queues[3])) == PER_HEARTBEAT[Kind.ANSWER_BYTES] // 700_000


def test_back_offs_that_are_over_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    router, _queues = meshed()
    router.back_off = {TOPIC: {NEAR: 100, OTHER: 300}}
    monkeypatch.setattr("time.time", lambda: 200.0)
    router.mesh_heartbeat()
    assert router.back_off == {TOPIC: {OTHER: 300}}
