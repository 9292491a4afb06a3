"""Publishing and subscribing: each defect is still there upstream, and not here."""

from __future__ import annotations

import pytest
import trio
from libp2p.peer.id import ID
from libp2p.pubsub.gossipsub import PROTOCOL_ID_V11
from libp2p.pubsub.pb import rpc_pb2
from libp2p.pubsub.rpc_queue import (
    DefaultMaxMessageSize,
    DefaultMaxSubscriptionsPerPeer,
    OutBoundQueueSize,
    RpcQueue,
)
from trio.testing import wait_all_tasks_blocked

from operator_node.p2p.scoring import PeerId, Standing
from operator_node.p2p.upstream.peer_streams import PACKET_BYTES, QUEUED_PACKETS
from operator_node.p2p.upstream.pubsub import SUBSCRIPTIONS_PER_PEER, AnonymousPubsub
from operator_node.p2p.upstream.router import Router
from operator_node.wire import SUBNETS, Generation
from tests.p2p.nodes import OTHER_TOPIC, TOPIC, message
from tests.unit.operator_node.p2p.upstream.hosts import (
    anonymous,
    our_pubsub,
    peer,
    stock_pubsub,
)

A, B = peer(2), peer(3)
GOOD = message("good", 1)


def published_by(router: Router) -> list[rpc_pb2.Message]:
    """Makes the router note what it is to send, instead of sending it."""
    noted: list[rpc_pb2.Message] = []

    async def note(
        _forwarder: ID, what: rpc_pb2.Message, _have_it: frozenset[ID] = frozenset()
    ) -> None:
        noted.append(what)

    setattr(router, "publish", note)  # noqa: B010  mypy forbids the plain way
    return noted


def test_upstream_names_the_sender_of_an_unsigned_message() -> None:
    stock = stock_pubsub()
    pushed: list[rpc_pb2.Message] = []

    async def note(_forwarder: ID, what: rpc_pb2.Message) -> None:
        pushed.append(what)

    setattr(stock, "push_msg", note)  # noqa: B010  mypy forbids the plain way
    trio.run(stock.publish, TOPIC, GOOD)
    assert pushed[0].HasField("from_id")
    assert pushed[0].HasField("seqno")


def test_an_own_message_is_topic_and_data_alone() -> None:
    pubsub, router, _intake = our_pubsub()
    noted = published_by(router)
    trio.run(pubsub.publish, TOPIC, GOOD)
    assert noted == [anonymous(GOOD)]


@pytest.mark.parametrize("field", ["from_id", "seqno", "signature", "key"])
def test_a_message_that_names_its_sender_is_refused_and_blamed(field: str) -> None:
    judged: list[bytes] = []
    pubsub, router, intake = our_pubsub(judged)
    noted = published_by(router)
    named = anonymous(GOOD)
    setattr(named, field, b"x")
    trio.run(pubsub.push_msg, A, named)
    assert (judged, noted) == ([], [])
    assert score(intake._standing, A) < 0


def test_a_message_on_two_topics_is_refused() -> None:
    judged: list[bytes] = []
    pubsub, _router, _intake = our_pubsub(judged)
    both = rpc_pb2.Message(topicIDs=[TOPIC, OTHER_TOPIC], data=GOOD)
    trio.run(pubsub.push_msg, A, both)
    assert judged == []


def test_upstream_lets_copies_through_that_are_validated_together() -> None:
    stock = stock_pubsub()
    passed: list[ID] = []

    async def forward(forwarder: ID, _what: rpc_pb2.Message) -> None:
        passed.append(forwarder)

    async def slow(_forwarder: ID, _what: rpc_pb2.Message) -> bool:
        await wait_all_tasks_blocked()
        return True

    setattr(stock.router, "publish", forward)  # noqa: B010  mypy forbids the plain way
    stock.set_topic_validator(TOPIC, slow, True)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stock.push_msg, A, anonymous(GOOD))
            nursery.start_soon(stock.push_msg, B, anonymous(GOOD))

    trio.run(main)
    assert len(passed) == 2


