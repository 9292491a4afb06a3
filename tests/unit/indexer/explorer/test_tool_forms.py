"""What people type into the tools, and what their wallets get."""

from __future__ import annotations

import json
from typing import Any

import pytest

from indexer.api.transactions import TransactionOut
from indexer.explorer.views.tools import committee_text, fixed_text, wallet_json


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        (None, None),
        ("1,2,3,4", "1,2,3,4"),
        ("10, 9 2-1", "1,2,9,10"),
        ("4 4 4 4", "4,4,4,4"),
        ("1,two", "1,two"),
        ("\u0661,1", "\u0661,1"),
    ],
)
def test_operators_are_taken_in_any_order_and_judged_by_the_api(
    typed: str | None, sent: str | None
) -> None:
    assert committee_text(typed) == sent


def test_amounts_of_one_column_have_one_unit_and_are_never_rounded_up() -> None:
    assert fixed_text(0, 10**18) == "0.000000"
    assert fixed_text(10**18 - 1, 10**18) == "0.999999"
    assert fixed_text(12_345 * 10**9, 10**9) == "12,345.000000"


def test_a_wallet_gets_quantities_in_hex_and_a_sender_only_if_it_matters() -> None:
    call: dict[str, Any] = {
        "function": "deposit",
        "chain_id": 1,
        "to": "0xTo",
        "data": "0xda",
        "value_wei": "255",
    }
    anyone = TransactionOut.model_construct(**call, sender=None)
    assert json.loads(wallet_json(anyone)) == {
        "chainId": "0x1",
        "to": "0xTo",
        "value": "0xff",
        "data": "0xda",
    }
    owner = TransactionOut.model_construct(**call, sender="0xMe")
    assert json.loads(wallet_json(owner))["from"] == "0xMe"
