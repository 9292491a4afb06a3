"""The group `phalanx node`; its commands are imported when they are used."""

from __future__ import annotations

from importlib import import_module
from typing import Final

import click

from sdk.cli.output import HELP_NAMES

_COMMANDS: Final = {
    "check-config": "operator_node.cli.check_config:check_config",
    "duties": "operator_node.cli.questions:duties",
    "run": "operator_node.cli.run:run",
    "slashing-protection": "operator_node.cli.slashing_protection:slashing_protection",
    "status": "operator_node.cli.questions:status",
    "why": "operator_node.cli.questions:why",
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
def node() -> None:
    """Run an operator node, and ask a running one.

    Unaudited software; not for mainnet funds.
    """
