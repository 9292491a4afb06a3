"""What every request goes through before its route: limits, sizes, secrets, a name for it.

An ASGI layer. It reads bodies whole and bounded, and hands on only JSON without secrets. Nothing of
a request is logged but its route, and only if it fails by our fault.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import parse_qsl
from uuid import uuid4

import msgspec
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from indexer.api.keys import HEADER, Keys
from indexer.api.limits import Buckets, price
from indexer.api.metrics import Metrics
from indexer.api.problems import problem
from indexer.api.secrets import find_secret, secret_in

BODY_BYTES: Final = 256 * 1024
"""A thousand keys in hex are 100 kB."""
KEYSHARES_BYTES: Final = 2 * 1024 * 1024
"""A file of a hundred validators with 13 operators has about 1.5 MB."""
_LARGE: Final = ("/v1/keyshares", "/v1/tx/register")
"""Paths that take such a file."""
QUERY_BYTES: Final = 8 * 1024
_KEY_HEADER: Final = HEADER.lower().encode()
_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_LOG: Final = logging.getLogger("phalanx.indexer.api")


class Guard:
    """The layer around the routes.

    Attributes:
        app: what comes after.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        buckets: Buckets,
        metrics: Metrics,
        now: Callable[[], float],
        trusts_proxy: bool,
        keys: Keys,
    ) -> None:
        """Everything of a request but its route.

        Args:
            app: what comes after.
            buckets: of addresses.
            metrics: told of every answer.
            now: seconds of a clock that never goes back.
            trusts_proxy: take the asker's address from `X-Forwarded-For`.
            keys: of those who have buckets of their own.
        """
        self.app = app
        self._buckets = buckets
        self._keys = keys
        self._own = {
            each.name: Buckets(per_second=each.per_second, burst=each.burst)
            for each in keys.allotments
        }
        self._metrics = metrics
        self._now = now
        self._trusts_proxy = trusts_proxy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one connection."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        started = self._now()
        headers = dict(scope["headers"])
        request_id = _request_id(headers)
        cost = price(scope["path"], scope["query_string"])
        buckets, payer, is_unknown = self._payer(scope, headers)
        left = buckets.take(payer, cost, now=started)
        told = {
            "X-Request-Id": request_id,
            "RateLimit-Limit": str(buckets.burst),
            "RateLimit-Remaining": str(left.remaining),
            "RateLimit-Reset": str(left.reset_s),
        }
        status = 500
        begun = False

        async def sending(message: Message) -> None:
            nonlocal status, begun
            if message["type"] == "http.response.start":
                status = message["status"]
                begun = True
                MutableHeaders(scope=message).update(told)
            await send(message)

        try:
            if not left.granted:
                refusal: Any = problem(
                    429,
                    f"this costs {cost} of {buckets.burst} tokens, {left.remaining} are left",
                    code="rate_limited",
                    hint=f"Ask again in {left.reset_s} s.",
                    headers={"Retry-After": str(max(1, left.reset_s))},
                )
                await refusal(scope, receive, sending)
                return
            if is_unknown:
                await _unknown_key()(scope, receive, sending)
                return
            checked = await self._checked(scope, receive, headers)
            if isinstance(checked, Checked):
                await self.app(scope, checked.receive, sending)
            else:
                await checked(scope, receive, sending)
        except Exception:
            # The one boundary of a request: an answer must not end the process.
            _LOG.exception("request_failed request_id=%s route=%s", request_id, _route(scope))
            if begun or scope["type"] != "http":
                raise
            fault = problem(
                500,
                "the request failed by a fault of ours",
                code="bug",
                hint=f"Tell us the id {request_id}.",
            )
            await fault(scope, receive, sending)
        finally:
            self._metrics.answered(_route(scope), status, self._now() - started)

    def _payer(self, scope: Scope, headers: dict[bytes, bytes]) -> tuple[Buckets, str, bool]:
        """Whose bucket pays, and whether a key was sent that is nobody's."""
        key = headers.get(_KEY_HEADER)
        allotment = None if key is None else self._keys.find(key)
        if allotment is not None:
            return self._own[allotment.name], allotment.name, False
        return self._buckets, self._asker(scope, headers), key is not None

    def _asker(self, scope: Scope, headers: dict[bytes, bytes]) -> str:
        if self._trusts_proxy:
            # The nearest proxy adds the last one; those before it anybody can write.
            forwarded = headers.get(b"x-forwarded-for", b"").decode("latin-1")
            nearest = forwarded.rpartition(",")[2].strip()
            if nearest:
                return nearest[:64]
        client = scope.get("client")
        return str(client[0]) if client else "unknown"

    async def _checked(
        self, scope: Scope, receive: Receive, headers: dict[bytes, bytes]
    ) -> Checked | ASGIApp:
        """The request to go on with, or the answer that refuses it."""
        if len(scope["query_string"]) > QUERY_BYTES:
            return problem(413, f"the query is over {QUERY_BYTES} bytes", code="query_too_large")
        query = scope["query_string"].decode("latin-1")
        try:
            names = [name for name, _ in parse_qsl(query, keep_blank_values=True)]
        except ValueError:
            return problem(400, "the query has too many fields", code="query_malformed")
        if "\x00" in query or "%00" in query.lower():
            return problem(400, "the query contains a zero byte", code="query_malformed")
        if "\x00" in scope["path"]:
            return problem(400, "the path contains a zero byte", code="path_malformed")
        found = secret_in(names)
        if found is not None:
            return _refused(found)
        if scope["type"] != "http" or scope["method"] not in _WITH_BODY:
            return Checked(receive)
        return await _checked_body(scope, receive, headers)


