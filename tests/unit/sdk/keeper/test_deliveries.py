"""The webhook: signed, repeated for a while, dropped aloud, and never in the way."""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
import trio
import trio.testing

from sdk.crypto.secret import Password
from sdk.errors import ConfigError, NetworkError
from sdk.keeper.alerts import Alert, News
from sdk.keeper.conditions import Kind
from sdk.keeper.deliveries import ATTEMPTS, MOST_IN_BODY, MOST_WAITING, Webhook
from sdk.types import BlockNumber
from tests.unit.sdk.keeper.following import Onlooker

SECRET = b"throwaway"
URL = "https://hooks.example/T0/secret-path"


Work = Callable[[Webhook], Awaitable[None]]


def alerts(count: int, *, first: int = 0) -> list[Alert]:
    return [
        Alert(Kind.RUNWAY, News.BEGAN, f"0x{number:x}", BlockNumber(number), "dry", {})
        for number in range(first, first + count)
    ]


class Receiver:
    """Answers with the statuses it is given, then 200, and keeps what it took."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.requests: list[httpx.Request] = []
        self.times: list[float] = []
        self.voice = Onlooker()

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.times.append(trio.current_time())
        status = self.statuses.pop(0) if self.statuses else 200
        if status == 0:
            raise httpx.ConnectError(f"cannot reach {URL}")
        return httpx.Response(status)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(request.content) for request in self.requests]

    def hook(self, *, secret: bytes | None = SECRET) -> Webhook:
        return Webhook(
            URL,
            secret=None if secret is None else Password(secret),
            voice=self.voice,
            network={"registry": "0xabc"},
            transport=httpx.MockTransport(self.answer),
        )

    def run(self, work: Work, *, secret: bytes | None = SECRET) -> None:
        async def deliver() -> None:
            async with self.hook(secret=secret) as hook:
                await work(hook)

        trio.run(deliver, clock=trio.testing.MockClock(autojump_threshold=0))


def flushing(*batches: list[Alert]) -> Work:
    async def work(hook: Webhook) -> None:
        for batch in batches:
            hook.put(batch)
        await hook.flush()

    return work


def test_a_body_is_signed_and_says_all() -> None:
    receiver = Receiver()
    receiver.run(flushing(alerts(2)))
    [request] = receiver.requests
    expected = hmac.new(SECRET, request.content, "sha256").hexdigest()
    assert request.headers["x-phalanx-signature"] == f"sha256={expected}"
    [body] = receiver.bodies
    assert body["registry"] == "0xabc"
    assert body["dropped"] == 0
    assert [each["block"] for each in body["alerts"]] == [0, 1]


def test_without_a_secret_nothing_is_signed() -> None:
    receiver = Receiver()
    receiver.run(flushing(alerts(1)), secret=None)
    assert "x-phalanx-signature" not in receiver.requests[0].headers


@pytest.mark.parametrize("status", [0, 500, 503, 429, 408])
def test_trouble_that_may_pass_is_waited_out_longer_each_time(status: int) -> None:
    receiver = Receiver(status, status, status)
    receiver.run(flushing(alerts(1)))
    waits = [round(later - receiver.times[0]) for later in receiver.times]
    assert waits == [0, 1, 3, 7]
    assert len({request.content for request in receiver.requests}) == 1


@pytest.mark.parametrize(("statuses", "asked"), [([500] * 20, ATTEMPTS), ([404], 1), ([302], 6)])
def test_what_is_refused_is_dropped_and_told_without_the_address(
    statuses: list[int], asked: int
) -> None:
    receiver = Receiver(*(statuses * ATTEMPTS)[:ATTEMPTS])
    with pytest.raises(NetworkError, match=r"https://hooks.example did not take 3") as caught:
        receiver.run(flushing(alerts(3)))
    assert caught.value.code == "webhook_failed"
    assert "secret-path" not in str(caught.value)
    assert len(receiver.requests) == asked


def test_running_goes_on_after_a_failure_and_says_how_many_are_lost() -> None:
    receiver = Receiver(403)

    async def work(hook: Webhook) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(hook.run)
            hook.put(alerts(3))
            await trio.testing.wait_all_tasks_blocked()
            hook.put(alerts(2, first=10))
            await trio.testing.wait_all_tasks_blocked()
            hook.put(alerts(1, first=20))
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()

    receiver.run(work)
    assert [body["dropped"] for body in receiver.bodies] == [0, 3, 0]
    assert [len(body["alerts"]) for body in receiver.bodies] == [3, 2, 1]
    assert [facts["code"] for _, facts in receiver.voice.lines] == ["webhook_failed"]


def test_a_flood_drops_the_oldest_and_counts_them() -> None:
    receiver = Receiver()
    receiver.run(flushing(alerts(MOST_WAITING), alerts(100, first=MOST_WAITING)))
    assert receiver.bodies[0]["dropped"] == 100
    sent = [each["block"] for body in receiver.bodies for each in body["alerts"]]
    assert sent == list(range(100, MOST_WAITING + 100))
    assert all(len(body["alerts"]) <= MOST_IN_BODY for body in receiver.bodies)


@pytest.mark.parametrize(
    "url",
    ["http://hooks.example/x", "ftp://hooks.example", "hooks.example", "https://", "http:///x"],
)
def test_only_https_or_this_machine(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Webhook(url, secret=None, voice=Onlooker(), network={})
    assert caught.value.code == "webhook_url"
    assert "hooks.example" not in str(caught.value)


def test_plain_http_is_taken_for_this_machine() -> None:
    Webhook("http://127.0.0.1:8080/alerts", secret=None, voice=Onlooker(), network={})
