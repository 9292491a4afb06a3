"""Calls of a contract at one block, many at once.

Shell. What is asked and what the answers mean is the caller's business.

Source: ethereum/execution-apis (`eth_call`); EIP-1898 (blocks by hash).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from sdk.chain.follower import Point
from sdk.chain.messages import Call
from sdk.chain.rpc import Rpc
from sdk.errors import NetworkError
from sdk.types import Address, BlockNumber

BATCH: Final = 50
"""Calls in a request."""
_TEXT: Final = msgspec.json.Decoder(str)
_REVERTED: Final = 3
"""The code that nodes have for it."""


async def ask_contract(
    rpc: Rpc, contract: Address, calls: Sequence[bytes], block: Point | BlockNumber
) -> list[bytes | None]:
    """Answers as bytes, None for a call that the contract reverts.

    Args:
        rpc: to ask.
        contract: whom to call.
        calls: selectors with arguments.
        block: whose state; by number only where it is final.

    Raises:
        NetworkError: no node answers, or the node refuses, as for state that it no longer has.
    """
    at = {"blockHash": _hex(block.hash)} if isinstance(block, Point) else hex(block)
    asked = [Call("eth_call", ({"to": _hex(contract), "data": _hex(each)}, at)) for each in calls]
    found: list[bytes | None] = []
    for start in range(0, len(asked), BATCH):
        found += await _batch(rpc, asked[start : start + BATCH])
    return found


async def _batch(rpc: Rpc, calls: Sequence[Call]) -> list[bytes | None]:
    try:
        return [_bytes(each) for each in await rpc.batch(calls, form=_TEXT)]
    except NetworkError as failure:
        if failure.code != "rpc_refused":
            raise
        if len(calls) == 1:
            if not _is_revert(failure):
                raise
            return [None]
    # One refused call refuses them all: which one?
    return [answer for each in calls for answer in await _batch(rpc, [each])]


def _is_revert(failure: NetworkError) -> bool:
    """Whether the contract refused, rather than the node."""
    is_code = failure.data.get("rpc_code") == _REVERTED
    return is_code or "revert" in str(failure.data.get("rpc_message"))


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        raise NetworkError(
            "the node's answer to a call cannot be read",
            code="rpc_answer",
            hint="Use another node.",
        ) from None


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
