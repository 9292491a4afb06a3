"""The feed from a real server: live, resumed, reverted, over both protocols."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from urllib.parse import urlencode

import h11
import httpx
import pytest
import trio
from trio_websocket import open_websocket_url

from indexer.api.app import Manners
from indexer.app import serve
from tests.indexer import databases
from tests.indexer.api.world import Api, PaidChain, open_api

pytestmark = pytest.mark.slow
DEADLINE_S = 60
LOWEST_PORT, HIGHEST_PORT = 21_000, 21_999


@pytest.fixture
def moving(server: str) -> Iterator[Api]:
    """Tables that go on during the test."""
    chain = PaidChain()
    chain.mine(*range(40))
    with databases.fresh(server, name="streamed") as url:
        made = open_api(url, chain)
        yield made
        made.app.state.engine.dispose()


def with_server(api: Api, work: Callable[[str], Awaitable[None]]) -> None:
    """Run a test against a server of its own."""

    async def run() -> None:
        with trio.fail_after(DEADLINE_S):
            async with trio.open_nursery() as nursery:
                start = partial(
                    serve,
                    database_url=api.url,
                    host="127.0.0.1",
                    port=_free_port(),
                    manners=Manners(burst=1000),
                    connections=4,
                )
                port = await nursery.start(start)
                await work(f"127.0.0.1:{port}")
                nursery.cancel_scope.cancel()

    trio.run(run)


def _free_port() -> int:
    for port in range(LOWEST_PORT, HIGHEST_PORT):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise AssertionError("no port is free")


class Messages:
    """A stream as a browser reads it: parsed, comments left out, one message after the other."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self._http = h11.Connection(h11.CLIENT)
        self._text = ""

    async def open(self, address: str, params: dict[str, Any], headers: dict[str, str]) -> None:
        """Ask, and see that the answer is a stream."""
        asked = h11.Request(
            method="GET",
            target=f"/v1/stream?{urlencode(params)}",
            headers=[("Host", address), *headers.items()],
        )
        await self._stream.send_all(self._http.send(asked) + self._http.send(h11.EndOfMessage()))
        answer = await self._event()
        assert isinstance(answer, h11.Response)
        assert answer.status_code == 200
        assert dict(answer.headers)[b"content-type"].startswith(b"text/event-stream")

    async def next(self) -> dict[str, Any]:
        """The next message with data."""
        while True:
            block, end, rest = self._text.partition("\n\n")
            if not end:
                part = await self._event()
                assert isinstance(part, h11.Data), part
                self._text += part.data.decode()
                continue
            self._text = rest
            fields = dict(line.split(": ", 1) for line in block.splitlines() if line[:1] != ":")
            if "data" in fields:
                return {
                    "type": fields["event"],
                    "id": fields["id"],
                    **json.loads(fields["data"]),
                }

    async def _event(self) -> Any:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            self._http.receive_data(await self._stream.receive_some())
        return event


@asynccontextmanager
async def listening(
    address: str, *, headers: dict[str, str] | None = None, **params: Any
) -> AsyncIterator[Messages]:
    """An open stream."""
    host, _, port = address.partition(":")
    async with await trio.open_tcp_stream(host, int(port)) as stream:
        messages = Messages(stream)
        await messages.open(address, params, headers or {})
        yield messages


def places(api: Api, **params: Any) -> list[str]:
    return [each["id"] for each in api.every("/v1/events", asc="true", limit=500, **params)]


async def mine(api: Api, *lines: int) -> None:
    """New blocks, indexed while the server serves."""
    api.chain.mine(*lines)
    await trio.to_thread.run_sync(_following, api)


async def reorganise(api: Api, depth: int, *lines: int) -> None:
    api.chain.reorganise(depth, *lines)
    await trio.to_thread.run_sync(_following, api)


def _following(api: Api) -> None:
    api.follow()


def test_events_come_as_they_are_indexed_and_a_client_goes_on_where_it_was(moving: Api) -> None:
    before = len(places(moving))

    async def work(address: str) -> None:
        async with listening(address, topics="events,blocks") as messages:
            first = await messages.next()
            assert (first["type"], first["meta"]["block"]["number"]) == ("block", 39)
            await mine(moving, *range(500, 508))
            heard = []
            while (message := await messages.next())["type"] != "block":
                heard.append(message)
        expected = await trio.to_thread.run_sync(places, moving)
        assert len(heard) > 2
        assert [each["event"]["id"] for each in heard] == expected[before:]
        # The connection ends in the middle; nothing comes twice and nothing is missing.
        middle = heard[1]["id"]
        for more in ({"headers": {"Last-Event-ID": middle}}, {"since": middle}):
            async with listening(address, topics="events", **more) as messages:
                again = [await messages.next() for _ in heard[2:]]
            assert [each["event"] for each in again] == [each["event"] for each in heard[2:]]

    with_server(moving, work)


