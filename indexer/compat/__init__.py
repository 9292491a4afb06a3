"""The routes of the existing v4 API that need no outside data, in its own shapes."""

from __future__ import annotations

from typing import Final

from fastapi import FastAPI

from indexer.compat import routes_accounts, routes_clusters, routes_operators, routes_validators

_ROUTERS: Final = (
    routes_operators.router,
    routes_clusters.router,
    routes_validators.router,
    routes_accounts.router,
)


def mount(app: FastAPI) -> None:
    """Put the routes into the API, whose database they read (`indexer.api.app`)."""
    for router in _ROUTERS:
        app.include_router(router)


__all__ = ["mount"]
