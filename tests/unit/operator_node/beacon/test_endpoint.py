"""One beacon node's HTTP interface: what an answer means, and what never shows."""

from __future__ import annotations

import logging
from collections.abc import Callable

import httpx
import pytest
import trio
from trio.testing import MockClock

from operator_node.beacon.endpoint import URGENT_LANE, Endpoint, Request
from operator_node.beacon.trouble import NodeTrouble, Trouble
from sdk.errors import ConfigError

SECRET = "hunter2"
PATH = Request(path="/eth/v1/node/syncing")


def asked(
    answer: Callable[[httpx.Request], httpx.Response],
    request: Request = PATH,
    url: str = "http://node:5052",
) -> object:
    """What the endpoint makes of an answer: a reply, or its trouble."""

    async def main() -> object:
        endpoint = Endpoint(url, transport=httpx.MockTransport(answer))
        try:
            return await endpoint.ask(request)
        except NodeTrouble as problem:
            return problem
        finally:
            await endpoint.aclose()

    return trio.run(main)


@pytest.mark.parametrize(
    ("status", "text", "trouble"),
    [
        (404, "Route not found", Trouble.NO_ROUTE),
        (405, "", Trouble.NO_ROUTE),
        (501, "", Trouble.NO_ROUTE),
        (415, "Unsupported Media Type", Trouble.NO_SSZ),
        (503, "Node is syncing - waiting for peers", Trouble.BUSY),
        (429, "", Trouble.BUSY),
        (502, "bad gateway", Trouble.DOWN),
        (500, "Requested slot 7 is in the future", Trouble.NOT_YET),
        (500, "No attestation for slot=1 dataRoot=0x00", Trouble.NOT_YET),
        (500, "ATTESTATION_ERROR_ATTESTATION_ALREADY_KNOWN", Trouble.ALREADY_KNOWN),
        (400, "PriorAttestationKnown", Trouble.ALREADY_KNOWN),
        (500, "ATTESTATION_ERROR_UNKNOWN_OR_PREFINALIZED_BEACON_BLOCK_ROOT", Trouble.UNKNOWN_HEAD),
        (500, "Block is not newer than latest block header", Trouble.REFUSED),
        (400, "Cannot get duties for epoch more than one ahead", Trouble.REFUSED),
    ],
)
def test_a_refusal_says_what_it_means(status: int, text: str, trouble: Trouble) -> None:
    found = asked(lambda _: httpx.Response(status, json={"code": status, "message": text}))
    assert isinstance(found, NodeTrouble)
    assert found.trouble is trouble
    assert found.text == f"status {status}: {text}"


def test_failures_of_a_batch_are_read() -> None:
    body = {"message": "some failed", "failures": [{"index": 1, "message": "bad"}, {"index": "3"}]}
    found = asked(lambda _: httpx.Response(400, json=body))
    assert isinstance(found, NodeTrouble)
    assert found.failures == {1: "bad", 3: ""}


@pytest.mark.parametrize("index", ["9" * 21, "9" * 5000, "-1", "", "x"])
def test_a_failure_at_a_place_that_is_no_number_is_passed_over(index: str) -> None:
    body = {"message": "some failed", "failures": [{"index": index}, {"index": "3"}]}
    found = asked(lambda _: httpx.Response(400, json=body))
    assert isinstance(found, NodeTrouble)
    assert found.failures == {3: ""}


def test_a_refusal_that_is_no_json_is_shown_short() -> None:
    found = asked(lambda _: httpx.Response(500, content=b"\x1b[31mno" + b"x" * 10_000))
    assert isinstance(found, NodeTrouble)
    assert "\x1b" not in found.text
    assert len(found.text) < 300


@pytest.mark.parametrize(
    ("failure", "trouble"),
    [
        (httpx.ConnectError("no"), Trouble.DOWN),
        (httpx.ReadError("no"), Trouble.DOWN),
        (httpx.ReadTimeout("no"), Trouble.LATE),
        (httpx.ConnectTimeout("no"), Trouble.LATE),
    ],
)
def test_a_broken_connection_is_trouble(failure: Exception, trouble: Trouble) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise failure

    found = asked(answer)
    assert isinstance(found, NodeTrouble)
    assert found.trouble is trouble


def test_a_connection_that_was_closed_while_idle_is_tried_again() -> None:
    tries = []

    def answer(_: httpx.Request) -> httpx.Response:
        tries.append(1)
        if len(tries) == 1:
            raise httpx.RemoteProtocolError("Server disconnected")
        return httpx.Response(200, json={})

    found = asked(answer)
    assert not isinstance(found, NodeTrouble)
    assert len(tries) == 2


def test_an_answer_above_the_limit_is_not_read() -> None:
    request = Request(path="/", limit_bytes=100)
    found = asked(lambda _: httpx.Response(200, content=b"x" * 101), request)
    assert isinstance(found, NodeTrouble)
    assert found.trouble is Trouble.MALFORMED


def test_a_password_is_sent_and_never_shown(caplog: pytest.LogCaptureFixture) -> None:
    sent = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        raise httpx.ConnectError(f"cannot reach {request.url} {SECRET}")

    caplog.set_level(logging.DEBUG)
    url = f"http://me:{SECRET}@node:5052"
    found = asked(answer, url=url)
    assert sent[0].headers["authorization"].startswith("Basic ")
    shown = [str(found), repr(found), repr(Endpoint(url)), str(sent[0].url), caplog.text]
    assert [text for text in shown if SECRET in text] == []


def test_a_path_in_the_address_is_used_and_never_shown() -> None:
    sent = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.url.path)
        return httpx.Response(500)

    found = asked(answer, url=f"https://node/{SECRET}")
    assert sent == [f"/{SECRET}{PATH.path}"]
    assert SECRET not in str(found)


@pytest.mark.parametrize(
    "url",
    [f"node:{SECRET}", f"ftp://me:{SECRET}@node", f"http:///{SECRET}", f"http://n/?key={SECRET}"],
)
def test_an_address_that_is_none_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Endpoint(url)
    assert caught.value.code == "beacon_url"
    assert SECRET not in str(caught.value)


def test_requests_in_flight_are_bounded_per_lane() -> None:
    flying = {"now": 0, "most": 0}

    async def answer(_: httpx.Request) -> httpx.Response:
        flying["now"] += 1
        flying["most"] = max(flying["most"], flying["now"])
        await trio.sleep(1)
        flying["now"] -= 1
        return httpx.Response(200, json={})

    async def main() -> None:
        endpoint = Endpoint("http://node", transport=httpx.MockTransport(answer))
        async with trio.open_nursery() as nursery:
            for _ in range(3 * URGENT_LANE):
                nursery.start_soon(endpoint.ask, PATH)
        await endpoint.aclose()

    trio.run(main, clock=MockClock(autojump_threshold=0))
    assert flying["most"] == URGENT_LANE
