"""The explorer put together: its pages and files on the API's app, and its own error pages.

Source: README.md beside this module, how a page is made.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from indexer.api.problems import status_of
from indexer.explorer.site import HEADERS, Assets, load_assets, render
from indexer.explorer.views import ROUTERS
from sdk.errors import PhalanxError

FOREVER: Final = "public, max-age=31536000, immutable"
"""The address of a file changes with its content."""
_MACHINES: Final = ("/v1/", "/api/", "/graphql", "/openapi.json", "/assets/")
"""Nobody types these to read a page."""
_BUG: Final = 70
_RETRY_S: Final = "12"
_TITLES: Final = {
    400: "This cannot be read",
    404: "Nothing is here",
    405: "This cannot be done here",
    409: "This list has changed",
    503: "Not available now",
}
Handler = Callable[[Request, Any], Awaitable[Response]]


class PageRoute(APIRoute):
    """A route for people, whose errors are pages."""


def mount(app: FastAPI) -> None:
    """Adds the explorer to an API."""
    app.state.explorer = load_assets()
    pages = APIRouter(route_class=PageRoute, include_in_schema=False)
    for router in ROUTERS:
        for route in router.routes:
            if isinstance(route, APIRoute):
                pages.add_api_route(route.path, route.endpoint, response_class=HTMLResponse)
    pages.add_api_route("/assets/{digest}/{name}", _file)
    pages.add_api_route("/favicon.ico", _icon)
    app.include_router(pages)
    for kind in (PhalanxError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, _for_people(app.exception_handlers[kind]))


async def _icon(request: Request) -> Response:
    """The mark, for browsers and pages that ask for it without having been told where it is."""
    return await _file(request, "", "mark.svg")


async def _file(request: Request, digest: str, name: str) -> Response:
    """A file that pages load."""
    assets: Assets = request.app.state.explorer
    found = assets.files.get(name)
    if found is None:
        raise HTTPException(404)
    # An address of another version still works, but is not kept.
    lifetime = FOREVER if digest == assets.digest else "no-cache"
    headers = {**HEADERS, "Cache-Control": lifetime}
    return Response(found.content, media_type=found.media_type, headers=headers)


def _for_people(otherwise: Any) -> Handler:
    """The answer to a failure: a page where people look, else what programs get."""

    async def handle(request: Request, failure: Any) -> Response:
        if not _is_for_people(request) or _is_bug(failure):
            answer: Response = await otherwise(request, failure)
            return answer
        status, detail, hint = _told(request, failure)
        headers = {**HEADERS, "Cache-Control": "no-store"}
        if status == 503:
            headers["Retry-After"] = _RETRY_S
        content = render(
            "error.html",
            request.app.state.explorer,
            frame=None,
            here=request.url.path,
            link=lambda path, **_: path,
            status=status,
            title=_TITLES.get(status, "This failed"),
            detail=detail,
            hint=hint,
        )
        return HTMLResponse(content, status, headers=headers)

    return handle


def _is_for_people(request: Request) -> bool:
    if isinstance(request.scope.get("route"), PageRoute):
        return not request.url.path.startswith("/assets/")
    is_typed = "text/html" in request.headers.get("accept", "")
    return is_typed and not request.url.path.startswith(_MACHINES)


def _is_bug(failure: Any) -> bool:
    return isinstance(failure, PhalanxError) and failure.exit_code == _BUG


def _told(request: Request, failure: Any) -> tuple[int, str, str]:
    """Status, what is wrong, and what to do next."""
    match failure:
        case PhalanxError():
            return status_of(failure), failure.message, failure.hint
        case RequestValidationError():
            # Without the values, as everywhere.
            wrong = "; ".join(f"{each['loc'][-1]}: {each['msg']}" for each in failure.errors()[:10])
            return 404, f"This address names nothing: {wrong}.", "Search for it above."
        case HTTPException(status_code=404):
            return 404, f"There is no page {request.url.path[:100]!r}.", "Search above, or go on."
        case HTTPException():
            return failure.status_code, str(failure.detail), ""
        case _:
            raise failure
