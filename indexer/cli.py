"""`phalanx indexer`: its commands, imported when they are used.

Source: docs/run-an-indexer.md.
"""

from __future__ import annotations

from importlib import import_module
from typing import Final

import click

from sdk.cli.output import HELP_NAMES

_COMMANDS: Final = {
    "api": "indexer.app:api",
    "reset": "indexer.sync.commands:reset",
    "run": "indexer.sync.commands:run",
    "verify": "indexer.sync.commands:verify",
}


class _LazyGroup(click.Group):
    def list_commands(self, context: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        module, attribute = _COMMANDS[name].split(":")
        command = getattr(import_module(module), attribute)
        return command if isinstance(command, click.Command) else None


@click.group(cls=_LazyGroup, context_settings=HELP_NAMES)
def indexer() -> None:
    """The registry in Postgres: follow it, check it, begin anew.

    Unaudited software; not for mainnet funds.
    """
