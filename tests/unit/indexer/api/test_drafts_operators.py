"""Drafts on operators refuse what the contract would refuse, for its reasons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from indexer.api import drafts_operators as drafts
from indexer.api.drafts import DraftCall
from sdk.client.export import decode_call
from sdk.errors import PhalanxError
from sdk.registry import DeclaredFee, Operator, Parameters
from sdk.testing import builders
from sdk.types import BlockNumber, FeeUnits, Wei

UNIT = 100_000
AT = BlockNumber(100)
OPERATOR = replace(
    builders.operator(7, fee_units=10_000),
    credit_units=FeeUnits(500),
    block=AT,
    effective_balance_eth=0,
)
REMOVED = replace(OPERATOR, removed_at=BlockNumber(50))
DECLARED = replace(OPERATOR, declared_fee=DeclaredFee(FeeUnits(11_000), AT, 1_000, 2_000))
PARAMETERS = Parameters(
    fee_increase_limit_per_10000=1_000,
    maximum_operator_fee_wei=Wei(20_000 * UNIT),
    minimum_operator_fee_wei=Wei(100 * UNIT),
    declare_period_s=60,
    execute_period_s=600,
)


def declare(units: int, operator: Operator = OPERATOR) -> DraftCall:
    return drafts.declare_fee(operator, PARAMETERS, fee_wei=units * UNIT)


def execute(operator: Operator, now_s: int | None) -> DraftCall:
    return drafts.execute_fee(operator, PARAMETERS, now_s=now_s)


def withdraw(amount_wei: int | None, operator: Operator = OPERATOR) -> DraftCall:
    amount = None if amount_wei is None else Wei(amount_wei)
    return drafts.withdraw_earnings(operator, amount_wei=amount, at=AT)


@pytest.mark.parametrize(
    ("draft", "function", "arguments"),
    [
        (lambda: declare(11_000), "declareOperatorFee", (7, 11_000 * UNIT)),
        (lambda: declare(0), "declareOperatorFee", (7, 0)),
        (lambda: execute(DECLARED, 1_500), "executeOperatorFee", (7,)),
        (lambda: execute(DECLARED, None), "executeOperatorFee", (7,)),
        (lambda: drafts.cancel_fee(DECLARED), "cancelDeclaredOperatorFee", (7,)),
        (
            lambda: drafts.reduce_fee(OPERATOR, PARAMETERS, fee_wei=9_999 * UNIT),
            "reduceOperatorFee",
            (7, 9_999 * UNIT),
        ),
        (lambda: withdraw(None), "withdrawAllOperatorEarnings", (7,)),
        (lambda: withdraw(500 * UNIT), "withdrawOperatorEarnings", (7, 500 * UNIT)),
        (lambda: drafts.remove_operator(OPERATOR, at=AT), "removeOperator", (7,)),
        (
            lambda: drafts.for_all("setOperatorsPrivateUnchecked", [OPERATOR]),
            "setOperatorsPrivateUnchecked",
            ((7,),),
        ),
    ],
)
def test_what_is_right_becomes_a_call_for_the_owner(
    draft: Callable[[], DraftCall], function: str, arguments: tuple[object, ...]
) -> None:
    made = draft()
    assert made.sender == OPERATOR.owner
    assert made.value_wei == 0
    assert decode_call(made.data, source="the draft") == (function, arguments)


@pytest.mark.parametrize(
    ("draft", "code"),
    [
        (lambda: declare(11_001), "fee_out_of_bounds"),
        (lambda: declare(99), "fee_out_of_bounds"),
        (lambda: declare(10_000), "fee_unchanged"),
        (lambda: drafts.declare_fee(OPERATOR, PARAMETERS, fee_wei=1), "not_whole_units"),
        (
            lambda: declare(100, replace(OPERATOR, fee_units=FeeUnits(0))),
            "fee_increase_not_allowed",
        ),
        (lambda: declare(11_000, REMOVED), "operator_removed"),
        (lambda: execute(OPERATOR, 1_500), "fee_not_declared"),
        (lambda: execute(DECLARED, 2_001), "fee_window_over"),
        (lambda: drafts.cancel_fee(OPERATOR), "fee_not_declared"),
        (
            lambda: drafts.reduce_fee(OPERATOR, PARAMETERS, fee_wei=10_000 * UNIT),
            "fee_out_of_bounds",
        ),
        (lambda: drafts.reduce_fee(OPERATOR, PARAMETERS, fee_wei=99 * UNIT), "fee_out_of_bounds"),
        (lambda: withdraw(501 * UNIT), "underfunded"),
        (lambda: withdraw(0), "amount_zero"),
        (lambda: withdraw(1), "not_whole_units"),
        (lambda: withdraw(None, replace(OPERATOR, credit_units=FeeUnits(0))), "underfunded"),
        (lambda: drafts.remove_operator(REMOVED, at=AT), "operator_removed"),
        (
            lambda: drafts.for_all(
                "setOperatorsPrivateUnchecked",
                [OPERATOR, replace(builders.operator(8), owner=builders.address(3))],
            ),
            "owners_differ",
        ),
        (
            lambda: drafts.register_operator(
                PARAMETERS, key=b"", fee_wei=20_001 * UNIT, is_private=False, sender=None
            ),
            "fee_out_of_bounds",
        ),
        (lambda: drafts.public_key_bytes("no key"), "operator_key_malformed"),
    ],
)
def test_what_the_contract_would_refuse_is_refused(
    draft: Callable[[], DraftCall], code: str
) -> None:
    with pytest.raises(PhalanxError) as failure:
        draft()
    assert failure.value.code == code


def test_a_fee_that_cannot_be_executed_yet_is_a_warning() -> None:
    assert execute(DECLARED, 1_500).warnings == ()
    assert "1000" in execute(DECLARED, 999).warnings[0]
