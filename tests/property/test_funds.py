"""All figures of a cluster at once are those that the ledger and the runway give one by one."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from sdk.registry import Parties, ledger, runway
from sdk.registry.funds import Funds, funds
from sdk.testing import builders
from sdk.types import BlockNumber, FeeUnits
from sdk.units import FEE_UNIT_WEI

small_fees = st.integers(0, 7)


@st.composite
def clusters(draw: st.DrawFn) -> Parties:
    """Any cluster: liquidated, empty, without fees, with removed operators, at its last wei."""
    validators = draw(st.integers(0, 3))
    made = builders.parties(
        builders.snapshot(
            validators=validators,
            active=draw(st.booleans()),
            balance_wei=draw(st.integers(0, 400 * FEE_UNIT_WEI)),
        ),
        effective_balance_eth=draw(st.integers(32 * validators, 200)),
        fee_units=tuple(draw(small_fees) for _ in range(4)),
        network_fee_units=draw(small_fees),
        period_blocks=draw(st.integers(0, 12)),
        collateral_wei=draw(st.integers(0, 20 * FEE_UNIT_WEI)),
    )
    removed = replace(
        made.operators[0], fee_units=FeeUnits(0), removed_at=BlockNumber(0), index_units=FeeUnits(3)
    )
    if draw(st.booleans()):
        return replace(made, operators=(removed, *made.operators[1:]))
    return made


@given(clusters(), st.integers(0, 300))
def test_figures_at_once_are_those_of_the_reference(parties: Parties, block: int) -> None:
    at, cluster = BlockNumber(block), parties.cluster
    assert funds(parties, at=at) == Funds(
        balance_wei=ledger.settle_cluster(parties, at=at).snapshot.balance_wei,
        burn_rate_wei=ledger.burn_rate_wei(parties),
        collateral_wei=ledger.liquidation_threshold_wei(
            parties, effective_balance_eth=cluster.effective_balance_eth
        ),
        withdrawable_wei=runway.withdrawable_wei(parties, at=at),
        liquidation_block=runway.liquidation_block(parties, at=at),
    )
