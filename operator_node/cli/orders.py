"""`phalanx node drain | resume | fence | reload`: orders to a running node.

They need the control token, the second line of `node.api_tokens_file`. Source: docs/node-api.md,
"Control".
"""

from __future__ import annotations

from typing import Any

import click

from operator_node.cli.asking import Node, asking
from sdk.cli.output import HELP_NAMES, Output


@click.command(context_settings=HELP_NAMES)
@asking
def drain(api: str, token_file: Any, as_json: bool) -> None:
    """Begins no more duties; running ones go on to their end.

    `phalanx node resume`, or a restart, ends it.
    """
    _order("drain", api, token_file, as_json=as_json)


@click.command(context_settings=HELP_NAMES)
@asking
def resume(api: str, token_file: Any, as_json: bool) -> None:
    """Ends a drain: duties are begun again."""
    _order("resume", api, token_file, as_json=as_json)


@click.command(context_settings=HELP_NAMES)
@asking
def fence(api: str, token_file: Any, as_json: bool) -> None:
    """Signs nothing from now on, until the node is started again."""
    _order("fence", api, token_file, as_json=as_json)


@click.command(context_settings=HELP_NAMES)
@asking
def reload(api: str, token_file: Any, as_json: bool) -> None:
    """Has the node read its settings again; says which of the changed ones need a restart."""
    found = Node(api, token_file).order("/v2/control/reload")
    applied = ", ".join(found["applied"]) or "nothing"
    waiting = ", ".join(found["needs_restart"])
    text = f"taken over: {applied}" + (f"\nneeds a restart: {waiting}" if waiting else "")
    Output(as_json=as_json).result(found, text)


def _order(name: str, api: str, token_file: Any, *, as_json: bool) -> None:
    found = Node(api, token_file).order(f"/v2/control/{name}")
    Output(as_json=as_json).result(found, found["done"])
