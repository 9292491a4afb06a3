"""What `/v2/registry` answers: how far the registry was read, proven and compared.

Pure but for the route itself; reads nothing but the status.

Source: docs/node-api.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI

from operator_node.registry import RegistryStatus


def add_registry_routes(app: FastAPI, registry: Callable[[], RegistryStatus | None]) -> None:
    """The registry's route.

    Args:
        app: that gets it.
        registry: its status, None before it is opened.
    """

    @app.get("/v2/registry", summary="How far the registry was read, proven and compared")
    async def answer_registry() -> dict[str, Any]:
        return registry_answer(registry())


def registry_answer(status: RegistryStatus | None) -> dict[str, Any]:
    """As JSON; the same fields whether or not there is anything to tell."""
    known = status or RegistryStatus.nothing()
    proof, audit = known.proof, known.audit
    return {
        "processed": None if known.tip is None else known.tip.number,
        "processed_hash": None if known.tip is None else "0x" + known.tip.hash.hex(),
        "verified": audit.verified,
        "target": known.target,
        "complete": known.is_complete,
        "problem": known.problem,
        "proven_from": None if proof.whole is None else proof.whole[0],
        "proven_to": None if proof.whole is None else proof.whole[1],
        "untied": proof.untied,
        "unaudited": audit.missing,
        "left_to_compare": audit.left,
        "exits_held": known.exits_held,
        "counts": dict(known.counts),
        "gaps": [
            {"block": each.block, "node": each.node, "given": each.given, "proven": each.proven}
            for each in proof.gaps
        ],
        "differences": [
            {
                "subject": each.subject,
                "block": each.block,
                "read": "0x" + each.ours.hex(),
                "contract": "0x" + each.theirs.hex(),
                "node": each.node,
            }
            for each in audit.differences
        ],
        "nodes": [
            {"node": each.name, "state": each.state, "head": each.head, "problem": each.problem}
            for each in known.sources
        ],
        "refuted": [
            {"node": name, "problem": what} for name, what in sorted(proof.trouble.items())
        ],
    }
