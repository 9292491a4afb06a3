"""The same questions over a WebSocket: answered, refused, broken off, too large, too late."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
import trio
from trio_websocket import ConnectionClosed, WebSocketConnection, WebSocketRequest, serve_websocket

from sdk.chain import Call, Rpc
from sdk.chain import rpc as room
from sdk.errors import NetworkError
from tests.unit.sdk.chain.pretend_node import Node

pytestmark = pytest.mark.realtime

TEXT = msgspec.json.Decoder(str)
FIRST_PORT = 21_400
LAST_PORT = 21_499
PATIENCE_S = 20.0
Talk = Callable[[WebSocketConnection], Awaitable[None]]
Ask = Callable[[Rpc], Awaitable[None]]


def talking(node: Node, *, most: int = 1_000) -> Talk:
    """Answers so many questions per connection."""

    async def talk(socket: WebSocketConnection) -> None:
        for _ in range(most):
            try:
                asked = json.loads(await socket.get_message())
                many = asked if isinstance(asked, list) else [asked]
                found = [node._answer(each) for each in many]
                answer = found if isinstance(asked, list) else found[0]
                await socket.send_message(json.dumps(answer))
            except ConnectionClosed:
                return

    return talk


def run(talk: Talk, ask: Ask, *, paths: list[str] | None = None, **settings: Any) -> None:
    """Serve connections while somebody asks."""

    async def welcome(request: WebSocketRequest) -> None:
        if paths is not None:
            paths.append(request.path)
        await talk(await request.accept())

    async def main() -> None:
        with trio.fail_after(PATIENCE_S):
            async with trio.open_nursery() as nursery:
                port = await _serve(nursery, welcome)
                async with Rpc([f"ws://u:p@127.0.0.1:{port}/way?key=1"]) as rpc:
                    for name, value in settings.items():
                        setattr(rpc, name, value)
                    await ask(rpc)
                nursery.cancel_scope.cancel()

    trio.run(main)


async def _serve(nursery: trio.Nursery, welcome: Any) -> int:
    for port in range(FIRST_PORT, LAST_PORT):
        try:
            await nursery.start(serve_websocket, welcome, "127.0.0.1", port, None)
        except OSError:
            continue
        return port
    raise RuntimeError(f"no free port from {FIRST_PORT} on")


def test_one_connection_answers_calls_and_batches() -> None:
    node, paths = Node(), list[str]()
    node.mine(3, logs=1)

    async def ask(rpc: Rpc) -> None:
        assert await rpc.call("eth_blockNumber", form=TEXT) == "0x2"
        calls = [Call("eth_blockNumber"), Call("eth_chainId")]
        assert await rpc.batch(calls, form=TEXT) == ["0x2", hex(31337)]
        assert rpc.name.startswith("ws://127.0.0.1:")
        assert "way" not in rpc.name

    run(talking(node), ask, paths=paths)
    assert paths == ["/way?key=1"]


def test_a_refusal_is_told_as_over_http() -> None:
    async def ask(rpc: Rpc) -> None:
        with pytest.raises(NetworkError) as caught:
            await rpc.call("eth_unheard", form=TEXT)
        assert caught.value.code == "rpc_refused"

    run(talking(Node()), ask)


def test_a_connection_that_was_closed_while_idle_is_opened_anew() -> None:
    node, paths = Node(), list[str]()
    node.mine()

    async def ask(rpc: Rpc) -> None:
        for _ in range(3):
            assert await rpc.call("eth_blockNumber", form=TEXT) == "0x0"

    run(talking(node, most=1), ask, paths=paths)
    assert len(paths) == 3


def test_too_large_an_answer_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST_ANSWER_BYTES", 1_000)

    async def talk(socket: WebSocketConnection) -> None:
        await socket.get_message()
        await socket.send_message("x" * 2_000)

    async def ask(rpc: Rpc) -> None:
        with pytest.raises(NetworkError) as caught:
            await rpc.call("eth_blockNumber", form=TEXT)
        assert caught.value.code == "rpc_refused"

    run(talk, ask)


def test_an_answer_too_late_is_not_taken_for_the_next_one() -> None:
    node = Node()
    node.mine()
    late = trio.Event()
    answers = talking(node)
    is_first = True

    async def talk(socket: WebSocketConnection) -> None:
        nonlocal is_first
        if is_first:
            is_first = False
            await late.wait()
        await answers(socket)

    async def ask(rpc: Rpc) -> None:
        with pytest.raises(NetworkError) as caught:
            await rpc.call("eth_chainId", form=TEXT)
        assert caught.value.data["is_timeout"]
        late.set()
        rpc.answer_s = PATIENCE_S
        assert await rpc.call("eth_blockNumber", form=TEXT) == "0x0"

    run(talk, ask, answer_s=0.2)


def test_what_speaks_no_websocket_is_silent() -> None:
    async def main() -> None:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        port = listeners[0].socket.getsockname()[1]

        async def answer(stream: trio.SocketStream) -> None:
            await stream.receive_some(4_096)
            await stream.send_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")
            await stream.aclose()

        with trio.fail_after(PATIENCE_S):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(trio.serve_listeners, answer, listeners)
                async with Rpc([f"ws://127.0.0.1:{port}"]) as rpc:
                    with pytest.raises(NetworkError, match="403"):
                        await rpc.call("eth_blockNumber", form=TEXT)
                nursery.cancel_scope.cancel()

    trio.run(main)
