"""Whether peers are alive, and see of the connection what this node sees of it.

A connection that stands at one end only looks like a quiet peer: nothing fails, and nothing comes.
So a peer of which nothing came for a while is asked; co-operators are asked now and then whatever
they send. Between our own nodes the question carries what each end believes: whether it gets the
other's gossip, and how many of its topics it knows. Who does not answer, or believes otherwise,
twice, is connected anew; who is still heard of gets more patience, and what this node asked while
it was late itself proves nothing. Nothing else is ever done about it.

Source: docs/architecture.md; the libp2p ping protocol for all other nodes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Final

import trio
from libp2p.abc import INetStream
from libp2p.custom_types import TProtocol
from libp2p.exceptions import BaseLibp2pError
from libp2p.host.basic_host import BasicHost
from libp2p.host.ping import ID as PING
from libp2p.io.utils import read_exactly

from operator_node.p2p.scoring import PeerId
from operator_node.p2p.upstream.peer_ids import id_of, name_of

PROTOCOL: Final = TProtocol("/phalanx/alive/1")
SILENT_SECONDS: Final = 20.0
"""Without anything of a peer: gossip offers every 0.7 s what was said; every slot has duties."""
KEPT_EVERY_SECONDS: Final = 30.0
"""Between questions to co-operators, five milliseconds each."""
AGAIN_SECONDS: Final = 5.0
"""After an answer that was not good."""
ANSWER_SECONDS: Final = 10.0
"""As for opening a stream: a machine that starts many nodes takes seconds."""
FAILURES: Final = 2
"""In a row, before a peer is connected anew: one may be a subscription on its way."""
FAILURES_WHILE_HEARD: Final = 4
"""The same for a peer that sends: it may be busy, or hear nothing."""
LATE_SECONDS: Final = 1.0
"""An event loop that wakes up so late cannot tell who else is late."""
ANSWERS_PER_TURN: Final = 20
"""To one peer, until `turn` is called."""
_PING_BYTES: Final = 32
_VIEW_BYTES: Final = 3


@dataclass(frozen=True, slots=True)
class View:
    """What one end believes about the other.

    Attributes:
        hears: whether there is a gossip stream from it.
        topics: how many subscriptions of it are known.
    """

    hears: bool
    topics: int

    def encode(self) -> bytes:
        """Three bytes."""
        return bytes([self.hears]) + min(self.topics, 0xFFFF).to_bytes(2, "little")

    @classmethod
    def decode(cls, raw: bytes) -> View:
        """From three bytes."""
        return cls(raw[0] == 1, int.from_bytes(raw[1:_VIEW_BYTES], "little"))


class Answer(Enum):
    """What became of a question."""

    GOOD = "good"
    NONE = "none"
    UNKNOWN = "unknown"
    """This node was too late itself to tell."""
    DIFFERENT = "different"
    """The peer is there, and does not see what this node sees."""


@dataclass(slots=True)
class _Asked:
    not_before: float
    failures: int = 0
    is_running: bool = False
    latency_seconds: float | None = None


class Liveness:
    """Whom to ask when. Pure."""

    def __init__(self) -> None:
        self._asked: dict[PeerId, _Asked] = {}
        self.reconnected = 0
        """Peers connected anew since the start."""

    def due(
        self,
        connected: Iterable[PeerId],
        kept: frozenset[PeerId],
        heard: Mapping[PeerId, float],
        *,
        now: float,
    ) -> list[PeerId]:
        """Who is to be asked now; each counts as begun. Peers that are gone are forgotten."""
        present = set(connected)
        for peer in self._asked.keys() - present:
            del self._asked[peer]
        due: list[PeerId] = []
        for peer in present:
            asked = self._asked.setdefault(peer, _Asked(now + SILENT_SECONDS))
            if asked.is_running or asked.not_before > now:
                continue
            is_silent = heard.get(peer, 0.0) <= now - SILENT_SECONDS
            if is_silent or asked.failures or peer in kept:
                asked.is_running = True
                due.append(peer)
        return due

    def ended(
        self, peer: PeerId, answer: Answer, *, took: float, was_heard: bool, now: float
    ) -> bool:
        """Notes an answer; whether the peer is to be connected anew.

        Args:
            peer: that was asked.
            answer: its own.
            took: seconds.
            was_heard: whether anything of it came meanwhile, unasked.
            now: seconds.
        """
        asked = self._asked.get(peer)
        if asked is None:
            return False
        asked.is_running = False
        if answer is Answer.UNKNOWN:
            asked.not_before = now + AGAIN_SECONDS
            return False
        if answer is Answer.GOOD:
            asked.failures, asked.latency_seconds = 0, took
            asked.not_before = now + KEPT_EVERY_SECONDS
            return False
        asked.failures += 1
        asked.not_before = now + AGAIN_SECONDS
        is_busy = answer is Answer.NONE and was_heard
        if asked.failures < (FAILURES_WHILE_HEARD if is_busy else FAILURES):
            return False
        self.reconnected += 1
        del self._asked[peer]
        return True

    def latency(self, peer: PeerId) -> float | None:
        """Seconds of the last good answer."""
        asked = self._asked.get(peer)
        return None if asked is None else asked.latency_seconds


class Asking:
    """Asks peers, and answers them.

    Args:
        host: serves the protocol from now on.
        view_of: what this node believes of a peer.
        own_topics: how many topics this node is subscribed to.
    """

    def __init__(
        self,
        host: BasicHost,
        view_of: Callable[[PeerId], View],
        own_topics: Callable[[], int],
    ) -> None:
        self._host = host
        self._view_of = view_of
        self._own_topics = own_topics
        self._answered: Counter[PeerId] = Counter()
        host.set_stream_handler(PROTOCOL, self._serve)

    def turn(self) -> None:
        """Begins a new time for `ANSWERS_PER_TURN`."""
        self._answered.clear()

    async def ask(self, peer: PeerId) -> Answer:
        """Whether the peer answers, and agrees."""
        with trio.move_on_after(ANSWER_SECONDS):
            stream = await self._stream_to(peer)
            if stream is None:
                return Answer.NONE
            try:
                return await self._exchange(stream, peer)
            except BaseLibp2pError:
                return Answer.NONE
            finally:
                with trio.CancelScope(shield=True), trio.move_on_after(ANSWER_SECONDS):
                    await stream.reset()
        return Answer.NONE

    async def _stream_to(self, peer: PeerId) -> INetStream | None:
        # Offered both at once, py-libp2p 0.8.1 takes the one that it has seen before: the ping.
        for protocol in (PROTOCOL, PING):
            with suppress(BaseLibp2pError, OSError):
                return await self._host.new_stream(id_of(peer), [protocol])
        return None

    async def _exchange(self, stream: INetStream, peer: PeerId) -> Answer:
        if stream.get_protocol() != PROTOCOL:
            ping = bytes(_PING_BYTES)
            await stream.write(ping)
            return Answer.GOOD if await read_exactly(stream, _PING_BYTES) == ping else Answer.NONE
        own_topics = self._own_topics()
        await stream.write(self._view_of(peer).encode())
        theirs = View.decode(await read_exactly(stream, _VIEW_BYTES))
        agrees = theirs.hears and theirs.topics == own_topics == self._own_topics()
        return Answer.GOOD if agrees else Answer.DIFFERENT

    async def _serve(self, stream: INetStream) -> None:
        peer = name_of(stream.muxed_conn.peer_id)
        self._answered[peer] += 1
        try:
            if self._answered[peer] <= ANSWERS_PER_TURN:
                with trio.move_on_after(ANSWER_SECONDS):
                    await read_exactly(stream, _VIEW_BYTES)
                    await stream.write(self._view_of(peer).encode())
                    await stream.close()
                    return
        except BaseLibp2pError:
            return  # the connection ended
        await stream.reset()
