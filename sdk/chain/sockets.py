"""JSON-RPC over one WebSocket per execution client: a question out, its answer back.

Shell. Configurations of existing nodes name `ws://` addresses. Nothing is subscribed to: the same
questions are asked as over HTTP. A connection that fails once is opened anew, as it may have been
idle for too long; one that was left in the middle of an answer is never used again.

Source: RFC 6455.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Final

import anyio
import httpx
from anyio.abc import ByteStream
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    RejectConnection,
    Request,
    TextMessage,
)
from wsproto.utilities import ProtocolError

SCHEMES: Final = frozenset({"ws", "wss"})
_PORTS: Final = {"ws": 80, "wss": 443}
_PIECE_BYTES: Final = 2**18
_BROKEN: Final = (
    OSError,
    ProtocolError,
    anyio.EndOfStream,
    anyio.BrokenResourceError,
    anyio.ClosedResourceError,
)


class Broken(Exception):
    """The connection cannot be made or did not last; the text names no address."""


class AnswerTooLarge(Exception):
    """More than anybody reads."""


class Socket:
    """The connection to one client, made when it is first needed."""

    def __init__(self, url: httpx.URL, *, connect_s: float, most_bytes: int) -> None:
        """Nothing is connected yet.

        Args:
            url: `ws` or `wss`; may hold a user and password.
            connect_s: seconds for connection and handshake.
            most_bytes: of an answer.
        """
        self._url = url
        self._connect_s = connect_s
        self._most_bytes = most_bytes
        self._lock = anyio.Lock()
        self._stream: ByteStream | None = None
        self._protocol = WSConnection(ConnectionType.CLIENT)

    async def aclose(self) -> None:
        """Closes the connection, also when cancelled."""
        stream, self._stream = self._stream, None
        if stream is not None:
            with anyio.CancelScope(shield=True):
                await anyio.aclose_forcefully(stream)

    async def exchange(self, content: bytes) -> bytearray:
        """The answer to a question; the caller limits the waiting.

        Raises:
            Broken: no connection, or it did not last.
            AnswerTooLarge: it was not read to its end.
        """
        async with self._lock:
            is_used = self._stream is not None
            try:
                return await self._exchange(content)
            except Broken:
                if not is_used:
                    raise
            # Closed while it was idle; all questions of this room may be asked twice.
            return await self._exchange(content)

    async def _exchange(self, content: bytes) -> bytearray:
        is_whole = False
        try:
            stream = self._stream or await self._connect()
            await stream.send(self._protocol.send(TextMessage(content.decode())))
            answer = await self._answer(stream)
            is_whole = True
        except _BROKEN as failure:
            raise Broken(type(failure).__name__) from None
        finally:
            # Also if nobody waits any more: the next answer must be to the next question.
            if not is_whole:
                await self.aclose()
        return answer

    async def _answer(self, stream: ByteStream) -> bytearray:
        answer = bytearray()
        while True:
            for event in await self._events(stream):
                if not isinstance(event, TextMessage | BytesMessage):
                    continue
                data = event.data
                answer += data.encode() if isinstance(data, str) else data
                if len(answer) > self._most_bytes:
                    raise AnswerTooLarge
                if event.message_finished:
                    return answer

    async def _connect(self) -> ByteStream:
        url = self._url
        self._protocol = WSConnection(ConnectionType.CLIENT)
        try:
            with anyio.fail_after(self._connect_s):
                stream = await _connected(url)
                self._stream = stream
                await stream.send(self._protocol.send(self._greeting()))
                while True:
                    for event in await self._events(stream):
                        if isinstance(event, AcceptConnection):
                            return stream
                        if isinstance(event, RejectConnection):
                            raise Broken(f"no WebSocket, status {event.status_code}")
        except TimeoutError:
            raise Broken("no connection in time") from None

    def _greeting(self) -> Request:
        url = self._url
        headers = []
        if url.userinfo:
            user = f"{url.username}:{url.password}".encode()
            headers.append((b"authorization", b"Basic " + b64encode(user)))
        return Request(
            host=url.netloc.decode(), target=url.raw_path.decode(), extra_headers=headers
        )

    async def _events(self, stream: ByteStream) -> list[Event]:
        """What came next; pings are answered.

        Raises:
            Broken: the other side closed the connection.
        """
        self._protocol.receive_data(await stream.receive(_PIECE_BYTES))
        events = list(self._protocol.events())
        for event in events:
            if isinstance(event, Ping):
                await stream.send(self._protocol.send(event.response()))
            if isinstance(event, CloseConnection):
                raise Broken(f"closed with code {event.code}")
        return events


async def _connected(url: httpx.URL) -> ByteStream:
    port = url.port or _PORTS[url.scheme]
    if url.scheme == "wss":
        # Nothing that ends a connection early can pass for a whole answer: messages have lengths.
        return await anyio.connect_tcp(url.host, port, tls=True, tls_standard_compatible=False)
    return await anyio.connect_tcp(url.host, port)
