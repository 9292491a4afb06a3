"""Streams of gossip: a peer that comes back is spoken to again; upstream passes it over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import cast

import pytest
import trio
from libp2p.abc import INetStream
from libp2p.host.exceptions import StreamFailure
from libp2p.network.stream.exceptions import StreamEOF, StreamReset
from libp2p.peer.id import ID
from libp2p.pubsub.gossipsub import PROTOCOL_ID_V11
from libp2p.pubsub.pb import rpc_pb2
from libp2p.pubsub.pubsub import Pubsub
from libp2p.pubsub.rpc_queue import RpcQueue
from trio.testing import MockClock, wait_all_tasks_blocked

from operator_node.p2p.upstream.framing import framed
from operator_node.p2p.upstream.peer_ids import name_of
from operator_node.p2p.upstream.peer_streams import (
    LONGEST_WAIT_SECONDS,
    OPEN_SECONDS,
    QUEUED_BYTES,
    QUEUED_PACKETS,
    ByteBoundQueue,
)
from operator_node.p2p.upstream.pubsub import AnonymousPubsub
from tests.p2p.nodes import OTHER_TOPIC, TOPIC
from tests.unit.operator_node.p2p.upstream.hosts import anonymous, our_pubsub, peer, stock_pubsub

PEER = peer(2)


class Wire:
    """A stream of which the test is the other end."""

    def __init__(self) -> None:
        self.muxed_conn = SimpleNamespace(peer_id=PEER)
        self.metric_send_channel = None
        self.written: list[bytes] = []
        self.ended = trio.Event()
        self._arrived = bytearray()
        self._news = trio.Event()

    def get_protocol(self) -> str:
        return PROTOCOL_ID_V11

    async def read(self, n: int | None = None) -> bytes:
        while not self._arrived:
            if self.ended.is_set():
                raise StreamEOF
            await self._news.wait()
            self._news = trio.Event()
        piece = bytes(self._arrived[:n])
        del self._arrived[: len(piece)]
        return piece

    async def write(self, data: bytes) -> None:
        await trio.lowlevel.checkpoint()
        if self.ended.is_set():
            raise StreamReset
        self.written.append(data)

    async def reset(self) -> None:
        self.end()

    def arrive(self, packet: rpc_pb2.RPC) -> None:
        self._arrived += framed(packet.SerializeToString())
        self._news.set()

    def arrive_in_part(self, packet: rpc_pb2.RPC) -> None:
        self._arrived += framed(packet.SerializeToString())[:-1]
        self._news.set()

    def end(self) -> None:
        self.ended.set()
        self._news.set()

    def subscriptions(self) -> list[list[str]]:
        """What each packet that was written on it subscribed to."""
        packets = [rpc_pb2.RPC.FromString(each[1:]) for each in self.written]
        return [[each.topicid for each in packet.subscriptions] for packet in packets]


class Side:
    """A pubsub whose host gives out `Wire`s, or what else the test has put up."""

    def __init__(self, pubsub: Pubsub, nursery: trio.Nursery) -> None:
        self.pubsub = pubsub
        self.opened: list[Wire] = []
        self.attempts = 0
        self.failures: list[Exception] = []
        self.is_connected = True
        self.hold: trio.Event | None = None
        pubsub._manager = SimpleNamespace(  # type: ignore[assignment]
            is_running=True, run_task=nursery.start_soon
        )
        setattr(pubsub.host, "new_stream", self.new_stream)  # noqa: B010  mypy forbids the plain way
        setattr(pubsub, "_peer_is_connected", lambda _peer: self.is_connected)  # noqa: B010

    async def new_stream(self, _peer: ID, _protocols: object) -> Wire:
        self.attempts += 1
        await trio.lowlevel.checkpoint()
        if self.hold is not None:
            await self.hold.wait()
        if self.failures:
            raise self.failures.pop()
        self.opened.append(Wire())
        return self.opened[-1]

    async def connect(self) -> None:
        """As when a connection to the peer is announced."""
        await self.pubsub._handle_new_peer_with_retry(PEER)

    def take(self, nursery: trio.Nursery, *topics: str) -> Wire:
        """A stream of the peer, on which it subscribes to topics."""
        wire = Wire()
        options = [rpc_pb2.RPC.SubOpts(subscribe=True, topicid=topic) for topic in topics]
        wire.arrive(rpc_pb2.RPC(subscriptions=options))
        nursery.start_soon(self.pubsub.stream_handler, wire)
        return wire

    def current(self) -> object:
        """The stream that is on record."""
        return self.pubsub.peers[PEER]

    def peer_topics(self) -> set[str]:
        return {topic for topic, peers in self.pubsub.peer_topics.items() if PEER in peers}

    def mesh(self) -> set[ID]:
        assert isinstance(self.pubsub, AnonymousPubsub)
        return set(self.pubsub.router.mesh[TOPIC])


Scene = Callable[[Side, trio.Nursery], Awaitable[None]]


def play(scene: Scene, *, stock: bool = False) -> None:
    async def main() -> None:
        async with trio.open_nursery() as nursery:
            side = Side(stock_pubsub() if stock else our_pubsub()[0], nursery)
            await side.pubsub.subscribe(TOPIC)
            await scene(side, nursery)
            side.is_connected = False
            nursery.cancel_scope.cancel()

    trio.run(main, clock=MockClock(autojump_threshold=0))


@pytest.mark.parametrize("stock", [True, False])
def test_upstream_sees_the_end_of_its_stream_with_the_next_packet_and_we_at_once(
    stock: bool,
) -> None:
    async def scene(side: Side, _nursery: trio.Nursery) -> None:
        await side.connect()
        side.opened[0].end()
        await wait_all_tasks_blocked()
        await side.connect()  # another connection: upstream has a stream, and passes the peer over
        await wait_all_tasks_blocked()
        assert len(side.opened) == (1 if stock else 2)
        if not stock:
            assert side.opened[1].subscriptions() == [[TOPIC]]
            assert side.current() is side.opened[1]

    play(scene, stock=stock)


@pytest.mark.parametrize("stock", [True, False])
def test_upstream_gives_a_connected_peer_up_when_its_protocol_was_not_agreed_and_we_do_not(
    stock: bool,
) -> None:
    async def scene(side: Side, _nursery: trio.Nursery) -> None:
        side.failures = [StreamFailure("multiselect read failed")]
        with trio.move_on_after(LONGEST_WAIT_SECONDS):
            await side.connect()
        assert len(side.opened) == (0 if stock else 1)

    play(scene, stock=stock)


def test_attempts_get_rarer_until_there_is_another_connection() -> None:
    async def scene(side: Side, nursery: trio.Nursery) -> None:
        side.failures = [StreamFailure() for _ in range(100)]
        nursery.start_soon(side.connect)
        await trio.sleep(100)
        assert 5 < side.attempts < 15
        side.failures.clear()
        begin = trio.current_time()
        await side.connect()
        await wait_all_tasks_blocked()
        assert len(side.opened) == 1
        assert trio.current_time() == begin

    play(scene)


def test_an_attempt_that_hangs_is_given_up_and_there_is_one_at_a_time() -> None:
    async def scene(side: Side, nursery: trio.Nursery) -> None:
        side.hold = trio.Event()
        for _ in range(3):
            nursery.start_soon(side.connect)
        await wait_all_tasks_blocked()
        assert side.attempts == 1
        await trio.sleep(OPEN_SECONDS + 1)
        assert side.attempts == 2

    play(scene)


def test_a_peer_that_is_gone_is_not_tried() -> None:
    async def scene(side: Side, _nursery: trio.Nursery) -> None:
        await side.connect()
        side.is_connected = False
        side.opened[0].end()
        await wait_all_tasks_blocked()
        assert side.attempts == 1
        assert PEER not in side.pubsub.peers
        assert PEER not in side.pubsub.peer_queues

    play(scene)


@pytest.mark.parametrize("stock", [True, False])
def test_upstream_forgets_what_a_peer_said_when_its_own_stream_breaks_and_we_do_not(
    stock: bool,
) -> None:
    async def scene(side: Side, nursery: trio.Nursery) -> None:
        side.take(nursery, TOPIC)
        await side.connect()
        await wait_all_tasks_blocked()
        assert side.peer_topics() == {TOPIC}
        side.opened[0].end()
        side.pubsub.peer_queues[PEER].push(rpc_pb2.RPC())
        await wait_all_tasks_blocked()
        assert side.peer_topics() == (set() if stock else {TOPIC})

    play(scene, stock=stock)


def test_what_a_peer_said_ends_with_its_stream() -> None:
    async def scene(side: Side, nursery: trio.Nursery) -> None:
        await side.connect()
        wire = side.take(nursery, TOPIC)
        await wait_all_tasks_blocked()
        assert side.mesh() == {PEER}
        wire.end()
        await wait_all_tasks_blocked()
        assert side.peer_topics() == set()
        assert side.mesh() == set()

    play(scene)


def test_nobody_is_blamed_for_a_packet_that_a_lost_connection_cuts_off() -> None:
    async def scene(side: Side, nursery: trio.Nursery) -> None:
        wire = side.take(nursery, TOPIC)
        await wait_all_tasks_blocked()
        wire.arrive_in_part(rpc_pb2.RPC(publish=[rpc_pb2.Message(data=bytes(50))]))
        await wait_all_tasks_blocked()
        wire.end()
        await wait_all_tasks_blocked()
        assert isinstance(side.pubsub, AnonymousPubsub)
        assert side.pubsub._intake._standing.score(name_of(PEER)) == 0
        assert side.peer_topics() == set()

    play(scene)


def test_the_late_end_of_an_older_stream_takes_nothing_away() -> None:
    async def scene(side: Side, nursery: trio.Nursery) -> None:
        await side.connect()
        older = side.take(nursery, TOPIC, OTHER_TOPIC)
        await wait_all_tasks_blocked()
        side.take(nursery, TOPIC)
        await wait_all_tasks_blocked()
        assert older.ended.is_set()
        assert side.peer_topics() == {TOPIC}
        assert side.mesh() == {PEER}

    play(scene)


class Deaf(Wire):
    """As upstream, it does not wake who reads from it when it is reset at this end."""

    async def reset(self) -> None:
        self.ended.set()


def test_streams_that_are_replaced_leave_nobody_waiting() -> None:
    async def scene(side: Side, _nursery: trio.Nursery) -> None:
        wires = [Deaf() for _ in range(5)]
        async with trio.open_nursery() as readers:
            for wire in wires:
                readers.start_soon(side.pubsub.stream_handler, cast(INetStream, wire))
                await wait_all_tasks_blocked()
            assert len(readers.child_tasks) == 1
            assert [wire.ended.is_set() for wire in wires] == [True] * 4 + [False]
            readers.cancel_scope.cancel()

    play(scene)


def test_a_stream_that_fails_late_does_not_end_the_one_that_replaced_it() -> None:
    async def scene(side: Side, _nursery: trio.Nursery) -> None:
        await side.connect()
        await wait_all_tasks_blocked()
        old, queue = side.opened[0], side.pubsub.peer_queues[PEER]
        side.pubsub._handle_dead_peer(PEER)
        await wait_all_tasks_blocked()
        assert queue.closed
        assert old.ended.is_set()
        assert side.current() is side.opened[1]
        assert not side.opened[1].ended.is_set()

    play(scene)


def test_no_subscription_falls_between_the_first_packet_and_those_that_follow() -> None:
    async def scene(side: Side, nursery: trio.Nursery) -> None:
        side.hold = trio.Event()
        nursery.start_soon(side.connect)
        await wait_all_tasks_blocked()
        side.hold.set()
        nursery.start_soon(side.pubsub.subscribe, OTHER_TOPIC)
        await wait_all_tasks_blocked()
        said = [topic for packet in side.opened[0].subscriptions() for topic in packet]
        assert set(said) == {TOPIC, OTHER_TOPIC}

    play(scene)


def test_a_wire_is_what_the_room_takes_for_a_stream() -> None:
    used = {"read", "write", "reset", "get_protocol"}
    assert used <= set(dir(INetStream)) & set(dir(Wire))


def test_what_waits_for_a_peer_is_bounded_in_bytes_and_upstreams_is_not() -> None:
    packet = rpc_pb2.RPC(publish=[anonymous(bytes(QUEUED_BYTES // 4))])
    stock, ours = RpcQueue(QUEUED_PACKETS), ByteBoundQueue(QUEUED_PACKETS)
    assert [stock.push(packet) for _ in range(10)] == [True] * 10
    assert [ours.push(packet) for _ in range(4)] == [True, True, True, False]
    trio.run(ours.pop)
    assert ours.push(packet)
    assert not ours.push(packet)


def test_a_peer_that_does_not_read_loses_the_write() -> None:
    class Stuck:
        async def write(self, _data: bytes) -> None:
            await trio.sleep_forever()

    pubsub, _router, _intake = our_pubsub()

    async def main() -> None:
        with pytest.raises(trio.TooSlowError):
            await pubsub.write_msg(cast(INetStream, Stuck()), rpc_pb2.RPC())

    trio.run(main, clock=MockClock(autojump_threshold=0))
