"""The group `phalanx node`; its commands are imported when they are used."""

from __future__ import annotations

from typing import Final

import click

from sdk.cli.lazy import LazyGroup

_COMMANDS: Final = {
    "acknowledge-slashings": "operator_node.cli.acknowledge:acknowledge_slashings",
    "backup": "operator_node.cli.backup:backup",
    "check-config": "operator_node.cli.check_config:check_config",
    "doctor": "operator_node.cli.doctor:doctor",
    "duties": "operator_node.cli.questions:duties",
    "drain": "operator_node.cli.orders:drain",
    "fence": "operator_node.cli.orders:fence",
    "reload": "operator_node.cli.orders:reload",
    "resume": "operator_node.cli.orders:resume",
    "keys": "operator_node.cli.keys:keys",
    "handover": "operator_node.cli.handover:handover",
    "registry": "operator_node.cli.registry:registry",
    "restore": "operator_node.cli.backup:restore",
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
