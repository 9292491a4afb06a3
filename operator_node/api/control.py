"""Orders to a running node over HTTP, behind a token of their own.

Nothing here makes a node sign; the worst that the token's thief can do is to stop it.

Source: docs/node-api.md, "Control".
"""

from __future__ import annotations

import hmac
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from fastapi import FastAPI
from starlette.exceptions import HTTPException

from sdk.errors import ConfigError, PhalanxError

PREFIX = "/v2/control/"


class NotNow(Exception):
    """The node cannot do that at present; the text says why."""


class Reloaded(Protocol):
    """What became of changed settings, by their keys."""

    @property
    def applied(self) -> tuple[str, ...]: ...
    @property
    def needs_restart(self) -> tuple[str, ...]: ...


class Orders(Protocol):
    """What can be ordered; each answers with what it did, or raises `NotNow`."""

    def drain(self) -> str: ...
    def resume(self) -> str: ...
    def fence(self) -> str: ...
    async def reload(self) -> Reloaded: ...


@dataclass(frozen=True, slots=True)
class Tokens:
    """Who may ask, and who may order; empty texts stand for none.

    Attributes:
        read: of everything but orders; without one everybody may read.
        control: of orders, and of the rest too; without one nobody may order.
    """

    read: str = ""
    control: str = ""

    @classmethod
    def of(cls, text: str) -> Tokens:
        """The first two lines that are not blank: to read, and to order."""
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return cls(*lines[:2])

    def refusal(self, path: str, header: str) -> tuple[int, str] | None:
        """Status and text for a request that may not be answered, None if it may.

        Args:
            path: that is asked for.
            header: `authorization`, empty if there is none.
        """
        is_order = path.startswith(PREFIX)
        given = header.removeprefix("Bearer ")
        if header.startswith("Basic ") and not is_order:
            # Browsers. Never for orders: another site could have a browser send them.
            given = _password(header.removeprefix("Basic "))
        if is_order and not self.control:
            return 403, "no control token is set: write one as second line of node.api_tokens_file"
        may_order = bool(self.control) and _same(given, self.control)
        if may_order or (not is_order and (not self.read or _same(given, self.read))):
            return None
        which = "control token" if is_order else "token"
        return 401, f"send the API's {which} as bearer token"


def _password(text: str) -> str:
    try:
        return b64decode(text, validate=True).decode().partition(":")[2]
    except (ValueError, UnicodeDecodeError):
        return ""


def _same(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode(), token.encode())


def add_control_routes(app: FastAPI, orders: Callable[[], Orders | None]) -> None:
    """The routes of orders."""

    def now() -> Orders:
        found = orders()
        if found is None:
            raise HTTPException(409, "this node takes no orders")
        return found

    @app.post(f"{PREFIX}drain")
    async def drain() -> dict[str, str]:
        return {"done": _done(now().drain)}

    @app.post(f"{PREFIX}resume")
    async def resume() -> dict[str, str]:
        return {"done": _done(now().resume)}

    @app.post(f"{PREFIX}fence")
    async def fence() -> dict[str, str]:
        return {"done": _done(now().fence)}

    @app.post(f"{PREFIX}reload")
    async def reload() -> dict[str, Any]:
        try:
            found = await now().reload()
        except NotNow as problem:
            raise HTTPException(409, str(problem)) from problem
        except ConfigError as problem:
            raise HTTPException(400, f"nothing was changed: {problem.message}") from problem
        except PhalanxError as problem:
            raise HTTPException(409, f"nothing was changed: {problem.message}") from problem
        return {"applied": list(found.applied), "needs_restart": list(found.needs_restart)}


def _done(order: Callable[[], str]) -> str:
    try:
        return order()
    except NotNow as problem:
        raise HTTPException(409, str(problem)) from problem
