"""What a node's refusal of a signed transaction means."""

from __future__ import annotations

import pytest
from hexbytes import HexBytes

from sdk.client.operation import Refused, Result, Rpc
from sdk.client.sending import send_signed
from sdk.client.transaction import SignedTransaction
from sdk.errors import ChainError

SIGNED = SignedTransaction(raw=b"\x02\x01", hash=HexBytes(32 * b"\x11"))


@pytest.mark.parametrize(
    "message",
    [
        "already known",
        "AlreadyKnown",
        "Known transaction",
        "known transaction: 1111",
        "Transaction with the same hash was already imported.",
    ],
)
def test_transaction_that_the_node_has_is_sent(message: str) -> None:
    sending = send_signed(SIGNED)
    next(sending)
    with pytest.raises(StopIteration) as done:
        sending.send(Refused(-32000, message))
    assert done.value.value == SIGNED.hash


@pytest.mark.parametrize("message", ["unknown transaction type", "Unknown Transaction", "nonce"])
def test_transaction_that_the_node_does_not_take_is_refused(message: str) -> None:
    sending = send_signed(SIGNED)
    next(sending)
    look = sending.send(Refused(-32000, message))
    assert isinstance(look, Rpc)
    assert look.method == "eth_getTransactionByHash"
    with pytest.raises(ChainError) as caught:
        sending.send(Result(None))
    assert caught.value.code == "transaction_refused"
