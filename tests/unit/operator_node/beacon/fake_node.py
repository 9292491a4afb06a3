"""A beacon node of a few routes behind a transport, so that no socket is needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import msgspec
import trio

from operator_node.spec import ChainSpec, from_config

GENESIS_ROOT = bytes([9]) * 32
DEPENDENT = bytes([7]) * 32
SLOT_S = 12

Answering = Callable[[httpx.Request], "httpx.Response | tuple[int, Any] | Any"]


def hexed(data: bytes) -> str:
    return f"0x{data.hex()}"


def config() -> dict[str, str]:
    """Electra from genesis on, the smaller preset."""
    forks = ("ALTAIR", "BELLATRIX", "CAPELLA", "DENEB", "ELECTRA")
    epochs = {f"{fork}_FORK_EPOCH": "0" for fork in forks}
    versions = {f"{fork}_FORK_VERSION": f"0x0{place}000001" for place, fork in enumerate(forks, 1)}
    return {
        "PRESET_BASE": "minimal",
        "SECONDS_PER_SLOT": str(SLOT_S),
        "GENESIS_FORK_VERSION": "0x00000001",
        **epochs,
        **versions,
    }


@dataclass
class FakeNode:
    """Answers by path; a path that is not there is answered 404.

    Attributes:
        routes: what to answer, or how.
        delay_s: before each answer.
        is_down: refuses connections.
        asked: every request, in order.
    """

    routes: dict[str, Any] = field(default_factory=dict)
    delay_s: float = 0.0
    is_down: bool = False
    asked: list[httpx.Request] = field(default_factory=list)
    genesis_root: bytes = GENESIS_ROOT

    def __post_init__(self) -> None:
        facts = {
            "genesis_time": "0",
            "genesis_validators_root": hexed(self.genesis_root),
        }
        self.routes = {
            "/eth/v1/beacon/genesis": {"data": facts},
            "/eth/v1/config/spec": {"data": config()},
            "/eth/v1/node/version": {"data": {"version": "Fake/v1"}},
            "/eth/v1/node/syncing": {
                "data": {"head_slot": "0", "sync_distance": "0", "is_syncing": False}
            },
        } | self.routes

    async def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self.is_down:
            raise httpx.ConnectError("refused", request=request)
        await trio.sleep(self.delay_s)
        found = self.routes.get(request.url.path, (404, {"message": "Route not found"}))
        if callable(found):
            found = found(request)
        if isinstance(found, httpx.Response):
            return found
        status, body = found if isinstance(found, tuple) else (200, found)
        return httpx.Response(status, json=body)

    def paths(self) -> list[str]:
        """What was asked for, in order."""
        return [request.url.path for request in self.asked]

    def bodies(self, path: str) -> list[Any]:
        """What was sent to a path, in order."""
        return [
            msgspec.json.decode(request.content)
            for request in self.asked
            if request.url.path == path
        ]


class FakeNetwork(httpx.AsyncBaseTransport):
    """Nodes at hosts named a, b, c and so on."""

    def __init__(self, *nodes: FakeNode) -> None:
        self.nodes = dict(zip("abcdefgh", nodes, strict=False))

    @property
    def urls(self) -> list[str]:
        return [f"http://{name}:5052" for name in self.nodes]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        return await self.nodes[request.url.host].answer(request)


def chain_of_fake() -> ChainSpec:
    return from_config(config(), genesis_time=0, genesis_validators_root=GENESIS_ROOT)
