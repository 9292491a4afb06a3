"""What people type into the tools, and what their wallets get."""

from __future__ import annotations

import json
from typing import Any

import pytest

from indexer.api.routes_tools import OperatorFeeOut, QuoteOut
from indexer.api.routes_tx import Action
from indexer.api.transactions import NO_SENDER, TransactionOut
from indexer.explorer.fields import Fields
from indexer.explorer.views.builder import gas_note, wallet_json, wanted
from indexer.explorer.views.tools import committee_text, costs
from sdk.errors import InputError


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


def test_the_parts_of_a_quote_have_one_unit_a_column_and_add_up() -> None:
    quote = QuoteOut.model_construct(
        operators=[
            OperatorFeeOut(operator_id=each, fee_wei_per_block="1770000000") for each in range(1, 5)
        ],
        network_fee_wei_per_block="3550900000",
        total_wei_per_block="10630900000",
    )
    found = costs(quote)
    assert [each.receiver for each in found][3:] == ["Operator 4", "Network", "Together"]
    assert [each.block_gwei for each in found][3:] == ["1.7700", "3.5509", "10.6309"]
    assert [each.day_eth for each in found][3:] == [
        "0.00001274400",
        "0.00002556648",
        "0.00007654248",
    ]
    assert found[-1].year_eth == "0.0279380052"


@pytest.mark.parametrize(
    ("action", "pairs", "says"),
    [
        ("deposit", [], "Amount, ETH and the runway of days are both empty"),
        ("withdraw", [], "Amount, ETH is empty"),
        ("withdraw", [("days", "3")], "Amount, ETH is empty"),
        ("reactivate", [("amount", "1"), ("days", "3")], "both filled in"),
        ("deposit", [("amount", "0.0")], "Amount, ETH is 0"),
        ("deposit", [("days", "many")], "Days is 'many', which is no whole number"),
    ],
)
def test_what_a_form_leaves_open_is_said_in_its_own_words(
    action: Action, pairs: list[tuple[str, str]], says: str
) -> None:
    with pytest.raises(InputError) as refused:
        wanted("0xcd", action, Fields.of(pairs))
    assert says in refused.value.message
    assert "_wei" not in refused.value.message + refused.value.hint


def test_a_form_is_taken_as_the_api_takes_it() -> None:
    paid = wanted("0xcd", "deposit", Fields.of([("amount", "0.5")]))
    assert (paid.amount_wei, paid.runway_days) == (str(5 * 10**17), None)
    assert wanted("0xcd", "reactivate", Fields.of([("amount", "0")])).amount_wei == "0"
    lasting = wanted("0xcd", "reactivate", Fields.of([("days", "180")]))
    assert (lasting.amount_wei, lasting.runway_days) == (None, 180)
    ended = wanted("0xcd", "liquidate", Fields.of([("amount", "1")]))
    assert (ended.amount_wei, ended.runway_days) == (None, None)


def test_nobody_is_told_to_fill_in_a_field_that_is_not_there() -> None:
    assert "sender" not in gas_note(TransactionOut.model_construct(not_checked=NO_SENDER))
    assert gas_note(TransactionOut.model_construct(not_checked="no node")) == "no node"
    assert gas_note(TransactionOut.model_construct(not_checked=None)) == ""


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
