"""Balance proofs as calldata; the verifier of these tests believes them unread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.contracts.behaviour.anvil import Receipt
from tests.contracts.behaviour.world import World

GWEI_PER_ETH = 10**9


def proof(key: bytes, gwei: int) -> tuple[Any, ...]:
    """One validator's container; only key and effective balance matter here."""
    return (key, 0, bytes(32), gwei, False, 0, 0, 0, 0, [])


def prove(
    world: World,
    operator_ids: Sequence[int],
    balances: Mapping[bytes, int] | Sequence[tuple[bytes, int]],
    *,
    slot: int = 1,
    sender: str | None = None,
    value: int = 0,
    cluster: Any = None,
) -> Receipt:
    """Prove effective balances, in whole ETH by key, in a cluster of carol's.

    Args:
        slot: what the verifier answers.
        sender: the stranger if None.
    """
    pairs = balances.items() if isinstance(balances, Mapping) else balances
    receipt: Receipt = world.registry.proveEffectiveBalances(
        world.carol,
        operator_ids,
        cluster or world.latest(world.carol, operator_ids),
        slot,
        bytes(32),
        [],
        [proof(key, eth * GWEI_PER_ETH) for key, eth in pairs],
        sender=sender or world.stranger,
        value=value,
    )
    return receipt
