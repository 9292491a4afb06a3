"""Registrations of carol's, right but for what a test breaks."""

from __future__ import annotations

from typing import Any

from tests.contracts.behaviour.world import (
    ETHER,
    NEW_CLUSTER,
    World,
    shares,
    validator_key,
)

SIZES = (4, 7, 10, 13)
KEY = validator_key(9_001)


def register(world: World, ids: list[int], **changed: Any) -> Any:
    """One registration of carol's, right but for what is named."""
    given: dict[str, Any] = {
        "key": KEY,
        "shares": shares(len(ids)),
        "cluster": world.latest(world.carol, ids),
    }
    given |= {"value": ETHER, "sender": world.carol} | changed
    return world.registry.registerValidator(
        given["key"],
        ids,
        given["shares"],
        given["cluster"],
        sender=given["sender"],
        value=given["value"],
    )


def bulk(world: World, ids: list[int], keys: list[bytes], **changed: Any) -> Any:
    """One bulk registration of carol's, right but for what is named."""
    given = {"shares": [shares(len(ids))] * len(keys), "cluster": NEW_CLUSTER, "value": ETHER}
    given |= changed
    return world.registry.bulkRegisterValidator(
        keys, ids, given["shares"], given["cluster"], sender=world.carol, value=given["value"]
    )
