"""The node's HTTP API: JSON or text, on localhost unless told otherwise; orders need a token.

Every answer comes from memory or one bounded query; none waits for a beacon node or a peer, so that
no request takes a duty's time. Nothing here reaches a key.

Source: docs/node-api.md; the routes under `/v1` have the shapes of other nodes of the network.
"""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Final

import trio
from fastapi import FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from hypercorn.config import Config
from hypercorn.trio import serve as hypercorn_serve
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException

from operator_node.api import answers
from operator_node.api.absence import Absence
from operator_node.api.answers import Identity, OwnValidator, Peer
from operator_node.api.control import Orders, Tokens, add_control_routes
from operator_node.api.page import Shown
from operator_node.api.registry import add_registry_routes
from operator_node.api.start import add_start_page
from operator_node.api.status import Severity, Status
from operator_node.beacon.types import NodeStatus as BeaconStatus
from operator_node.engine.records import DutyRecord, Ending
from operator_node.registry import RegistryStatus
from operator_node.wire.ids import RunnerRole
from sdk.errors import ConfigError

if TYPE_CHECKING:
    from trio_typing import TaskStatus  # the stubs that libp2p brings do not know trio's own

DUTIES_PER_ANSWER: Final = 1000
REQUESTS_AT_ONCE: Final = 16
"""More are told to come again; they would only slow each other."""
SLOTS_SHOWN: Final = 64
"""On the start page: two epochs, within which every duty's reason is known."""
FAILED_SHOWN: Final = 200
"""Grouped by reason, more tell nothing new."""
VERSION_HEADER: Final = "X-SSV-Node-Version"
_ALWAYS_OPEN: Final = frozenset({"/livez", "/readyz"})
"""For orchestrators, which send no token."""


@dataclass(frozen=True, slots=True)
class DutyQuery:
    """Which duties; both slots are included."""

    from_slot: int | None
    to_slot: int | None
    validator: int | None
    role: RunnerRole | None
    outcome: Ending | None
    limit: int


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the answers come from. All but the duties answer at once from memory.

    Attributes:
        facts: further fields of the status: operator, blocks, counts.
        duties: newest first; may read the disk, in a thread of its own.
        duty: by id, None if there is none.
        absence: why nothing is recorded of a slot (first) and a validator's index.
        orders: takes orders; None if there are none to give.
        registry: how far it was read; None before it is opened.
    """

    version: str
    identity: Callable[[], Identity]
    peers: Callable[[], Sequence[Peer]]
    status: Callable[[], Status]
    facts: Callable[[], dict[str, Any]]
    beacon_nodes: Callable[[], Sequence[BeaconStatus]]
    validators: Callable[[], Sequence[OwnValidator]]
    duties: Callable[[DutyQuery], Awaitable[Sequence[DutyRecord]]]
    duty: Callable[[str], Awaitable[DutyRecord | None]]
    absence: Callable[[int, int], Absence]
    orders: Callable[[], Orders | None] = field(default=lambda: None)
    registry: Callable[[], RegistryStatus | None] = field(default=lambda: None)


def make_app(sources: Sources, *, tokens: Tokens | None = None) -> FastAPI:
    """The API.

    Args:
        sources: of the answers.
        tokens: that every request but `/livez` and `/readyz` must bring one of.
    """
    app = FastAPI(title="Phalanx operator node", version=sources.version, docs_url=None)
    _guard(app, sources.version, tokens or Tokens())
    _add_compatible_routes(app, sources)
    _add_status_routes(app, sources)
    _add_duty_routes(app, sources)
    add_registry_routes(app, lambda: sources.registry())
    add_control_routes(app, lambda: sources.orders())
    add_start_page(app, partial(_shown, sources))
    return app


async def serve(
    app: FastAPI,
    *,
    host: str,
    port: int,
    task_status: TaskStatus[int] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serves until cancelled; started with the port once it listens.

    Raises:
        ConfigError: the address is taken or not this machine's.
    """
    config = Config()
    config.accesslog = None
    config.errorlog = None
    config.graceful_timeout = 1.0
    # Hypercorn's own binding leaks the socket when the port is taken.
    listening = _listen(host, port)
    config.bind = [f"fd://{listening.detach()}"]
    async with trio.open_nursery() as nursery:
        bound = await nursery.start(hypercorn_serve, app, config)
        task_status.started(int(bound[0].rsplit(":", 1)[1]))


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=_family(host))
    except OSError as failure:
        raise ConfigError(
            f"the HTTP API cannot listen on {host}:{port}: {failure.strerror}",
            code="api_port",
            hint="Choose another port, or stop the process that has it.",
        ) from failure


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def make_metrics_app(text: Callable[[], bytes], status: Callable[[], Status]) -> FastAPI:
    """`/metrics` for Prometheus, `/health` for load balancers: 200, or 500 with what is wrong."""
    app = FastAPI(title="Phalanx operator node, metrics", docs_url=None)

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(text(), media_type=CONTENT_TYPE_LATEST)

    @app.get("/health")
    async def health() -> Response:
        problems = [part.problem for part in status().parts if part.severity is Severity.BAD]
        return JSONResponse({"errors": problems}, status_code=500 if problems else 200)

    return app


