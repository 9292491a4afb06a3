"""Views of the contract at one block, many at once.

Shell. Source: docs/contracts.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sdk.chain import Point, Rpc
from sdk.chain.calls import ask_contract
from sdk.client.abi import encode_call
from sdk.types import Address, BlockNumber


async def ask_views(
    rpc: Rpc,
    registry: Address,
    views: Sequence[tuple[str, tuple[Any, ...]]],
    block: Point | BlockNumber,
) -> list[bytes | None]:
    """Answers as bytes, None for a call that the contract reverts.

    Args:
        rpc: to ask.
        registry: contract.
        views: names with their arguments.
        block: whose state; by number only where it is final.

    Raises:
        NetworkError: no node answers, or the node refuses, as for state that it no longer has.
    """
    return await ask_contract(rpc, registry, [encode_call(*view) for view in views], block)
