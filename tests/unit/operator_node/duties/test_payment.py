"""Whom a block paid, by its recipient or by the builder's last transaction."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import rlp  # type: ignore[import-untyped]  # no type information upstream
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from operator_node.duties.payment import Payment, Way, payment_of, read_transfer
from sdk.types import Address

OWNER = Address(b"\x53" * 20)
EARLIER = Address(b"\x54" * 20)
BUILDER = Address(b"\x66" * 20)
ACCEPTED = (OWNER, EARLIER)


def signed(**fields: object) -> bytes:
    account = Account.from_key(b"\x01" * 32)
    common = {"nonce": 1, "gas": 21_000, "to": f"0x{OWNER.hex()}", "value": 10**17, "chainId": 1}
    return bytes(account.sign_transaction({**common, **fields}).raw_transaction)


FEES = {"maxFeePerGas": 5, "maxPriorityFeePerGas": 0}


@pytest.mark.parametrize(
    "transaction",
    [
        signed(gasPrice=7),
        signed(gasPrice=7, type=1, accessList=[]),
        signed(**FEES),
        b"\x03" + rlp.encode([1, 1, 0, 5, 21_000, OWNER, 10**17, b"", [], 1, [], 0, 1, 1]),
        b"\x04" + rlp.encode([1, 1, 0, 5, 21_000, OWNER, 10**17, b"", [], [], 0, 1, 1]),
    ],
    ids=["legacy", "access list", "fee market", "blobs", "set code"],
)
def test_recipient_and_value_are_found_in_every_form(transaction: bytes) -> None:
    assert read_transfer(transaction) == (OWNER, 10**17)


def fields(*values: object) -> bytes:
    listed: Sequence[object] = values
    return b"\x02" + bytes(rlp.encode(listed))


@pytest.mark.parametrize(
    "transaction",
    [
        b"",
        b"\x02",
        b"\x02\xff",
        b"\x07" + signed(**FEES)[1:],
        b"\x7f\x01",
        fields(1, 1, 0, 5, 21_000, b"", 10**17, b"", []),
        fields(1, 1, 0, 5, 21_000, [], 10**17, b"", []),
        fields(1, 1, 0, 5, 21_000, OWNER, [], b"", []),
        fields(1, 1, 0, 5, 21_000, OWNER, b"\x01" * 33, b"", []),
        fields(1, 1),
        b"\x02" + rlp.encode(b"text"),
    ],
)
def test_what_is_no_transfer_is_told_apart(transaction: bytes) -> None:
    assert read_transfer(transaction) is None


@given(st.binary(max_size=200))
def test_no_bytes_of_a_builder_raise(data: bytes) -> None:
    for head in (b"", b"\x02", b"\xf8"):
        read_transfer(head + data)


def test_fees_to_an_accepted_recipient_are_a_payment() -> None:
    assert payment_of(OWNER, None, ACCEPTED) == Payment(Way.PAYLOAD, OWNER)
    assert payment_of(EARLIER, signed(**FEES), ACCEPTED) == Payment(Way.PAYLOAD, EARLIER)


def test_builders_last_transaction_is_a_payment() -> None:
    assert payment_of(BUILDER, signed(**FEES), ACCEPTED) == Payment(Way.BUILDER, OWNER, 10**17)


@pytest.mark.parametrize(
    "last",
    [None, b"", signed(**FEES, value=0), signed(**FEES, to=f"0x{BUILDER.hex()}")],
    ids=["no transaction", "an empty one", "nothing sent", "sent to another"],
)
def test_anything_else_paid_nobody_of_them(last: bytes | None) -> None:
    assert payment_of(BUILDER, last, ACCEPTED) == Payment(Way.NOBODY, BUILDER)
    assert payment_of(OWNER, last, ()) == Payment(Way.NOBODY, OWNER)
