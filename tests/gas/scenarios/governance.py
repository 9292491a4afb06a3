"""Governance: each parameter once, from one plausible value to another."""

from __future__ import annotations

from tests.gas.bench import MINIMUM_COLLATERAL_WEI, PERIOD_S, Bench

BLOCKS_OF_EARNINGS = 100
LOWER_FEE_WEI = 3_000_000_000


def measure(bench: Bench) -> None:
    """All rows, in the order of the report."""
    sender = bench.actors.governance
    bench.measure("dao_update_network_fee", "updateNetworkFee", LOWER_FEE_WEI, sender=sender)
    bench.chain.mine(BLOCKS_OF_EARNINGS)
    amount_wei = LOWER_FEE_WEI * BLOCKS_OF_EARNINGS // 2
    bench.measure(
        "dao_withdraw_network_earnings", "withdrawNetworkEarnings", amount_wei, sender=sender
    )
    for row, function, value in (
        ("dao_operator_fee_increase_limit", "updateOperatorFeeIncreaseLimit", 1_500),
        ("dao_declare_period", "updateDeclareOperatorFeePeriod", PERIOD_S * 3 // 2),
        ("dao_execute_period", "updateExecuteOperatorFeePeriod", PERIOD_S * 3 // 2),
        ("dao_max_operator_fee", "updateMaximumOperatorFee", 9_000_000_000_000),
        ("dao_liquidation_threshold", "updateLiquidationThresholdPeriod", 60_000),
        (
            "dao_min_collateral",
            "updateMinimumLiquidationCollateral",
            MINIMUM_COLLATERAL_WEI * 3 // 2,
        ),
    ):
        bench.measure(row, function, value, sender=sender)
