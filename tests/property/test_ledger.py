"""The fee arithmetic against its laws and against brute force."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from sdk.registry import Parties, effects, ledger, runway
from sdk.testing import builders
from sdk.types import BlockNumber, FeeUnits, Wei
from sdk.units import FEE_UNIT_WEI, units_down

small_fees = st.integers(0, 7)
steps = st.lists(st.integers(0, 50), min_size=1, max_size=12)


@st.composite
def clusters(draw: st.DrawFn, *, balance_units: int = 400, collateral: int = 0) -> Parties:
    """An active cluster small enough for brute force, with any effective balance."""
    validators = draw(st.integers(1, 3))
    return builders.parties(
        builders.snapshot(
            validators=validators,
            balance_wei=draw(st.integers(0, balance_units * FEE_UNIT_WEI)),
        ),
        effective_balance_eth=draw(st.integers(32 * validators, 200)),
        fee_units=tuple(draw(small_fees) for _ in range(4)),
        network_fee_units=draw(small_fees),
        period_blocks=draw(st.integers(0, 12)),
        collateral_wei=draw(st.integers(collateral, 20 * FEE_UNIT_WEI)),
    )


@given(clusters(balance_units=10**9), steps)
def test_settling_often_costs_the_cluster_less_than_a_unit_per_settlement(
    parties: Parties, elapsed: list[int]
) -> None:
    parties = effects.deposit(parties, value_wei=Wei(10**15))
    block = BlockNumber(0)
    often = parties
    for blocks in elapsed:
        block = BlockNumber(block + blocks)
        often = effects.settle(often, at=block).parties
    once = effects.settle(parties, at=block).parties
    lost_wei = once.cluster.snapshot.balance_wei - often.cluster.snapshot.balance_wei
    assert 0 <= lost_wei < len(elapsed) * FEE_UNIT_WEI
    for frequent, rare in zip(often.operators, once.operators, strict=True):
        assert frequent.index_units == rare.index_units
        assert 0 <= rare.credit_units - frequent.credit_units < len(elapsed)
    assert 0 <= once.network.credit_units - often.network.credit_units < len(elapsed)
    same = replace(often.cluster.snapshot, balance_wei=once.cluster.snapshot.balance_wei)
    assert same == once.cluster.snapshot


@given(clusters(balance_units=10**9), st.integers(0, 1000))
def test_what_is_paid_is_never_less_than_what_is_credited(parties: Parties, blocks: int) -> None:
    parties = effects.deposit(parties, value_wei=Wei(10**15))
    settled = effects.settle(parties, at=BlockNumber(blocks))
    credited: int = sum(operator.credit_units for operator in settled.parties.operators)
    credited += settled.parties.network.credit_units
    exact = Fraction(
        blocks * ledger.fee_rate_units(parties) * parties.cluster.effective_balance_eth, 32
    )
    assert credited <= exact <= settled.usage_units < exact + 1


@given(st.lists(st.integers(-50, 50), max_size=5), st.integers(0, 40))
def test_incomes_and_shortfalls_may_arrive_in_any_order(moves: list[int], credit: int) -> None:
    outcomes = set()
    for order in permutations(moves):
        network = builders.network(credit_units=credit)
        for units in order:
            network = ledger.book(network, FeeUnits(units))
        outcomes.add((network.credit_units, network.uncovered_debt_units))
    assert outcomes == {(max(credit + sum(moves), 0), max(-credit - sum(moves), 0))}


@given(clusters(), steps)
def test_uncovered_debt_does_not_depend_on_when_it_is_settled(
    parties: Parties, elapsed: list[int]
) -> None:
    """With 32 ETH steps nothing rounds, so often and once agree to the unit."""
    parties = replace(
        parties,
        cluster=replace(
            parties.cluster,
            effective_balance_eth=64,
            snapshot=replace(parties.cluster.snapshot, balance_wei=Wei(90 * FEE_UNIT_WEI)),
        ),
        operators=tuple(replace(o, effective_balance_eth=64) for o in parties.operators),
        network=replace(parties.network, effective_balance_eth=64),
    )
    block = BlockNumber(0)
    often = parties
    for blocks in elapsed:
        block = BlockNumber(block + blocks)
        often = effects.settle(often, at=block).parties
    assert often == effects.settle(parties, at=block).parties


def _last_safe(parties: Parties, at: int, limit: int) -> int | None:
    """Largest distance at which the cluster is not liquidatable, by trying; None above `limit`."""
    for distance in range(limit + 1):
        if ledger.is_liquidatable(parties, at=BlockNumber(at + distance)):
            return distance - 1
    return None


@settings(max_examples=200)
@given(clusters(collateral=1), st.integers(0, 20))
def test_runway_is_the_last_safe_block_found_by_trying(parties: Parties, at: int) -> None:
    limit = 450
    tried = _last_safe(parties, at, limit)
    found = runway.runway_blocks(parties, at=BlockNumber(at))
    burns = ledger.fee_rate_units(parties) > 0
    first = runway.liquidation_block(parties, at=BlockNumber(at))
    if tried is None:
        assert (found is None) if not burns else (found is not None and found >= limit)
    else:
        assert found == max(0, tried)
        assert first == at + tried + 1


@settings(max_examples=200)
@given(clusters(collateral=1), st.integers(0, 20), st.integers(0, 60), st.integers(0, 3))
def test_deposit_needed_is_the_smallest_that_lasts(
    parties: Parties, at: int, blocks: int, new_validators: int
) -> None:
    now = BlockNumber(at)
    needed = runway.deposit_needed_wei(
        parties, for_blocks=blocks, at=now, new_validators=new_validators
    )

    def lasts(value_wei: int) -> bool:
        paid = effects.deposit(parties, value_wei=Wei(value_wei))
        if new_validators:
            paid = effects.register(
                parties, validators=new_validators, deposit_wei=Wei(value_wei), at=now
            )
        return not ledger.is_liquidatable(paid, at=BlockNumber(at + blocks))

    assert needed % FEE_UNIT_WEI == 0
    assert lasts(needed)
    assert needed == 0 or not lasts(needed - FEE_UNIT_WEI)


@given(clusters(collateral=1), st.integers(0, 60))
def test_all_that_is_withdrawable_can_go_and_not_one_wei_more(parties: Parties, at: int) -> None:
    now = BlockNumber(at)
    amount = runway.withdrawable_wei(parties, at=now)
    if ledger.is_liquidatable(parties, at=now):
        assert amount == 0
        return
    after = effects.withdraw(parties, value_wei=amount, at=now)
    assert not ledger.is_liquidatable(after, at=now)
    if after.cluster.snapshot.balance_wei:
        more = effects.withdraw(parties, value_wei=Wei(amount + 1), at=now)
        assert ledger.is_liquidatable(more, at=now)


@given(clusters(), st.integers(0, 300), st.integers(0, 300))
def test_removed_operator_neither_earns_nor_costs(parties: Parties, first: int, then: int) -> None:
    removed, paid = effects.remove_operator(parties.operators[0], at=BlockNumber(first))
    after = replace(parties, operators=(removed, *parties.operators[1:]))
    end = BlockNumber(first + then)
    fee = parties.operators[0].fee_units
    assert paid == first * fee * parties.cluster.effective_balance_eth // 32
    assert ledger.cluster_index(after, at=end) == (
        ledger.cluster_index(parties, at=end) - then * fee
    )
    settled = effects.settle(after, at=end).parties
    assert settled.operators[0] == removed
    gone = effects.liquidate(settled, at=end).parties
    assert gone.operators[0] == removed
    assert [operator.effective_balance_eth for operator in gone.operators] == [0] * 4


@given(clusters(), st.integers(0, 300))
def test_burn_rate_times_blocks_is_the_usage_before_rounding(parties: Parties, blocks: int) -> None:
    usage_wei = ledger.burn_rate_wei(parties) * blocks
    usage = ledger.usage_units(parties, at=BlockNumber(blocks))
    assert units_down(usage_wei) <= usage <= units_down(usage_wei + FEE_UNIT_WEI - 1)
