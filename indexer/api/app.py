"""The API put together: routes, layers, errors and the OpenAPI document.

Stateless: any number of processes serve beside the one writer, from its database or a replica.

Source: docs/api.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from sqlalchemy import Engine
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.routing import Match

from indexer.api import (
    routes_accounts,
    routes_batch,
    routes_clusters,
    routes_events,
    routes_liquidations,
    routes_metadata,
    routes_network,
    routes_operators,
    routes_select,
    routes_status,
    routes_tools,
    routes_tx,
    routes_tx_operators,
    routes_tx_validators,
    routes_validators,
)
from indexer.api.beacon import Beacon
from indexer.api.document_page import page
from indexer.api.guard import Guard
from indexer.api.keys import Keys
from indexer.api.limits import DEFAULT_BURST, DEFAULT_PER_SECOND, Buckets
from indexer.api.metrics import Metrics
from indexer.api.node import Node
from indexer.api.openapi import document, operation_id
from indexer.api.origins import Origins
from indexer.api.packing import Packing
from indexer.api.problems import problem, problem_of
from indexer.api.stream import Feed
from indexer.api.stream import router as stream_router
from sdk.errors import PhalanxError

_ROUTERS: Final = (
    routes_network.router,
    routes_select.router,
    routes_operators.router,
    routes_clusters.router,
    routes_metadata.router,
    routes_validators.router,
    routes_accounts.router,
    routes_events.router,
    routes_liquidations.router,
    routes_tools.router,
    routes_tx_validators.router,
    routes_tx_operators.router,
    routes_tx.router,
    routes_batch.router,
    stream_router,
    routes_status.router,
)


@dataclass(frozen=True, slots=True)
class Manners:
    """How the API treats those who ask.

    Attributes:
        per_second: tokens that an address gets back in a second.
        burst: most tokens that it can have.
        trusts_proxy: take the asker's address from `X-Forwarded-For`; only behind a proxy of ours.
        keys: of those who may ask more.
        writers: origins of pages that may write, such as `https://app.example.org`.
    """

    per_second: float = DEFAULT_PER_SECOND
    burst: int = DEFAULT_BURST
    trusts_proxy: bool = False
    keys: Keys = field(default_factory=lambda: Keys({}))
    writers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Parts:
    """What the API stands on.

    Attributes:
        engine: connections that read, see `indexer.queries.connections.open_database`.
        now: seconds of a clock that never goes back.
        node: an execution node that may be asked, None for none.
        metadata_url: database that signed metadata is written to; None: none is taken.
        seconds: of the unix epoch, to see when signatures end.
        process: number of this one among several at one address, None for the only one.
        beacon: a beacon node that the explorer may ask, None for none.
    """

    engine: Engine
    now: Callable[[], float]
    manners: Manners = field(default_factory=Manners)
    node: Node | None = None
    metadata_url: str | None = field(default=None, repr=False)
    seconds: Callable[[], float] = time.time
    process: int | None = None
    beacon: Beacon | None = None


def make_app(parts: Parts) -> FastAPI:
    """The API, ready to be served."""
    app = FastAPI(
        title="Phalanx indexer",
        version="1",
        summary="The registry as it is, as it was, and what it will cost.",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=operation_id,
    )
    app.state.engine = parts.engine
    app.state.node = parts.node
    app.state.beacon = parts.beacon
    app.state.metadata_url = parts.metadata_url
    app.state.seconds = parts.seconds
    app.state.metrics = Metrics(parts.process)
    app.state.liquidations = routes_liquidations.Remembered()
    app.state.feed = Feed(parts.engine, app.state.metrics)
    for router in _ROUTERS:
        app.include_router(router)
    _add_documents(app)
    _add_errors(app)
    _add_layers(app, parts)
    return app


def _add_layers(app: FastAPI, parts: Parts) -> None:
    """The last one added is the first that a request meets."""
    app.add_middleware(Packing)
    app.add_middleware(
        Guard,
        buckets=Buckets(per_second=parts.manners.per_second, burst=parts.manners.burst),
        metrics=app.state.metrics,
        now=parts.now,
        trusts_proxy=parts.manners.trusts_proxy,
        keys=parts.manners.keys,
    )
    app.add_middleware(Origins, writers=parts.manners.writers)


def _add_documents(app: FastAPI) -> None:
    described: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not described:
            described.update(document(app))
        return described

    @cache
    def shown() -> str:
        return page(openapi())

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's own way to change it

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(shown(), headers={"Cache-Control": "public, max-age=3600"})


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(PhalanxError)
    async def ours(request: Request, failure: PhalanxError) -> Response:
        if failure.exit_code == _BUG:
            raise failure
        return problem_of(failure)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, failure: RequestValidationError) -> Response:
        # Without the values: nothing that was sent goes back or anywhere else.
        errors = [
            {"where": ".".join(map(str, each["loc"])), "what": str(each["msg"])}
            for each in failure.errors()[:_ERRORS_SHOWN]
        ]
        return problem(
            400,
            "; ".join(f"{each['where']}: {each['what']}" for each in errors),
            code="parameters",
            hint="See /docs for what each parameter takes.",
            errors=errors,
        )

    @app.exception_handler(HTTPException)
    async def refused(request: Request, failure: HTTPException) -> Response:
        codes = {404: "route_unknown", 405: "method_not_allowed"}
        headers = {**(failure.headers or {})}
        if failure.status_code == 405:
            headers["Allow"] = _allowed(request, headers.get("Allow", ""))
        return problem(
            failure.status_code,
            f"{request.method} {request.url.path[:100]!r} is no route"
            if failure.status_code == 404
            else str(failure.detail),
            code=codes.get(failure.status_code, "http"),
            hint="All routes are listed at /docs.",
            headers=headers,
        )


def _allowed(request: Request, known: str) -> str:
    """All methods of a path, which stand in several routes; `known` are those of the first."""
    scope = {"type": "http", "path": request.url.path, "method": request.method, "headers": []}
    routes = [each for router in _ROUTERS for each in router.routes if isinstance(each, APIRoute)]
    meant = next((each for each in routes if each.matches(scope)[0] is not Match.NONE), None)
    found = {each.strip() for each in known.split(",") if each.strip()}
    for each in routes:
        if meant is not None and each.path == meant.path and each.include_in_schema:
            found |= each.methods or set()
    return ", ".join(sorted(found))


_BUG: Final = 70
_ERRORS_SHOWN: Final = 10
