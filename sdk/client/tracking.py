"""What became of a transaction that was signed earlier, perhaps by a process that has died since.

Pure operations. An account nonce is used once, so a transaction whose nonce is used by another one
can never be mined any more, and a lost one is sent again under the same nonce without any risk
that both are mined.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from eth_typing import ChecksumAddress

from sdk.client.calls import block_parameter, quantity
from sdk.client.operation import Operation, Patience, Pause, Rpc, result_of
from sdk.errors import NetworkError
from sdk.types import BlockNumber


@dataclass(frozen=True, slots=True)
class SentTransaction:
    """A transaction as a journal keeps it, written down before it was sent.

    Attributes:
        hash: `0x` and 64 hex digits.
        account_nonce: of the sending account.
    """

    hash: str
    account_nonce: int


@dataclass(frozen=True, slots=True)
class Mined:
    """In a block; it may have reverted."""

    block_number: BlockNumber
    succeeded: bool


@dataclass(frozen=True, slots=True)
class Pending:
    """The node keeps it for a coming block."""


@dataclass(frozen=True, slots=True)
class Replaced:
    """Another transaction has used its account nonce."""


@dataclass(frozen=True, slots=True)
class Missing:
    """The node does not know it, and its account nonce is free."""


Fate: TypeAlias = Mined | Pending | Replaced | Missing


def account_nonce(account: ChecksumAddress, *, block: str = "pending") -> Operation[int]:
    """Transactions the account has made: the nonce of its next one."""
    request = Rpc(
        "eth_getTransactionCount",
        (account, block_parameter(block)),
        f"account nonce of {account}",
    )
    return (yield from quantity(request))


def find_fate(sent: SentTransaction, *, sender: ChecksumAddress) -> Operation[Fate]:
    """What the node knows of it now."""
    # Asked before the receipt: a nonce used by then belongs to a block that the node has.
    used = yield from account_nonce(sender, block="latest")
    receipt = yield from _ask("eth_getTransactionReceipt", sent)
    if receipt is not None:
        return Mined(BlockNumber(int(receipt["blockNumber"], 16)), int(receipt["status"], 16) == 1)
    if used > sent.account_nonce:
        return Replaced()
    known = yield from _ask("eth_getTransactionByHash", sent)
    return Missing() if known is None else Pending()


def await_fate(
    sent: SentTransaction, *, sender: ChecksumAddress, patience: Patience
) -> Operation[Mined | Replaced | Missing]:
    """Its fate once it is no longer pending.

    Raises:
        NetworkError: `receipt_timeout`.
    """
    waited_s = 0.0
    while True:
        fate = yield from find_fate(sent, sender=sender)
        if not isinstance(fate, Pending):
            return fate
        if waited_s >= patience.receipt_timeout_s:
            raise NetworkError(
                f"transaction {sent.hash} is still pending after "
                f"{patience.receipt_timeout_s:g} seconds",
                code="receipt_timeout",
                hint="Give the same command again later, or replace it in your wallet by any "
                "transaction with its account nonce and a higher fee.",
                data={"transaction_hash": sent.hash, "account_nonce": sent.account_nonce},
            )
        yield Pause(patience.poll_s)
        waited_s += max(patience.poll_s, 0.001)


def _ask(method: str, sent: SentTransaction) -> Operation[Any]:
    found = yield from result_of(Rpc(method, (sent.hash,), f"transaction {sent.hash}"))
    if found is not None and not isinstance(found, dict):
        raise NetworkError(
            f"the node's answer to {method} cannot be read",
            code="rpc_answer",
            hint="Use another node.",
        )
    return found
