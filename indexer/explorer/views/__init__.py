"""The pages by subject. Each module has a `router`; a new one is entered here."""

from typing import Final

from indexer.explorer.views import (
    accounts,
    builder,
    clusters,
    events,
    liquidations,
    operators,
    overview,
    parameters,
    status,
    tools,
    validators,
)

ROUTERS: Final = (
    overview.router,
    operators.router,
    validators.router,
    clusters.router,
    accounts.router,
    liquidations.router,
    events.router,
    parameters.router,
    status.router,
    tools.router,
    builder.router,
)
"""All pages."""
