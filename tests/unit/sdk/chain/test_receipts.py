"""Roots as py-trie 4.0.0 has them, blooms, and logs out of receipts."""

from __future__ import annotations

import pytest

from sdk.chain.receipts import (
    BLOOM_BYTES,
    Receipt,
    ReceiptLog,
    logs_of,
    may_hold,
    receipts_root,
)
from sdk.types import Address, BlockNumber, keccak256

MINE = Address(b"\xcc" * 20)
OTHER = "0x" + "dd" * 20
TOPIC = "0x" + "33" * 32


def receipt(place: int, *logs: ReceiptLog) -> Receipt:
    """One of each kind, with an outcome of its own."""
    return Receipt(
        transactionHash="0x" + place.to_bytes(32, "big").hex(),
        cumulativeGasUsed=hex(21_000 * (place + 1)),
        logsBloom="0x" + "00" * BLOOM_BYTES,
        logs=list(logs),
        type=hex(place % 5),
        status=hex(place % 2),
    )


def said(address: str = OTHER, data: str = "0x44") -> ReceiptLog:
    return ReceiptLog(address, [TOPIC], data)


@pytest.mark.parametrize(
    ("count", "root"),
    [
        (0, "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"),
        (1, "642cd2bcdba228efb3996bf53981250d3608289522b80754c4e3c085c93c806f"),
        (2, "355cdb1de5db7a5eebaf7a7fd472da10a0295eacbde9058ea9a0fcf31b1362a1"),
        (17, "785bdb243579f00fc529e32ef799cae0c8efd980ff1072626e0565d8670f9a53"),
        (128, "9c74c72a6ff3f3cbd07ddc022137517398d19463daaf599f39c41f6a964baa97"),
        (129, "ccf0016dbede68e3c8b0a60c6e6582fd21d2f52e73831b7b427973b716998c35"),
        (260, "52486bdd1166d693b834c1f6e76c4c56e3b364854976e29ad276ba49f3a1d225"),
    ],
)
def test_the_root_is_that_of_the_trie(count: int, root: str) -> None:
    receipts = [receipt(place, *[said()] * (place % 3)) for place in range(count)]
    assert receipts_root(receipts).hex() == root


def test_a_receipt_before_byzantium_has_a_root_in_place_of_a_status() -> None:
    old = receipt(0)
    old.status, old.root = None, "0x" + "ab" * 32
    assert receipts_root([old]) != receipts_root([receipt(0)])


@pytest.mark.parametrize("change", ["hide", "add", "data", "order", "status", "gas"])
def test_nothing_can_change_under_the_root(change: str) -> None:
    receipts = [receipt(place, said(), said(data="0x55")) for place in range(3)]
    root = receipts_root(receipts)
    victim = receipts[1]
    match change:
        case "hide":
            del victim.logs[0]
        case "add":
            victim.logs.append(said())
        case "data":
            victim.logs[0].data = "0x45"
        case "order":
            victim.logs.reverse()
        case "status":
            victim.status = "0x0"
        case _:
            victim.cumulativeGasUsed = "0x1"
    assert receipts_root(receipts) != root


def test_logs_have_their_place_in_the_block() -> None:
    mine = "0x" + MINE.hex().upper()
    receipts = [receipt(0, said()), receipt(1), receipt(2, said(), said(mine), said(mine, "0x"))]
    found = logs_of(receipts, address=MINE, number=BlockNumber(7), block_hash=b"\x01" * 32)
    assert [(log.transaction_index, log.log_index, log.data) for log in found] == [
        (2, 2, b"\x44"),
        (2, 3, b""),
    ]
    assert {log.block_number for log in found} == {7}
    assert found[0].transaction_hash == (2).to_bytes(32, "big")


def test_a_bloom_without_the_address_proves_that_there_is_no_log() -> None:
    bloom = bytearray(BLOOM_BYTES)
    assert not may_hold(bytes(bloom), MINE)
    name = keccak256(MINE)
    for start in (0, 2, 4):
        place = int.from_bytes(name[start : start + 2], "big") % 2048
        bloom[255 - place // 8] |= 1 << place % 8
    assert may_hold(bytes(bloom), MINE)
    assert not may_hold(bytes(bloom), b"\xdd" * 20)


def test_what_is_no_hexadecimal_text_is_refused() -> None:
    with pytest.raises(ValueError, match="prefix"):
        receipts_root([receipt(0, said(data="44"))])
