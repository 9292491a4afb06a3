"""Connections: what is sent when, and when they end. Over real sockets of this machine."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import trio

from indexer.serving import serve_app

REQUEST = b"GET /x HTTP/1.1\r\nHost: here\r\n\r\n"
PATIENCE_S = 20.0
App = Callable[[Any, Any, Any], Awaitable[None]]


async def plain(scope: Any, receive: Any, send: Any) -> None:
    """An answer of known length."""
    length = [(b"content-length", b"4")]
    await send({"type": "http.response.start", "status": 200, "headers": length})
    await send(
        {"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else b"body"}
    )


def asked(app: App, ask: Callable[[trio.SocketStream], Awaitable[None]], **more: Any) -> None:
    """Serves the app to one connection."""

    async def run() -> None:
        with trio.fail_after(PATIENCE_S), socket.create_server(("127.0.0.1", 0)) as listening:
            async with trio.open_nursery() as nursery:
                port = await nursery.start(partial(serve_app, app, listening, **more))
                async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
                    await ask(stream)
                nursery.cancel_scope.cancel()

    trio.run(run)


async def read_until(stream: trio.SocketStream, end: bytes) -> bytes:
    got = b""
    while not got.endswith(end):
        some = bytes(await stream.receive_some())
        assert some
        got += some
    return got


def test_answers_follow_each_other_on_one_connection() -> None:
    async def ask(stream: trio.SocketStream) -> None:
        for _ in range(3):
            await stream.send_all(REQUEST)
            got = await read_until(stream, b"body")
            assert got.startswith(b"HTTP/1.1 200 ")
            await stream.send_all(REQUEST.replace(b"GET", b"HEAD"))
            assert (await read_until(stream, b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")

    asked(plain, ask)


def test_a_stream_begins_before_its_first_part_is_there() -> None:
    is_begun = trio.Event()

    async def streaming(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"", "more_body": True})
        await is_begun.wait()
        await send({"type": "http.response.body", "body": b"part", "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def ask(stream: trio.SocketStream) -> None:
        await stream.send_all(REQUEST)
        assert (await read_until(stream, b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        is_begun.set()
        assert b"part" in await read_until(stream, b"0\r\n\r\n")

    asked(streaming, ask)


def test_a_connection_without_requests_is_closed() -> None:
    async def ask(stream: trio.SocketStream) -> None:
        await stream.send_all(REQUEST)
        await read_until(stream, b"body")
        assert await stream.receive_some() == b""

    asked(plain, ask, keep_alive_s=0.01)


def test_a_request_that_is_none_is_refused() -> None:
    async def ask(stream: trio.SocketStream) -> None:
        await stream.send_all(b"nonsense\r\n\r\n")
        assert (await read_until(stream, b"\r\n\r\n")).startswith(b"HTTP/1.1 400 ")
        assert await stream.receive_some() == b""

    asked(plain, ask)
