"""Alerts sent to a webhook, beside the watching and never in its way.

Shell. What cannot be delivered in time is dropped, and the next delivery says how many. The address
may hold an access key, so only its host is ever named; the secret that signs bodies stays in
its type.

Source: docs/liquidator.md, "Webhook".
"""

from __future__ import annotations

import hmac
import json
from collections import deque
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self

import httpx
import trio

from sdk.chain.rpc import shown
from sdk.crypto.secret import Password
from sdk.errors import ConfigError, NetworkError
from sdk.keeper.alerts import Alert
from sdk.keeper.following import Voice

MOST_WAITING: Final = 1024
"""Alerts: half a megabyte, and more than anybody reads."""
MOST_IN_BODY: Final = 64
"""Alerts in one request, about 40 kB."""
ATTEMPTS: Final = 6
FIRST_PAUSE_S: Final = 1.0
"""Doubles with each attempt, so a delivery is given up after half a minute of pauses."""
ANSWER_S: Final = 10.0
_LOCAL_HOSTS: Final = ("127.0.0.1", "::1", "localhost")
_LASTING: Final = range(400, 500)
_PASSING: Final = (408, 425, 429)
SIGNATURE_HEADER: Final = "x-phalanx-signature"


class Webhook:
    """A queue of alerts and the address that they go to."""

    def __init__(
        self,
        url: str,
        *,
        secret: Password | None,
        voice: Voice,
        network: Mapping[str, object],
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Nothing is sent yet.

        Args:
            url: https; http only on this machine.
            secret: signs every body; None leaves them unsigned.
            voice: told of what could not be delivered.
            network: facts that every body begins with, such as the registry.
            transport: for tests of the network's faults.

        Raises:
            ConfigError: `webhook_url`.
        """
        self._url = _checked(url)
        self._name = shown(self._url)
        self._secret = secret
        self._voice = voice
        self._network = dict(network)
        self._waiting: deque[Alert] = deque()
        self._dropped = 0
        self._arrived = trio.Event()
        self._client = httpx.AsyncClient(transport=transport, timeout=ANSWER_S, trust_env=False)

    def put(self, alerts: Sequence[Alert]) -> None:
        """Queue alerts; the oldest are dropped if there are too many."""
        self._waiting += alerts
        while len(self._waiting) > MOST_WAITING:
            self._waiting.popleft()
            self._dropped += 1
        self._arrived.set()

    async def run(self) -> None:
        """Deliver until cancelled; what an address refuses is dropped."""
        while True:
            while self._waiting:
                try:
                    await self._deliver()
                except NetworkError as failure:
                    self._voice.note(f"{failure}", code=failure.code)
            self._arrived = trio.Event()
            await self._arrived.wait()

    async def flush(self) -> None:
        """Deliver what is queued, and be done.

        Raises:
            NetworkError: `webhook_failed`.
        """
        while self._waiting:
            await self._deliver()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def _deliver(self) -> None:
        """Send the oldest alerts, again and again for a while.

        Raises:
            NetworkError: `webhook_failed`; they are dropped.
        """
        count = min(len(self._waiting), MOST_IN_BODY)
        alerts = [self._waiting.popleft() for _ in range(count)]
        body = json.dumps(
            {
                **self._network,
                "dropped": self._dropped,
                "alerts": [each.as_json() for each in alerts],
            }
        ).encode()
        headers = {"content-type": "application/json"}
        if self._secret is not None:
            digest = hmac.new(self._secret.reveal(), body, "sha256").hexdigest()
            headers[SIGNATURE_HEADER] = f"sha256={digest}"
        problem = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                await trio.sleep(FIRST_PAUSE_S * 2 ** (attempt - 1))
            status, problem = await self._post(body, headers)
            if not problem:
                self._dropped = 0
                return
            if status in _LASTING and status not in _PASSING:
                break
        self._dropped += count
        raise NetworkError(
            f"{self._name} did not take {count} alerts: {problem}; they are dropped",
            code="webhook_failed",
            hint="Check the webhook's address and its host.",
            data={"alerts": count, "host": self._name},
        )

    async def _post(self, body: bytes, headers: dict[str, Any]) -> tuple[int, str]:
        """The answer's status, and what is wrong with it; its body is not read."""
        try:
            with trio.fail_after(ANSWER_S):
                request = self._client.stream("POST", self._url, content=body, headers=headers)
                async with request as answer:
                    status = answer.status_code
        except (httpx.HTTPError, httpx.StreamError, trio.TooSlowError) as failure:
            # The text of some of these quotes the address.
            return 0, type(failure).__name__
        return status, "" if 200 <= status < 300 else f"status {status}"


def _checked(url: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        parsed = httpx.URL()
    is_local = parsed.scheme == "http" and parsed.host in _LOCAL_HOSTS
    if not parsed.host or not (parsed.scheme == "https" or is_local):
        raise ConfigError(
            "the webhook's address is no https URL",
            code="webhook_url",
            hint="Plain http is taken for this machine only, such as http://127.0.0.1:8080/alerts.",
        )
    return parsed
