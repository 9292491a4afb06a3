"""The route of the start page.

Source: docs/node-api.md, "The start page".
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from operator_node.api.page import Shown, page

HEADERS: Final = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
"""The page has no scripts and loads nothing; whatever gets into it must not either."""


def add_start_page(app: FastAPI, shown: Callable[[], Awaitable[Shown]]) -> None:
    """`GET /`."""

    @app.get("/", response_class=HTMLResponse)
    async def start() -> HTMLResponse:
        return HTMLResponse(page(await shown()), headers=HEADERS)
