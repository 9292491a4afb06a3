"""The group `phalanx node`; its commands are imported when they are used."""

from __future__ import annotations

from typing import Final

import click

from sdk.cli.lazy import LazyGroup

_COMMANDS: Final = {
    "check-config": "operator_node.cli.check_config:check_config",
    "duties": "operator_node.cli.questions:duties",
    "run": "operator_node.cli.run:run",
    "slashing-protection": "operator_node.cli.slashing_protection:slashing_protection",
    "status": "operator_node.cli.questions:status",
    "why": "operator_node.cli.questions:why",
}


@click.group(cls=LazyGroup, places=_COMMANDS)
def node() -> None:
    """Run an operator node, and ask a running one.

    Unaudited software; not for mainnet funds.
    """