def test_a_reorganisation_is_told_and_the_new_events_follow(moving: Api) -> None:
    async def work(address: str) -> None:
        async with listening(address, topics="events") as messages:
            await mine(moving, *range(600, 606))
            heard = await messages.next()
            while heard["event"]["block"] < moving.chain.head - 3:
                heard = await messages.next()
            old = heard
            await reorganise(moving, 8, *range(800, 812))
            message = await messages.next()
            while message["type"] == "event":
                message = await messages.next()
            fork = message["to_block"]
            assert message["type"] == "reverted"
            assert fork == moving.chain.head - 12
            expected = await trio.to_thread.run_sync(partial(places, moving, from_block=fork + 1))
            new = [await messages.next() for _ in expected]
            assert [each["event"]["id"] for each in new] == expected
        # Whoever was away meanwhile is told the same.
        async with listening(address, topics="events", since=old["id"]) as messages:
            assert (await messages.next())["to_block"] == fork
            again = [await messages.next() for _ in expected]
            assert [each["event"]["id"] for each in again] == expected

    with_server(moving, work)


def test_topics_choose_what_is_told(moving: Api) -> None:
    sample = moving.get("/v1/events", name="ValidatorAdded", limit=1)["data"][0]
    wanted = {
        f"operator:{sample['operator_ids'][0]}": {"operator": sample["operator_ids"][0]},
        f"cluster:{sample['cluster_id']}": {"cluster": sample["cluster_id"]},
        f"owner:{sample['owner']}": {"owner": sample["owner"]},
        f"validator:{sample['validator']}": {"validator": sample["validator"]},
    }

    async def work(address: str) -> None:
        for topic, query in wanted.items():
            expected = await trio.to_thread.run_sync(partial(places, moving, **query))
            assert expected
            async with listening(address, topics=topic, since="0:0:0") as messages:
                heard = [await messages.next() for _ in expected]
            assert [each["event"]["id"] for each in heard] == expected

    with_server(moving, work)


def test_a_place_in_other_tables_is_answered_by_a_reset(moving: Api) -> None:
    async def work(address: str) -> None:
        async with listening(address, since="10:0:77") as messages:
            assert (await messages.next())["type"] == "reset"

    with_server(moving, work)


def test_a_websocket_tells_the_same(moving: Api) -> None:
    before = len(places(moving))

    async def work(address: str) -> None:
        url = f"ws://{address}/v1/ws?topics=events,blocks"
        async with open_websocket_url(url) as connection:
            first = json.loads(await connection.get_message())
            assert first["type"] == "block"
            await mine(moving, *range(500, 505))
            heard = []
            while (message := json.loads(await connection.get_message()))["type"] != "block":
                heard.append(message)
        expected = (await trio.to_thread.run_sync(places, moving))[before:]
        assert expected
        assert [each["event"]["id"] for each in heard] == expected
        async with open_websocket_url(f"{url}&since={heard[0]['id']}") as connection:
            again = [json.loads(await connection.get_message()) for _ in heard[1:]]
        assert [each["event"]["id"] for each in again] == expected[1:]

    with_server(moving, work)


def test_the_server_answers_ordinary_requests_beside_streams(moving: Api) -> None:
    async def work(address: str) -> None:
        async with listening(address) as _, httpx.AsyncClient() as client:
            answer = await client.get(f"http://{address}/v1/network")
            assert answer.json()["meta"]["block"]["number"] == 39
            metrics = (await client.get(f"http://{address}/metrics")).text
            assert "api_subscribers 1.0" in metrics
        async with httpx.AsyncClient() as client:
            while "api_subscribers 0.0" not in metrics:
                metrics = (await client.get(f"http://{address}/metrics")).text

    with_server(moving, work)


def test_a_websocket_is_refused_as_a_request_would_be(moving: Api) -> None:
    async def work(address: str) -> None:
        handshake = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version": "13",
        }
        for query, status in (("password=x", 400), ("topics=gossip", 403)):
            # The server ends such a connection, so each handshake has one of its own.
            async with httpx.AsyncClient(headers=handshake) as client:
                answer = await client.get(f"http://{address}/v1/ws?{query}")
                assert answer.status_code == status

    with_server(moving, work)


def test_streams_are_counted_and_no_more_are_opened_than_there_are_places(
    moving: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.api.stream.SUBSCRIBERS", 1)

    async def work(address: str) -> None:
        async with listening(address), httpx.AsyncClient() as client:
            answer = await client.get(f"http://{address}/v1/stream")
            assert (answer.status_code, answer.json()["code"]) == (503, "overloaded")
        async with httpx.AsyncClient() as client:
            while "api_subscribers 0.0" not in (await client.get(f"http://{address}/metrics")).text:
                pass
        async with listening(address, topics="blocks") as messages:
            assert (await messages.next())["type"] == "block"

    with_server(moving, work)
