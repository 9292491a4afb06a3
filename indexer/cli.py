"""`phalanx indexer`: its commands, imported when they are used.

Source: docs/run-an-indexer.md.
"""

from __future__ import annotations

from typing import Final

import click

from sdk.cli.lazy import LazyGroup

_COMMANDS: Final = {
    "api": "indexer.app:api",
    "reset": "indexer.sync.commands:reset",
    "run": "indexer.sync.commands:run",
    "verify": "indexer.sync.commands:verify",
}


@click.group(cls=LazyGroup, places=_COMMANDS)
def indexer() -> None:
    """The registry in Postgres: follow it, check it, begin anew.

    Unaudited software; not for mainnet funds.
    """
