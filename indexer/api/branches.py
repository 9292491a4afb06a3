"""Routes that are only looked at for paths that begin like one of theirs.

FastAPI compares a path with every route, one after the other and twice over; with a hundred of them
that takes longer than most answers.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.routing import Match, Route, WebSocketRoute
from starlette.types import Scope

from indexer.api.threads import ThreadRoute


class Branch(APIRouter):
    """Routes of a few subjects; complete once the first request came."""

    _starts: tuple[str, ...] | None = None

    def __init__(self, **more: Any) -> None:
        """As FastAPI makes it; functions that block run in threads."""
        super().__init__(route_class=ThreadRoute, **more)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether one of the routes is meant."""
        if self._starts is None:
            paths = [each.path for each in self.routes if isinstance(each, Route | WebSocketRoute)]
            self._starts = tuple({each.partition("{")[0] for each in paths})
        if scope["path"].startswith(self._starts):
            return super().matches(scope)
        return Match.NONE, {}
