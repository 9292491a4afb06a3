"""A proxy for HTTP that may do anything but answer well: it sits before an upstream of a node.

Each connection carries one exchange and is closed, so that a new way of behaving holds from the
next request on. What it does with a request is decided by whoever makes it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import h11
import httpx
import trio

from deploy.devnet.ports import free_ports
from deploy.devnet.rest import NO_TLS

if TYPE_CHECKING:
    from trio_typing import TaskStatus  # trio's own is hidden by the stubs that libp2p brings

CHUNK_BYTES: Final = 65_536
MOST_BODY_BYTES: Final = 16 * 1024 * 1024
"""Blocks of the local chain have some kilobytes; more than this is a fault of the trial."""
ANSWER_S: Final = 30.0
"""Of the upstream, until its first byte; streams of events are silent for a slot."""
_HOP: Final = frozenset(
    {b"connection", b"keep-alive", b"host", b"content-length", b"transfer-encoding"}
)
_NOT_PASSED: Final = _HOP | {b"accept-encoding"}


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks."""

    method: str
    target: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]


class Exchange:
    """One request, and the means to answer it."""

    def __init__(
        self, request: Request, connection: h11.Connection, stream: trio.SocketStream
    ) -> None:
        self.request = request
        self._connection = connection
        self._stream = stream

    async def reply(
        self, status: int, body: bytes = b"", *, content_type: bytes = b"application/json"
    ) -> None:
        """A whole answer."""
        await self._begin(status, [(b"content-type", content_type)])
        await self._send(h11.Data(data=body))
        await self._send(h11.EndOfMessage())

    async def forward(self, client: httpx.AsyncClient, edit: Callable[[bytes], bytes]) -> None:
        """The upstream's answer with another body, once it is whole.

        Args:
            client: that reaches the upstream.
            edit: gets the body and returns another.
        """
        asked = self.request
        headers = [(name, text) for name, text in asked.headers if name not in _NOT_PASSED]
        headers.append((b"accept-encoding", b"identity"))  # an edited body is not compressed again
        answer = await client.request(
            asked.method, asked.target, headers=headers, content=asked.body
        )
        kept = [(name, text) for name, text in answer.headers.raw if name.lower() not in _HOP]
        await self._begin(answer.status_code, kept)
        await self._send(h11.Data(data=edit(answer.content)))
        await self._send(h11.EndOfMessage())

    async def splice(self, port: int) -> None:
        """The upstream's answer, byte by byte as it comes: nobody looks at it.

        Args:
            port: of the upstream.
        """
        asked = self.request
        lines = [f"{asked.method} {asked.target} HTTP/1.1".encode(), b"host: 127.0.0.1"]
        lines += [name + b": " + text for name, text in asked.headers if name not in _HOP]
        lines += [b"content-length: %d" % len(asked.body), b"connection: close", b"", b""]
        async with await trio.open_tcp_stream("127.0.0.1", port) as upstream:
            await upstream.send_all(b"\r\n".join(lines) + asked.body)
            while piece := await upstream.receive_some(CHUNK_BYTES):
                await self._stream.send_all(piece)

    async def _begin(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        headers = [*headers, (b"connection", b"close")]
        await self._send(h11.Response(status_code=status, headers=headers))

    async def _send(self, event: h11.Event) -> None:
        data = self._connection.send(event)
        if data:
            await self._stream.send_all(data)


class Proxy:
    """Serves at `url` while `run` does, and asks the upstream at `target`.

    Args:
        target: of the upstream, `http://host:port`.

    Attributes:
        url: where clients find it.
        requests: how many came.
    """

    def __init__(self, target: str) -> None:
        self.target = target
        self._upstream_port = int(target.rpartition(":")[2])
        self._port = free_ports(1)[0]
        self.url = f"http://127.0.0.1:{self._port}"
        self.requests = 0
        self._open: set[trio.CancelScope] = set()
        self.client = httpx.AsyncClient(base_url=target, timeout=ANSWER_S, verify=NO_TLS)

    async def meet(self, exchange: Exchange) -> None:
        """Answer, or return without an answer: the connection is closed then."""
        await self.splice(exchange)

    async def splice(self, exchange: Exchange) -> None:
        """Pass on what the upstream says."""
        await exchange.splice(self._upstream_port)

    def hang_up(self) -> None:
        """End all exchanges that are under way, as an upstream that ends does."""
        for scope in self._open:
            scope.cancel()

    async def run(self, task_status: TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve until cancelled."""
        async with self.client:
            await trio.serve_tcp(
                self._serve, self._port, host="127.0.0.1", task_status=_Started(task_status)
            )

    async def _serve(self, stream: trio.SocketStream) -> None:
        with trio.CancelScope() as scope:
            self._open.add(scope)
            try:
                async with stream:
                    await self._exchange(stream)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                pass  # the client has left, or the upstream
            except (OSError, httpx.HTTPError, h11.ProtocolError):
                pass  # the upstream is not there, or breaks off; and so does this
            finally:
                self._open.discard(scope)

    async def _exchange(self, stream: trio.SocketStream) -> None:
        connection = h11.Connection(h11.SERVER)
        request = await _read(connection, stream)
        if request is None:
            return
        self.requests += 1
        await self.meet(Exchange(request, connection, stream))


class _Started:
    """Tells that the port is open; who waits for it wants no listeners."""

    def __init__(self, status: TaskStatus[None]) -> None:
        self._status = status

    def started(self, value: object = None) -> None:
        self._status.started()


async def _read(connection: h11.Connection, stream: trio.SocketStream) -> Request | None:
    """The request; None if the client leaves before it is whole."""
    head: h11.Request | None = None
    body = bytearray()
    while True:
        event = connection.next_event()
        match event:
            case h11.NEED_DATA:
                connection.receive_data(await stream.receive_some(CHUNK_BYTES))
            case h11.Request():
                head = event
            case h11.Data():
                body += event.data
                if len(body) > MOST_BODY_BYTES:
                    return None
            case h11.EndOfMessage() if head is not None:
                headers = tuple((bytes(name), bytes(text)) for name, text in head.headers)
                return Request(head.method.decode(), head.target.decode(), headers, bytes(body))
            case _:
                return None
