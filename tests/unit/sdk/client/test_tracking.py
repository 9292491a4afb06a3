"""What became of a transaction, by what the node answers."""

from __future__ import annotations

from typing import Any

import pytest

from sdk.client.addresses import to_checksum
from sdk.client.operation import Operation, Patience, Pause, Result, Rpc
from sdk.client.tracking import (
    Mined,
    Missing,
    Pending,
    Replaced,
    SentTransaction,
    await_fate,
    find_fate,
)
from sdk.errors import NetworkError
from sdk.types import BlockNumber

SENDER = to_checksum("0x" + 40 * "1")
SENT = SentTransaction("0x" + 64 * "a", 5)
COUNT, RECEIPT, LOOK = (
    "eth_getTransactionCount",
    "eth_getTransactionReceipt",
    "eth_getTransactionByHash",
)


def answer(operation: Operation[Any], answers: dict[str, Any]) -> Any:
    """The operation's result; a list answers one request after the other."""
    try:
        request = next(operation)
        while True:
            value = None
            if isinstance(request, Rpc):
                value = answers[request.method]
                value = value.pop(0) if isinstance(value, list) else value
            request = operation.send(Result(value))
    except StopIteration as stop:
        return stop.value


def receipt(status: str) -> dict[str, str]:
    return {"blockNumber": "0x9", "status": status}


@pytest.mark.parametrize(
    ("answers", "fate"),
    [
        ({COUNT: "0x6", RECEIPT: receipt("0x1")}, Mined(BlockNumber(9), True)),
        ({COUNT: "0x6", RECEIPT: receipt("0x0")}, Mined(BlockNumber(9), False)),
        ({COUNT: "0x6", RECEIPT: None}, Replaced()),
        ({COUNT: "0x5", RECEIPT: None, LOOK: {"hash": SENT.hash}}, Pending()),
        ({COUNT: "0x5", RECEIPT: None, LOOK: None}, Missing()),
        ({COUNT: "0x4", RECEIPT: None, LOOK: None}, Missing()),
    ],
)
def test_fate_follows_from_nonce_receipt_and_pool(answers: dict[str, Any], fate: object) -> None:
    assert answer(find_fate(SENT, sender=SENDER), answers) == fate


def test_nonce_is_asked_before_the_receipt() -> None:
    """The other way round, a transaction mined in between would look replaced."""
    operation = find_fate(SENT, sender=SENDER)
    first = next(operation)
    assert isinstance(first, Rpc)
    assert first.method == COUNT
    assert first.params == (SENDER, "latest")


def test_pending_one_is_waited_for_within_bounds() -> None:
    mined = {"blockNumber": "0x9", "status": "0x1"}
    answers = {COUNT: "0x5", RECEIPT: [None, None, mined], LOOK: {"hash": SENT.hash}}
    waiting = await_fate(SENT, sender=SENDER, patience=Patience(poll_s=2.0))
    assert answer(waiting, answers) == Mined(BlockNumber(9), True)
    pending = {COUNT: "0x5", RECEIPT: None, LOOK: {"hash": SENT.hash}}
    patience = Patience(poll_s=2.0, receipt_timeout_s=6.0)
    with pytest.raises(NetworkError) as caught:
        answer(await_fate(SENT, sender=SENDER, patience=patience), pending)
    assert caught.value.code == "receipt_timeout"
    assert caught.value.data == {"transaction_hash": SENT.hash, "account_nonce": 5}


def test_pauses_are_those_of_the_patience() -> None:
    operation = await_fate(SENT, sender=SENDER, patience=Patience(poll_s=2.5))
    next(operation)
    operation.send(Result("0x5"))
    operation.send(Result(None))
    assert operation.send(Result({"hash": SENT.hash})) == Pause(2.5)


def test_answer_that_is_no_object_is_refused() -> None:
    with pytest.raises(NetworkError) as caught:
        answer(find_fate(SENT, sender=SENDER), {COUNT: "0x5", RECEIPT: [["odd"]]})
    assert caught.value.code == "rpc_answer"
