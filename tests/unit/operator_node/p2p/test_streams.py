"""Direct streams: one that has ended is opened anew, and one that could not be opened, too."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, cast

import trio
from libp2p.abc import INetStream
from libp2p.host.exceptions import StreamFailure
from libp2p.network.stream.exceptions import StreamEOF, StreamReset
from trio.testing import MockClock, wait_all_tasks_blocked

from operator_node.p2p.intake import Intake
from operator_node.p2p.scoring import PeerId, Standing
from operator_node.p2p.streams import LONGEST_PAUSE_SECONDS, DirectMessage, DirectStreams
from operator_node.p2p.upstream.framing import framed
from operator_node.p2p.upstream.peer_ids import id_of
from operator_node.validation.verdict import Accept, Verdict
from tests.p2p.nodes import TOPIC, accept, message
from tests.unit.operator_node.p2p.upstream.hosts import identity

PEER = identity(2).peer
WORD = DirectMessage(TOPIC, (), message("good", 1))


class Wire:
    """A stream of ours, of which the test is the other end."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.ended = trio.Event()

    async def read(self, _n: int | None = None) -> bytes:
        await self.ended.wait()
        raise StreamEOF

    async def write(self, data: bytes) -> None:
        await trio.lowlevel.checkpoint()
        if self.ended.is_set():
            raise StreamReset
        self.written.append(data)

    async def reset(self) -> None:
        self.ended.set()


class Side:
    """A host that gives out `Wire`s, unless it is to fail."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.opened: list[Wire] = []
        self.attempts = 0
        self.fails = False
        host: Any = SimpleNamespace(set_stream_handler=lambda *_: None, new_stream=self.new_stream)
        self.streams = DirectStreams(host, Intake(judge, Standing()), forward, nursery)

    async def new_stream(self, _peer: object, _protocols: object) -> Wire:
        self.attempts += 1
        await trio.lowlevel.checkpoint()
        if self.fails:
            raise StreamFailure("multiselect read failed")
        self.opened.append(Wire())
        return self.opened[-1]

    async def keep_for(self, seconds: float) -> None:
        """As the network does, a few times a second."""
        with trio.move_on_after(seconds):
            while True:
                self.streams.keep([PEER])
                await trio.sleep(0.25)


def judge(data: bytes, _topic: str, _peer: PeerId) -> Verdict:
    return accept(data)


async def forward(_peer: PeerId, _message: DirectMessage, _accepted: Accept) -> None:
    raise AssertionError("nothing comes in here")


def play(scene: Callable[[Side], Awaitable[None]]) -> None:
    async def main() -> None:
        async with trio.open_nursery() as nursery:
            await scene(Side(nursery))
            nursery.cancel_scope.cancel()

    trio.run(main, clock=MockClock(autojump_threshold=0))


def test_a_stream_that_has_ended_is_opened_anew_before_a_message_is_lost_on_it() -> None:
    async def scene(side: Side) -> None:
        await side.keep_for(1)
        assert side.streams.reaches(PEER)
        side.opened[0].ended.set()
        await wait_all_tasks_blocked()
        assert not side.streams.reaches(PEER)
        await side.keep_for(1)
        assert side.streams.send(PEER, WORD)
        await wait_all_tasks_blocked()
        assert (len(side.opened[0].written), len(side.opened[1].written)) == (0, 1)

    play(scene)


def test_a_peer_whose_connection_broke_while_a_stream_was_opened_gets_one_soon() -> None:
    async def scene(side: Side) -> None:
        side.fails = True
        await side.keep_for(0.25)
        side.fails = False
        assert side.attempts == 1
        await side.keep_for(1)
        assert side.streams.reaches(PEER)

    play(scene)


def test_a_peer_that_does_not_speak_the_protocol_is_asked_ever_more_rarely() -> None:
    async def scene(side: Side) -> None:
        side.fails = True
        await side.keep_for(10 * LONGEST_PAUSE_SECONDS)
        assert 10 < side.attempts < 20
        side.streams.keep([])
        before = side.attempts
        await side.keep_for(0.25)
        assert side.attempts == before + 1  # it was gone, and may be another version now

    play(scene)


class Incoming(Wire):
    """A stream of a peer; as upstream, it does not wake who reads when it is reset at this end."""

    def __init__(self) -> None:
        super().__init__()
        self.muxed_conn = SimpleNamespace(peer_id=id_of(PEER))
        self._begun = [framed(bytes(1000))[:10]]

    async def read(self, _n: int | None = None) -> bytes:
        if self._begun:
            return self._begun.pop()
        await trio.sleep_forever()
        raise AssertionError


def test_a_peer_has_one_stream_to_this_node_and_a_new_one_ends_the_older() -> None:
    async def scene(side: Side) -> None:
        wires = [Incoming() for _ in range(7)]
        async with trio.open_nursery() as nursery:
            for wire in wires:
                nursery.start_soon(side.streams._serve, cast(INetStream, wire))
                await wait_all_tasks_blocked()
            assert len(nursery.child_tasks) == 1
            assert [wire.ended.is_set() for wire in wires] == [True] * 6 + [False]
            nursery.cancel_scope.cancel()

    play(scene)
