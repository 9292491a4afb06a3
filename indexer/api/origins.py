"""Which pages of other sites may ask: every one to read, listed ones to write.

An ASGI layer. A signature protects what is written anyway; the list keeps strange pages from
spending the limits and the trust of those who look at them.

Source: Fetch standard, CORS protocol.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from indexer.api.keys import HEADER
from indexer.api.problems import problem

PREFLIGHT_S: Final = 86_400
READING: Final = frozenset({"GET", "HEAD", "POST"})
"""Whatever is posted here is a question, too."""
WRITING: Final = frozenset({"PUT"})
_ALLOWED: Final = ", ".join(
    ("Content-Type", "If-None-Match", "Last-Event-ID", "X-Request-Id", HEADER)
)
_EXPOSED: Final = ", ".join(
    (
        *("ETag", "X-Indexed-Block", "X-Request-Id", "Retry-After"),
        *("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"),
    )
)


class Origins:
    """The outermost layer.

    Attributes:
        app: what comes after.
    """

    def __init__(self, app: ASGIApp, *, writers: Collection[str]) -> None:
        """Args: `writers` are origins such as `https://app.example.org`."""
        self.app = app
        self._writers = frozenset(writers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one connection."""
        origin = Headers(scope=scope).get("origin") if scope["type"] == "http" else None
        if origin is None:
            await self.app(scope, receive, send)
            return
        wanted = Headers(scope=scope).get("access-control-request-method")
        if scope["method"] == "OPTIONS" and wanted is not None:
            await self._preflight(origin, wanted)(scope, receive, send)
            return
        if scope["method"] in WRITING and origin not in self._writers:
            refused: ASGIApp = problem(
                403,
                "pages of this origin may read here, and not write",
                code="origin_not_listed",
                hint="Whoever runs this API lists origins with --origin.",
            )
            await refused(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Access-Control-Expose-Headers"] = _EXPOSED
                if scope["method"] in WRITING:
                    headers["Access-Control-Allow-Origin"] = origin
                    headers.add_vary_header("Origin")
                else:
                    headers["Access-Control-Allow-Origin"] = "*"
            await send(message)

        await self.app(scope, receive, sending)

    def _preflight(self, origin: str, wanted: str) -> Response:
        """The answer to a browser that asks whether it may."""
        writes = wanted in WRITING
        if (writes and origin not in self._writers) or wanted not in READING | WRITING:
            return problem(
                400,
                "pages of this origin may not do that here",
                code="origin_not_listed",
                hint="Whoever runs this API lists origins with --origin.",
                headers={"Vary": "Origin"},
            )
        methods = READING | WRITING if writes else READING
        return Response(
            status_code=204,
            headers={
                "Access-Control-Allow-Origin": origin if writes else "*",
                "Access-Control-Allow-Methods": ", ".join(sorted(methods)),
                "Access-Control-Allow-Headers": _ALLOWED,
                "Access-Control-Max-Age": str(PREFLIGHT_S),
                "Vary": "Origin",
            },
        )
