"""`phalanx node registry verify | diff`: how far the registry of a running node is proven.

They ask the node's HTTP API and nothing else. What is wrong is repaired by the node itself.
"""

from __future__ import annotations

from typing import Any, Final

import click

from operator_node.cli.asking import Node, asking
from sdk.cli.output import HELP_NAMES, Output

UNHEALTHY: Final = 3
"""Exit code while something is wrong or not verified."""


@click.group(context_settings=HELP_NAMES)
def registry() -> None:
    """The registry as a running node has read, proven and compared it."""


@registry.command(context_settings=HELP_NAMES)
@asking
def verify(api: str, token_file: Any, as_json: bool) -> None:
    """How far what was read is proven; exit code 3 if something is wrong, or not verified yet."""
    found = Node(api, token_file).get("/v2/registry")
    Output(as_json=as_json).result(found, "\n".join(_lines(found)))
    is_verified = found["verified"] is not None or found["unaudited"]
    if found["problem"] or not is_verified:
        raise click.exceptions.Exit(UNHEALTHY)


@registry.command(context_settings=HELP_NAMES)
@asking
def diff(api: str, token_file: Any, as_json: bool) -> None:
    """What the contract says otherwise, and what nodes gave wrong; exit code 3 if they differ."""
    found = Node(api, token_file).get("/v2/registry")
    lines = [
        f"{each['subject']} at block {each['block']}: read {each['read']}, "
        f"{each['node']} says {each['contract']}"
        for each in found["differences"]
    ]
    lines += [
        f"block {each['block']}: {each['node']} gave {each['given']} events, there are "
        f"{each['proven']}; repaired"
        for each in found["gaps"]
    ]
    shown = {name: found[name] for name in ("differences", "gaps")}
    Output(as_json=as_json).result(shown, "\n".join(lines) or "nothing differs")
    if found["differences"]:
        raise click.exceptions.Exit(UNHEALTHY)


def _lines(found: dict[str, Any]) -> list[str]:
    verified = "not yet" if found["verified"] is None else f"block {found['verified']}"
    return [
        f"processed: {_block(found['processed'])}",
        f"verified: {found['unaudited'] or verified}",
        f"proven block by block: {_block(found['proven_from'])} to {_block(found['proven_to'])}",
        f"beacon nodes: {found['untied'] or 'agree'}",
        f"left to compare: {found['left_to_compare']}",
        f"exits waiting for proof: {found['exits_held']}",
        *(
            f"{each['node']}: {each['state']}, block {each['head']} {each['problem']}".rstrip()
            for each in found["nodes"]
        ),
        f"problem: {found['problem'] or 'none'}",
    ]


def _block(number: int | None) -> str:
    return "none" if number is None else str(number)
