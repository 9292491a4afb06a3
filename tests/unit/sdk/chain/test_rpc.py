"""Calls over a transport that answers, refuses, lies and stays silent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest
import trio

from sdk.chain import Call, Rpc, messages
from sdk.chain import rpc as room
from sdk.errors import ConfigError, NetworkError
from tests.unit.sdk.chain.pretend_node import Node, Refuse

TEXT = msgspec.json.Decoder(str)
URLS = ("http://user:geheim@one:8545/key-1234", "https://two/v3/key-5678")
Respond = Callable[[httpx.Request], httpx.Response]


def asked(respond: Respond, *, urls: tuple[str, ...] = URLS, chain_id: int | None = None) -> Any:
    """The result of one call, and the endpoint in use afterwards."""

    async def main() -> tuple[str, str]:
        transport = httpx.MockTransport(respond)
        async with Rpc(urls, chain_id=chain_id, transport=transport) as rpc:
            return await rpc.call("eth_blockNumber", form=TEXT), rpc.name

    return trio.run(main)


def by_host(**nodes: Respond) -> Respond:
    return lambda request: nodes[request.url.host](request)


def silent(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError(f"cannot reach {request.url}")


def test_a_batch_is_answered_in_the_order_of_its_calls() -> None:
    node = Node()
    node.mine(3)

    async def main() -> list[Any]:
        async with Rpc(URLS, transport=node.transport) as rpc:
            calls = [Call("eth_getBlockByNumber", (hex(each), False)) for each in (2, 0, 7)]
            return await rpc.batch(calls, form=msgspec.json.Decoder(dict[str, Any] | None))

    found = trio.run(main)
    assert [each and each["number"] for each in found] == ["0x2", "0x0", None]


def test_the_next_endpoint_answers_for_a_silent_one() -> None:
    node = Node()
    node.mine(5)
    assert asked(by_host(one=silent, two=node.respond)) == ("0x4", "https://two")


@pytest.mark.parametrize(
    "respond",
    [
        lambda _: httpx.Response(502, text="<html>bad gateway</html>"),
        lambda _: httpx.Response(200, text="no json"),
        lambda _: httpx.Response(200, json={"id": 7, "result": "0x1"}),
        lambda _: httpx.Response(200, json={"id": 0, "result": 12}),
        lambda _: httpx.Response(429, json={"id": 0, "error": {"code": 429, "message": "slow"}}),
        lambda _: httpx.Response(200, content=b'{"id":0,"result":"\xff"}'),
        lambda _: httpx.Response(200, content=b'{"id":0,"error":{"message":"\xff"}}'),
        lambda _: httpx.Response(200, content=b'{"id":0,"result":' + b"[" * 200_000),
    ],
    ids=[
        "gateway",
        "no json",
        "another id",
        "another type",
        "rate limit",
        "no text",
        "no text in an error",
        "brackets without end",
    ],
)
def test_an_unusable_answer_counts_as_silence(respond: Respond) -> None:
    node = Node()
    node.mine(5)
    assert asked(by_host(one=respond, two=node.respond)) == ("0x4", "https://two")


def test_an_endpoint_of_another_chain_is_passed_over() -> None:
    other, node = Node(chain_id=1), Node(chain_id=5)
    other.mine(2)
    node.mine(9)
    assert asked(by_host(one=other.respond, two=node.respond), chain_id=5)[0] == "0x8"


def test_endpoints_that_all_serve_another_chain_are_a_wrong_setting() -> None:
    node = Node(chain_id=1)
    with pytest.raises(ConfigError, match="serves chain 1, not 5") as caught:
        asked(node.respond, chain_id=5)
    assert caught.value.code == "wrong_chain"


def test_no_error_shows_a_credential() -> None:
    def refusing(call: dict[str, Any]) -> Any:
        raise Refuse("query returned more than 10000 results")

    with pytest.raises(NetworkError) as unreachable:
        asked(silent)
    with pytest.raises(NetworkError) as refused:
        asked(Node(rule=refusing).respond)
    for error, code in ((unreachable.value, "rpc_unreachable"), (refused.value, "rpc_refused")):
        text = f"{error} {error.data} {error.__cause__}"
        assert error.code == code
        assert "http://one:8545" in text
        assert not any(secret in text for secret in ("geheim", "user", "key-1234", "key-5678"))
    assert refused.value.data["rpc_code"] == -32005


def test_an_answer_beyond_the_bound_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST_ANSWER_BYTES", 100)
    with pytest.raises(NetworkError, match="too large") as caught:
        asked(lambda _: httpx.Response(200, text="[" * 200))
    assert caught.value.code == "rpc_refused"


def test_a_timeout_is_told_apart() -> None:
    def late(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("late")

    with pytest.raises(NetworkError) as caught:
        asked(late, urls=URLS[:1])
    assert caught.value.data["is_timeout"]


def test_the_first_endpoint_is_tried_again_after_a_while() -> None:
    node = Node()
    node.mine(1)
    down = True

    def first(request: httpx.Request) -> httpx.Response:
        return silent(request) if down else node.respond(request)

    async def main() -> list[str]:
        nonlocal down
        transport = httpx.MockTransport(by_host(one=first, two=node.respond))
        names = []
        async with Rpc(URLS, transport=transport) as rpc:
            for _ in range(room.RETURN_AFTER + 1):
                await rpc.call("eth_blockNumber", form=TEXT)
                names.append(rpc.name)
                down = False
            assert rpc.switches == 2
        return names

    names = trio.run(main)
    assert names[0] == "https://two"
    assert names[-1] == "http://one:8545"


def test_an_endpoint_to_be_avoided_is_asked_only_when_no_other_answers() -> None:
    answering = {"one", "two"}

    def respond(request: httpx.Request) -> httpx.Response:
        if request.url.host not in answering:
            return httpx.Response(502)
        return httpx.Response(200, json={"jsonrpc": "2.0", "id": 0, "result": request.url.host})

    async def main() -> list[str]:
        transport = httpx.MockTransport(respond)
        async with Rpc(["http://one", "http://two"], transport=transport) as rpc:
            names = [await rpc.call("x", form=msgspec.json.Decoder(str))]
            rpc.avoided = frozenset({0})
            names.append(await rpc.call("x", form=msgspec.json.Decoder(str)))
            answering.discard("two")
            names.append(await rpc.call("x", form=msgspec.json.Decoder(str)))
            return names

    assert trio.run(main) == ["one", "two", "one"]


@pytest.mark.parametrize("urls", [(), ("http://one",) * 9, ("ftp://one",), ("no address",)])
def test_a_list_of_endpoints_is_checked(urls: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError):
        Rpc(urls)


@pytest.mark.parametrize(
    "respond",
    [
        lambda request: httpx.Response(429, headers={"retry-after": "7"}),
        lambda request: httpx.Response(
            200,
            json={
                "jsonrpc": "2.0",
                "id": 0,
                "error": {"code": -32005, "message": "request rate limited"},
            },
            headers={"retry-after": "7"},
        ),
    ],
)
def test_a_node_that_wants_to_be_left_alone_is_no_refusal(respond: Respond) -> None:
    node = Node()
    node.mine(5)
    assert asked(by_host(one=respond, two=node.respond)) == ("0x4", "https://two")
    with pytest.raises(NetworkError) as caught:
        asked(respond)
    assert caught.value.code == "rpc_unreachable"
    assert caught.value.data["rest_s"] == 7.0


@pytest.mark.parametrize(("said", "rest_s"), [("1e9", 0.0), ("99999999", messages.LONGEST_REST_S)])
def test_no_node_is_left_alone_for_ever(said: str, rest_s: float) -> None:
    with pytest.raises(NetworkError) as caught:
        asked(lambda request: httpx.Response(429, headers={"retry-after": said}))
    assert caught.value.data["rest_s"] == rest_s
