from __future__ import annotations

from dataclasses import replace

import pytest

from sdk.errors import InvariantBroken
from sdk.registry import Parties, effects, ledger
from sdk.testing import builders
from sdk.types import BlockNumber, FeeUnits, Wei
from sdk.units import FEE_UNIT_WEI, units_to_wei

ETHER = builders.ETHER


def block(number: int) -> BlockNumber:
    return BlockNumber(number)


def test_operator_earns_per_block_and_32_ether_rounded_down() -> None:
    operator = builders.operator(fee_units=10, effective_balance_eth=33)
    settled = ledger.settle_operator(operator, at=block(3))
    assert settled.credit_units == 3 * 10 * 33 // 32 == 30
    assert settled.index_units == 30
    assert settled.block == 3


def test_removed_operator_is_frozen() -> None:
    operator = builders.operator(fee_units=10, effective_balance_eth=64)
    removed, paid = effects.remove_operator(operator, at=block(5))
    assert paid == 100
    assert removed.index_units == 50
    assert (removed.fee_units, removed.credit_units, removed.effective_balance_eth) == (0, 0, 0)
    assert ledger.settle_operator(removed, at=block(900)) == removed
    assert ledger.operator_index(removed, at=block(900)) == 50


def test_credit_saturates_instead_of_overflowing() -> None:
    full = replace(
        builders.operator(fee_units=10, effective_balance_eth=32),
        credit_units=FeeUnits(ledger.MAX_CREDIT_UNITS - 5),
    )
    assert ledger.settle_operator(full, at=block(1)).credit_units == ledger.MAX_CREDIT_UNITS


def test_usage_rounds_up() -> None:
    parties = builders.parties(
        builders.snapshot(balance_wei=ETHER),
        effective_balance_eth=33,
        fee_units=(1, 1, 1, 1),
        network_fee_units=1,
    )
    settlement = ledger.settle_cluster(parties, at=block(1))
    assert settlement.usage_units == 6  # 5 · 33 / 32 = 5.16
    assert settlement.snapshot == builders.snapshot(
        network_fee_index=1, index=4, balance_wei=ETHER - 6 * FEE_UNIT_WEI
    )
    assert settlement.shortfall_units == 0


def test_balance_stops_at_zero_and_the_rest_is_a_shortfall_rounded_up() -> None:
    parties = builders.parties(
        builders.snapshot(balance_wei=2 * FEE_UNIT_WEI + 1),
        fee_units=(1, 1, 1, 1),
        network_fee_units=1,
    )
    settlement = ledger.settle_cluster(parties, at=block(1))
    assert settlement.snapshot.balance_wei == 0
    assert settlement.shortfall_units == 3


def test_inactive_cluster_uses_nothing() -> None:
    struct = builders.snapshot(active=False)
    parties = builders.parties(struct)
    assert ledger.settle_cluster(parties, at=block(1000)).snapshot == struct
    assert ledger.burn_rate_wei(parties) == 0
    assert not ledger.is_liquidatable(parties, at=block(1000))


def test_burn_rate_is_exact_for_any_effective_balance() -> None:
    parties = builders.parties(
        effective_balance_eth=33, fee_units=(1, 0, 0, 0), network_fee_units=0
    )
    assert ledger.burn_rate_wei(parties) == 100_000 * 33 // 32 == 103_125


@pytest.mark.parametrize(
    ("credit", "debt", "units", "expected"),
    [
        (5, 0, 3, (8, 0)),
        (5, 0, -3, (2, 0)),
        (5, 0, -8, (0, 3)),
        (0, 5, 3, (0, 2)),
        (0, 5, 8, (3, 0)),
        (0, 5, -3, (0, 8)),
    ],
)
def test_shortfall_takes_network_credit_first_and_income_pays_debt_first(
    credit: int, debt: int, units: int, expected: tuple[int, int]
) -> None:
    booked = ledger.book(builders.network(credit_units=credit, debt_units=debt), FeeUnits(units))
    assert (booked.credit_units, booked.uncovered_debt_units) == expected


def test_network_income_pays_uncovered_debt_when_settled() -> None:
    network = builders.network(fee_units=4, effective_balance_eth=32, debt_units=10)
    assert ledger.settle_network(network, at=block(2)).uncovered_debt_units == 2
    assert ledger.settle_network(network, at=block(3)).credit_units == 2


@pytest.mark.parametrize(
    ("balance_wei", "at", "expected"),
    [
        (10 * FEE_UNIT_WEI, 0, False),
        (10 * FEE_UNIT_WEI - 1, 0, True),
        (12 * FEE_UNIT_WEI, 1, False),
        (12 * FEE_UNIT_WEI - 1, 1, True),
    ],
)
def test_liquidatable_strictly_below_the_fees_of_the_period(
    balance_wei: int, at: int, expected: bool
) -> None:
    parties = builders.parties(
        builders.snapshot(balance_wei=balance_wei),
        fee_units=(1, 0, 0, 0),
        network_fee_units=1,
        period_blocks=5,
        collateral_wei=1,
    )
    assert ledger.is_liquidatable(parties, at=block(at)) is expected


def test_liquidatable_below_the_minimum_collateral_even_without_fees() -> None:
    def parties(balance_wei: int) -> Parties:
        return builders.parties(
            builders.snapshot(balance_wei=balance_wei),
            fee_units=(0, 0, 0, 0),
            network_fee_units=0,
            collateral_wei=500_000,
        )

    assert ledger.is_liquidatable(parties(499_999), at=block(0))
    assert not ledger.is_liquidatable(parties(500_000), at=block(0))


def test_cluster_without_validators_is_never_liquidatable() -> None:
    parties = builders.parties(builders.snapshot(validators=0, balance_wei=0))
    assert not ledger.is_liquidatable(parties, at=block(10**6))


def test_threshold_rounds_the_period_up_to_the_unit() -> None:
    parties = builders.parties(
        fee_units=(1, 0, 0, 0), network_fee_units=0, period_blocks=1, collateral_wei=0
    )
    assert ledger.liquidation_threshold_wei(parties, effective_balance_eth=33) == units_to_wei(2)


@pytest.mark.parametrize(
    ("balance", "collateral", "base_fee", "bounty"),
    [(10, 100, 0, 10), (1000, 100, 0, 200), (10**9, 100, 10, 3_000_000), (0, 100, 10, 0)],
)
def test_bounty_is_bounded_by_twice_the_collateral_or_the_gas(
    balance: int, collateral: int, base_fee: int, bounty: int
) -> None:
    found = ledger.bounty_wei(
        balance_wei=Wei(balance),
        minimum_collateral_wei=Wei(collateral),
        base_fee_wei=Wei(base_fee),
    )
    assert found == bounty


def test_reading_an_account_before_its_last_settlement_is_a_bug() -> None:
    settled = ledger.settle_operator(builders.operator(), at=block(9))
    with pytest.raises(InvariantBroken, match="block 9 cannot be read at block 8"):
        ledger.settle_operator(settled, at=block(8))