def _guard(app: FastAPI, version: str, tokens: Tokens) -> None:
    running = trio.CapacityLimiter(REQUESTS_AT_ONCE)

    @app.middleware("http")
    async def guard(
        request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        if request.url.path not in _ALWAYS_OPEN:
            given = request.headers.get("authorization", "")
            if (refusal := tokens.refusal(request.url.path, given)) is not None:
                problem = _problem(*refusal, version)
                if request.url.path == "/":  # a browser asks for the token then
                    problem.headers["www-authenticate"] = 'Basic realm="operator node"'
                return problem
        if running.available_tokens < 1:
            return _problem(503, f"{REQUESTS_AT_ONCE} requests are being answered", version)
        async with running:
            response = await call_next(request)
        response.headers[VERSION_HEADER] = version
        return response

    @app.exception_handler(HTTPException)
    async def refused(request: Request, problem: HTTPException) -> Response:
        return _problem(problem.status_code, str(problem.detail), version)

    @app.exception_handler(RequestValidationError)
    async def malformed(request: Request, problem: RequestValidationError) -> Response:
        told = "; ".join(
            f"{'.'.join(map(str, each['loc'][1:]))}: {each['msg']}" for each in problem.errors()
        )
        return _problem(400, told, version)


def _problem(code: int, text: str, version: str) -> Response:
    content = {"status": HTTPStatus(code).phrase, "error": text}
    return JSONResponse(content, status_code=code, headers={VERSION_HEADER: version})


def _wants_text(request: Request) -> bool:
    return request.headers.get("accept", "").startswith("text/plain")


def _add_compatible_routes(app: FastAPI, sources: Sources) -> None:
    @app.get("/v1/node/identity")
    async def identity() -> dict[str, Any]:
        return answers.identity(sources.identity(), sources.version)

    @app.get("/v1/node/peers")
    async def peers() -> list[dict[str, Any]]:
        return answers.peers(sources.peers())

    @app.get("/v1/node/topics")
    async def topics() -> dict[str, Any]:
        return answers.topics(sources.peers())

    @app.get("/v1/node/health")
    async def health() -> dict[str, Any]:
        addresses = sources.identity().addresses
        return answers.health(sources.status(), peers=len(sources.peers()), addresses=addresses)

    @app.get("/v1/validators")
    async def validators() -> dict[str, Any]:
        return answers.validators(sources.validators())


def _add_status_routes(app: FastAPI, sources: Sources) -> None:
    @app.get("/livez")
    async def livez() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz")
    async def readyz() -> Response:
        failing = list(sources.status().failing)
        return JSONResponse({"failing": failing}, status_code=503 if failing else 200)

    @app.get("/v2/status")
    async def status(request: Request) -> Response:
        now = sources.status()
        if _wants_text(request):
            return PlainTextResponse(answers.status_text(now))
        content = answers.status(now, version=sources.version, facts=sources.facts())
        return JSONResponse(content)

    @app.get("/v2/beacon-nodes")
    async def beacon_nodes() -> list[dict[str, Any]]:
        return answers.beacon_nodes(sources.beacon_nodes())


async def _shown(sources: Sources) -> Shown:
    """Facts of the start page: two bounded looks into the duty records."""
    facts = sources.facts()
    first = max((facts.get("slot") or 0) - SLOTS_SHOWN, 0)
    recent = await sources.duties(DutyQuery(first, None, None, None, None, limit=DUTIES_PER_ANSWER))
    failed = [
        record
        for outcome in (Ending.MISSED, Ending.PARTLY)
        for record in await sources.duties(
            DutyQuery(None, None, None, None, outcome, limit=FAILED_SHOWN)
        )
    ]
    return Shown(
        version=sources.version,
        status=sources.status(),
        facts=facts,
        beacons=sources.beacon_nodes(),
        recent=recent,
        failed=sorted(failed, key=lambda record: -record.slot),
        slots=SLOTS_SHOWN,
    )


def _add_duty_routes(app: FastAPI, sources: Sources) -> None:
    @app.get("/v2/duties")
    async def duties(
        request: Request,
        from_slot: Annotated[int | None, Query(alias="from", ge=0)] = None,
        to_slot: Annotated[int | None, Query(alias="to", ge=0)] = None,
        slot: Annotated[int | None, Query(ge=0)] = None,
        validator: Annotated[int | None, Query(ge=0)] = None,
        role: str | None = None,
        outcome: Ending | None = None,
        limit: Annotated[int, Query(ge=1, le=DUTIES_PER_ANSWER)] = 100,
    ) -> Response:
        asked = DutyQuery(
            from_slot=from_slot if slot is None else slot,
            to_slot=to_slot if slot is None else slot,
            validator=validator,
            role=None if role is None else _role(role),
            outcome=outcome,
            limit=limit,
        )
        found = await sources.duties(asked)
        if _wants_text(request):
            return PlainTextResponse("".join(map(answers.duty_text, found)))
        answer: dict[str, Any] = {"data": [answers.duty(record) for record in found]}
        if not found and slot is not None and validator is not None:
            answer["absence"] = asdict(sources.absence(slot, validator))
        return JSONResponse(answer)

    @app.get("/v2/duties/{duty_id}")
    async def duty(duty_id: str, request: Request) -> Response:
        record = await sources.duty(duty_id)
        if record is None:
            raise HTTPException(404, f"no duty {duty_id!r} is recorded")
        if _wants_text(request):
            return PlainTextResponse(answers.duty_text(record))
        return JSONResponse(answers.duty(record))


def _role(text: str) -> RunnerRole:
    names = {role.name.lower(): role for role in RunnerRole}
    if text.lower() not in names:
        raise HTTPException(400, f"role: {text!r} is none of {', '.join(names)}")
    return names[text.lower()]