class Checked:
    """A request that may go on.

    Attributes:
        receive: gives its body again.
    """

    def __init__(self, receive: Receive) -> None:
        self.receive = receive


async def _checked_body(
    scope: Scope, receive: Receive, headers: dict[bytes, bytes]
) -> Checked | ASGIApp:
    kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    most = KEYSHARES_BYTES if scope["path"].startswith(_LARGE) else BODY_BYTES
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            break
        body += message.get("body", b"")
        if len(body) > most:
            return problem(413, f"the body is over {most} bytes", code="body_too_large")
        if not message.get("more_body"):
            break
    if not body:
        return Checked(_again(b"", receive))  # the route says what is missing, or 405
    if kind != b"application/json":
        return problem(
            415,
            "the body must be JSON",
            code="not_json",
            hint="Send Content-Type: application/json.",
        )
    try:
        found = find_secret(msgspec.json.decode(bytes(body)))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return problem(400, "the body is no JSON", code="malformed_json")
    except RecursionError:
        return problem(400, "the body is nested too deeply", code="malformed_json")
    if found is not None:
        return _refused(found)
    return Checked(_again(bytes(body), receive))


def _again(body: bytes, receive: Receive) -> Receive:
    """Gives a body that was read once more."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return pending.pop() if pending else await receive()

    return again


def _refused(name: str) -> ASGIApp:
    return problem(
        400,
        f"the field {name[:40]!r} names a secret, which nobody but its owner may have",
        code="secret_refused",
        hint="It was not read, kept or logged here, but it has left your machine: take another. "
        "Keys, passwords and mnemonics are used offline, by the SDK.",
    )


def _request_id(headers: dict[bytes, bytes]) -> str:
    given = headers.get(b"x-request-id", b"")
    return given.decode() if _REQUEST_ID.fullmatch(given) else uuid4().hex


def _route(scope: Scope) -> str:
    """The route's pattern, so that there are as many labels as routes."""
    return getattr(scope.get("route"), "path", "other")


def _unknown_key() -> ASGIApp:
    return problem(
        401,
        f"the key in {HEADER} is nobody's",
        code="key_unknown",
        hint="Ask whoever runs this API for one, or send none.",
        headers={"WWW-Authenticate": f'ApiKey header="{HEADER}"'},
    )
