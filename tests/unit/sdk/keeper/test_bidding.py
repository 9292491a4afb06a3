"""Fees of a call: never more than it brings, and enough to replace one that is stuck."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdk.keeper.bidding import (
    TRANSFER_GAS,
    Bid,
    Limits,
    Market,
    Refrain,
    Why,
    bid,
    outbid,
    withdrawal,
)

GWEI = 10**9
MILLI = 10**15
LIMITS = Limits(max_tip_wei=5 * GWEI, min_profit_wei=MILLI // 10)
CALM = Market(base_fee_wei=8 * GWEI, tip_wei=GWEI)
wei = st.integers(0, 10**12)


def offered(
    reward: int = 2 * MILLI,
    gas: int = 80_000,
    market: Market = CALM,
    limits: Limits = LIMITS,
    funds: int | None = 10**18,
) -> Bid:
    found = bid(reward_wei=reward, gas=gas, market=market, limits=limits, funds_wei=funds)
    assert isinstance(found, Bid), found
    return found


def test_gas_is_paid_at_the_highest_base_fee_of_the_next_block() -> None:
    found = offered()
    assert found.gas_limit == 96_000
    assert found.tip_wei == GWEI
    assert found.profit_wei == 2 * MILLI - 96_000 * (9 + 1) * GWEI


@pytest.mark.parametrize(
    ("reward", "funds", "why", "missing"),
    [
        (96_000 * 10 * GWEI + MILLI // 10 - 1, 10**18, Why.UNPROFITABLE, 1),
        (2 * MILLI, 96_000 * 10 * GWEI - 1, Why.POOR, 1),
        (2 * MILLI, 0, Why.POOR, 96_000 * 10 * GWEI),
    ],
)
def test_what_does_not_pay_is_left_with_the_reason_and_what_is_missing(
    reward: int, funds: int, why: Why, missing: int
) -> None:
    found = bid(reward_wei=reward, gas=80_000, market=CALM, limits=LIMITS, funds_wei=funds)
    assert isinstance(found, Refrain)
    assert (found.why, found.missing_wei) == (why, missing)


def test_exactly_the_least_profit_is_enough() -> None:
    found = offered(96_000 * 10 * GWEI + MILLI // 10, funds=96_000 * 10 * GWEI)
    assert found.profit_wei == LIMITS.min_profit_wei
    assert found.max_fee_wei == 10 * GWEI


def test_tip_is_bounded_by_the_user() -> None:
    assert offered(market=Market(8 * GWEI, 50 * GWEI)).tip_wei == LIMITS.max_tip_wei


@given(
    reward=st.integers(0, 10**17),
    gas=st.integers(21_000, 5_000_000),
    base=wei,
    tip=wei,
    profit=st.integers(0, 10**16),
    funds=st.none() | st.integers(0, 10**17),
)
def test_a_bid_never_costs_more_than_it_brings_or_than_there_is(
    reward: int, gas: int, base: int, tip: int, profit: int, funds: int | None
) -> None:
    limits = Limits(max_tip_wei=5 * GWEI, min_profit_wei=profit)
    found = bid(
        reward_wei=reward, gas=gas, market=Market(base, tip), limits=limits, funds_wei=funds
    )
    if isinstance(found, Refrain):
        assert found.missing_wei > 0
        return
    assert found.gas_limit > gas
    assert reward - found.most_cost_wei >= profit
    assert funds is None or found.most_cost_wei <= funds
    assert found.max_fee_wei >= Market(base, tip).most_base_fee_wei + found.tip_wei


@given(reward=st.integers(10**15, 10**17), base=wei, tip=wei, later=wei)
def test_a_replacement_pays_a_tenth_more_and_stays_within_the_limits(
    reward: int, base: int, tip: int, later: int
) -> None:
    first = bid(
        reward_wei=reward, gas=80_000, market=Market(base, tip), limits=LIMITS, funds_wei=None
    )
    fresh = bid(
        reward_wei=reward, gas=80_000, market=Market(later, tip), limits=LIMITS, funds_wei=None
    )
    if isinstance(first, Refrain) or isinstance(fresh, Refrain):
        return
    better = outbid(first, fresh, LIMITS)
    if better is None:
        return
    assert 10 * better.tip_wei >= 11 * first.tip_wei
    assert 10 * better.max_fee_wei >= 11 * first.max_fee_wei
    assert better.tip_wei <= LIMITS.max_tip_wei
    assert reward - better.most_cost_wei >= LIMITS.min_profit_wei


def test_nothing_is_replaced_beyond_the_limits() -> None:
    first = offered(market=Market(8 * GWEI, 5 * GWEI))
    assert outbid(first, first, LIMITS) is None
    tight = offered(96_000 * 10 * GWEI + MILLI // 10)
    assert outbid(tight, tight, LIMITS) is None


def test_freeing_a_nonce_costs_less_than_the_call_could_have() -> None:
    first = offered()
    free = withdrawal(first, CALM)
    assert free is not None
    assert free.gas_limit == TRANSFER_GAS
    assert 10 * free.max_fee_wei >= 11 * first.max_fee_wei
    assert free.most_cost_wei <= first.most_cost_wei
    assert withdrawal(first, Market(10**15, GWEI)) is None
