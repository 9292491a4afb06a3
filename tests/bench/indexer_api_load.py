"""A load of HTTP requests over kept-alive connections, and how long the answers took.

In the closed loop every connection asks again as soon as it has its answer, which shows the most
that a server gives. In the open loop requests are due at a fixed rate whatever the server does, and
the time counts from when a request was due, so that one slow answer is not hidden by those that
were not asked meanwhile.
"""

from __future__ import annotations

import math
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Final

import trio

MOST_BYTES: Final = 1 << 16
"""Read at once."""
CONNECTIONS: Final = 64
"""Of the open loop; whoever finds none free waits, which counts."""
_END: Final = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Question:
    """One request. `kind` and `route` are what its time is counted under."""

    kind: str
    route: str
    path: str


@dataclass(slots=True)
class Figures:
    """What a load saw.

    Attributes:
        times_s: by kind and route of the question.
        late_s: how long after they were due requests were sent.
        statuses: how often each came.
        seconds: that the load lasted.
        processor_s: that making it took.
    """

    times_s: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    late_s: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    seconds: float = 0.0
    received: int = 0
    processor_s: float = 0.0

    @property
    def answers(self) -> int:
        """How many came."""
        return sum(self.statuses.values())

    @property
    def failed(self) -> int:
        """How many of them were not as hoped."""
        return self.answers - self.statuses[200]

    def of(self, kind: str | None = None, route: str | None = None) -> list[float]:
        """Times of a kind or route, of all if none is named."""
        return [
            each
            for (its_kind, its_route), times in self.times_s.items()
            if kind in (None, its_kind) and route in (None, its_route)
            for each in times
        ]


def percentile_ms(times_s: list[float], percent: float) -> float:
    """Within which so many of a hundred came."""
    times = sorted(times_s)
    return 1_000 * times[min(len(times) - 1, math.ceil(len(times) * percent / 100) - 1)]


class Connection:
    """One kept-alive connection."""

    def __init__(self, stream: trio.SocketStream, host: str) -> None:
        self._stream = stream
        self._tail = f" HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: gzip\r\n\r\n".encode()

    async def ask(self, path: str) -> tuple[int, int]:
        """Status and bytes of the body."""
        await self._stream.send_all(b"GET " + path.encode() + self._tail)
        got = bytearray()
        while (end := got.find(_END)) < 0:
            got += await self._read()
        head = bytes(got[:end]).lower()
        _, _, length = head.partition(b"\r\ncontent-length: ")
        wanted = int(length.partition(b"\r\n")[0])
        missing = end + len(_END) + wanted - len(got)
        while missing > 0:
            missing -= len(await self._read())
        return int(head.split(b" ", 2)[1]), wanted

    async def _read(self) -> bytes:
        some = bytes(await self._stream.receive_some(MOST_BYTES))
        if not some:
            raise ConnectionError("the server closed a connection")
        return some


async def closed(
    host: str, port: int, questions: Iterator[Question], *, connections: int, seconds: float
) -> Figures:
    """As many answers as a server gives to so many that ask without pause."""
    figures = Figures()
    begun, spent = trio.current_time(), time.process_time()

    async def ask() -> None:
        async with await trio.open_tcp_stream(host, port) as stream:
            connection = Connection(stream, host)
            while trio.current_time() - begun < seconds:
                question = next(questions)
                await _measured(figures, connection, question, trio.current_time())

    async with trio.open_nursery() as nursery:
        for _ in range(connections):
            nursery.start_soon(ask)
    figures.seconds = trio.current_time() - begun
    figures.processor_s = time.process_time() - spent
    return figures


async def opened(
    host: str, port: int, questions: Iterator[Question], *, per_second: float, seconds: float
) -> Figures:
    """Answers to requests that are due at a fixed rate, evenly spaced."""
    figures = Figures()
    send, receive = trio.open_memory_channel[tuple[float, Question]](int(per_second * seconds))
    connected = trio.Event()
    waiting = CONNECTIONS

    async def ask() -> None:
        nonlocal waiting
        async with await trio.open_tcp_stream(host, port) as stream:
            connection = Connection(stream, host)
            waiting -= 1
            if not waiting:
                connected.set()
            async for due, question in receive:
                figures.late_s.append(trio.current_time() - due)
                await _measured(figures, connection, question, due)

    async with trio.open_nursery() as nursery, send:
        for _ in range(CONNECTIONS):
            nursery.start_soon(ask)
        await connected.wait()
        begun, spent = trio.current_time(), time.process_time()
        for number in count():
            due = begun + number / per_second
            if due >= begun + seconds:
                break
            await trio.sleep_until(due)
            send.send_nowait((due, next(questions)))
    figures.seconds = trio.current_time() - begun
    figures.processor_s = time.process_time() - spent
    return figures


async def _measured(
    figures: Figures, connection: Connection, question: Question, since: float
) -> None:
    status, size = await connection.ask(question.path)
    figures.times_s[question.kind, question.route].append(trio.current_time() - since)
    figures.statuses[status] += 1
    figures.received += size