def test_copies_that_arrive_together_are_judged_and_forwarded_once() -> None:
    judged: list[bytes] = []
    pubsub, router, _intake = our_pubsub(judged)
    noted = published_by(router)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(pubsub.push_msg, A, anonymous(GOOD))
            nursery.start_soon(pubsub.push_msg, B, anonymous(GOOD))

    trio.run(main)
    assert judged == [GOOD]
    assert noted == [anonymous(GOOD)]


def test_unknown_fields_of_a_message_are_not_passed_on() -> None:
    pubsub, router, _intake = our_pubsub()
    noted = published_by(router)
    strange = rpc_pb2.Message.FromString(anonymous(GOOD).SerializeToString() + b"\x7a\x01x")
    trio.run(pubsub.push_msg, A, strange)
    assert noted[0].SerializeToString() == anonymous(GOOD).SerializeToString()


def test_upstreams_limit_of_subscriptions_is_below_the_number_of_subnets() -> None:
    assert DefaultMaxSubscriptionsPerPeer < SUBNETS
    assert len(Generation) * SUBNETS <= SUBSCRIPTIONS_PER_PEER


def test_upstreams_queue_and_packet_are_too_small_and_ours_are_not() -> None:
    assert OutBoundQueueSize < 100
    assert max(each.limits.envelope_bytes for each in Generation) > DefaultMaxMessageSize
    assert max(each.limits.envelope_bytes for each in Generation) < PACKET_BYTES
    queue = queue_to(A)
    assert (queue.max_message_size, queue._queue.max_size) == (PACKET_BYTES, QUEUED_PACKETS)


def test_subscriptions_to_strange_topics_are_not_kept() -> None:
    pubsub, _router, _intake = our_pubsub()
    for topic in (TOPIC, "something else"):
        pubsub.allowed_topics = frozenset({TOPIC})
        subscribe_quietly(pubsub, topic)
    assert set(pubsub.peer_topics) == {TOPIC}


def test_upstream_puts_a_record_of_the_sender_into_each_packet_and_we_do_not() -> None:
    ours, _router, _intake = our_pubsub()
    assert stock_pubsub().get_hello_packet().HasField("senderRecord")
    assert not ours.get_hello_packet().HasField("senderRecord")
    written: list[bytes] = []

    class Stream:
        async def write(self, data: bytes) -> None:
            written.append(data)

    packet, _ = ours._build_announce_rpc(TOPIC, subscribe=True)
    assert packet.HasField("senderRecord")
    assert trio.run(ours.write_msg, Stream(), packet)
    assert not rpc_pb2.RPC.FromString(written[0][1:]).HasField("senderRecord")


def queue_to(which: ID) -> RpcQueue:
    """Of a peer to which a stream was opened, without the task that empties it."""
    pubsub, _router, _intake = our_pubsub()

    class Stream:
        def get_protocol(self) -> str:
            return PROTOCOL_ID_V11

    async def new_stream(_peer: ID, _protocols: object) -> Stream:
        return Stream()

    class Idle:
        def run_task(self, *_task: object) -> None:
            pass

    setattr(pubsub.host, "new_stream", new_stream)  # noqa: B010  mypy forbids the plain way
    pubsub._manager = Idle()  # type: ignore[assignment]
    trio.run(pubsub._handle_new_peer, which)
    return pubsub.peer_queues[which]


def score(standing: Standing, which: ID) -> float:
    return standing.score(PeerId(which.to_base58()))


def subscribe_quietly(pubsub: AnonymousPubsub, topic: str) -> None:
    """As a peer's subscription is taken, without the tasks that follow."""

    class Idle:
        is_running = False

    pubsub._manager = Idle()  # type: ignore[assignment]
    pubsub.handle_subscription(A, rpc_pb2.RPC.SubOpts(subscribe=True, topicid=topic))
