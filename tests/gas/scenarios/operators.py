"""Operators: registration, fees, earnings, removal; and an owner's fee recipient."""

from __future__ import annotations

from tests.gas.bench import OPERATOR_FEE_WEI, PERIOD_S, Bench
from tests.gas.scenarios.steady import IDLE_OPERATOR, new_operator

HIGHER_FEE_WEI = OPERATOR_FEE_WEI * 105 // 100
LOWER_FEE_WEI = OPERATOR_FEE_WEI * 9 // 10
BLOCKS_OF_EARNINGS = 100


def measure_registrations(bench: Bench) -> None:
    """The first three operators of a registry; the first one also starts the counter."""
    for row, private in (
        ("register_operator_first", False),
        ("register_operator", False),
        ("register_operator_private", True),
    ):
        arguments = new_operator(bench, private=private)
        bench.measure(row, "registerOperator", *arguments, sender=bench.actors.operators)


def _measure_fees(bench: Bench) -> None:
    operator, sender = 1, bench.actors.operators
    bench.measure(
        "declare_operator_fee", "declareOperatorFee", operator, HIGHER_FEE_WEI, sender=sender
    )
    bench.measure("cancel_declared_fee", "cancelDeclaredOperatorFee", operator, sender=sender)
    bench.send("declareOperatorFee", operator, HIGHER_FEE_WEI, sender=sender)
    bench.chain.pass_time(PERIOD_S + PERIOD_S // 2)
    bench.measure("execute_operator_fee", "executeOperatorFee", operator, sender=sender)
    bench.measure(
        "reduce_operator_fee", "reduceOperatorFee", operator, LOWER_FEE_WEI, sender=sender
    )


def _measure_earnings(bench: Bench) -> None:
    operator, sender = 1, bench.actors.operators
    bench.chain.mine(BLOCKS_OF_EARNINGS)
    amount_wei = OPERATOR_FEE_WEI * BLOCKS_OF_EARNINGS // 2
    bench.measure(
        "withdraw_operator_earnings",
        "withdrawOperatorEarnings",
        *(operator, amount_wei),
        sender=sender,
    )
    bench.measure(
        "withdraw_all_operator_earnings", "withdrawAllOperatorEarnings", operator, sender=sender
    )


def _measure_removals(bench: Bench) -> None:
    bench.chain.mine(BLOCKS_OF_EARNINGS)
    for row, operator in (("no_earnings", IDLE_OPERATOR), ("with_earnings", 1)):
        sender = bench.actors.operators
        bench.measure(f"remove_operator_{row}", "removeOperator", operator, sender=sender)


def _measure_fee_recipient(bench: Bench) -> None:
    recipient, owner = bench.address(), bench.actors.owner
    bench.measure("set_fee_recipient", "setFeeRecipientAddress", recipient, sender=owner)


SCENARIOS = (_measure_fees, _measure_earnings, _measure_removals, _measure_fee_recipient)
