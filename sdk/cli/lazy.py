"""A group of commands that are imported when they are used, so that `--help` waits for nothing."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from sdk.cli.output import HELP_NAMES


class LazyGroup(click.Group):
    """Commands by name, each named by its place."""

    def __init__(self, *, places: Mapping[str, str], **settings: Any) -> None:
        """Nothing is imported yet.

        Args:
            places: `module:attribute` by command, in the order of the help page.
            settings: as click's own group takes them.
        """
        super().__init__(context_settings=HELP_NAMES, **settings)
        self._places = places

    def list_commands(self, context: click.Context) -> list[str]:
        """All names; nothing is imported."""
        return list(self._places)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """The command, imported now."""
        if name not in self._places:
            return None
        module, attribute = self._places[name].split(":")
        command = getattr(import_module(module), attribute)
        return command if isinstance(command, click.Command) else None
