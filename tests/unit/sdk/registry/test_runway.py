from __future__ import annotations

import pytest

from sdk.errors import InputError
from sdk.registry import Parties, effects, runway
from sdk.testing import builders
from sdk.types import BlockNumber, Wei
from sdk.units import FEE_UNIT_WEI

START = BlockNumber(0)


def parties(balance_units: int, *, validators: int = 1, period_blocks: int = 10) -> Parties:
    """Burns 2 units a block per validator; 20 units must stay per validator."""
    return builders.parties(
        builders.snapshot(validators=validators, balance_wei=balance_units * FEE_UNIT_WEI),
        fee_units=(1, 0, 0, 0),
        network_fee_units=1,
        period_blocks=period_blocks,
        collateral_wei=1,
    )


@pytest.mark.parametrize(
    ("balance_units", "at", "blocks", "liquidation_at"),
    [(40, 0, 10, 11), (41, 0, 10, 11), (42, 0, 11, 12), (40, 4, 6, 11), (20, 0, 0, 1)],
)
def test_runway_is_the_last_safe_block_and_liquidation_the_next(
    balance_units: int, at: int, blocks: int, liquidation_at: int
) -> None:
    found = parties(balance_units)
    assert runway.runway_blocks(found, at=BlockNumber(at)) == blocks
    assert runway.liquidation_block(found, at=BlockNumber(at)) == liquidation_at


def test_no_runway_when_liquidatable_already() -> None:
    assert runway.runway_blocks(parties(19), at=START) == 0
    assert runway.liquidation_block(parties(19), at=START) == START


@pytest.mark.parametrize(
    "endless",
    [
        parties(100, validators=0),
        builders.parties(fee_units=(0, 0, 0, 0), network_fee_units=0),
        builders.parties(builders.snapshot(active=False)),
        builders.parties(collateral_wei=0, period_blocks=0),
    ],
)
def test_cluster_that_never_becomes_liquidatable_has_no_end(endless: Parties) -> None:
    assert runway.runway_blocks(endless, at=START) is None
    assert runway.liquidation_block(endless, at=START) is None


def test_nothing_needs_to_be_paid_for_a_runway_without_an_end() -> None:
    endless = builders.parties(collateral_wei=0, period_blocks=0)
    assert runway.deposit_needed_wei(endless, for_blocks=10**9, at=START) == 0


def test_deposit_needed_reaches_the_runway_and_one_unit_less_does_not() -> None:
    now = BlockNumber(5)
    needed = runway.deposit_needed_wei(parties(40), for_blocks=30, at=now)
    enough = effects.deposit(parties(40), value_wei=needed)
    short = effects.deposit(parties(40), value_wei=Wei(needed - FEE_UNIT_WEI))
    assert runway.runway_blocks(enough, at=now) == 30
    assert runway.runway_blocks(short, at=now) == 29


def test_deposit_for_new_validators_counts_their_burn_and_collateral() -> None:
    # 2 validators: 10 blocks burn 40 units, 40 must stay; 40 are there.
    assert (
        runway.deposit_needed_wei(parties(40), for_blocks=10, at=START, new_validators=1)
        == 40 * FEE_UNIT_WEI
    )


def test_deposit_for_a_liquidated_cluster_starts_from_what_is_left() -> None:
    inactive = builders.parties(
        builders.snapshot(active=False, balance_wei=5 * FEE_UNIT_WEI),
        fee_units=(1, 0, 0, 0),
        network_fee_units=1,
        period_blocks=10,
        collateral_wei=1,
    )
    assert runway.deposit_needed_wei(inactive, for_blocks=10, at=START) == 35 * FEE_UNIT_WEI
    with pytest.raises(InputError) as failure:
        runway.deposit_needed_wei(inactive, for_blocks=10, at=START, new_validators=1)
    assert failure.value.code == "cluster_liquidated"


def test_no_deposit_is_needed_where_enough_is_there_or_nothing_runs() -> None:
    assert runway.deposit_needed_wei(parties(400), for_blocks=10, at=START) == 0
    assert runway.deposit_needed_wei(parties(0, validators=0), for_blocks=10, at=START) == 0


def test_negative_numbers_are_refused() -> None:
    with pytest.raises(InputError):
        runway.deposit_needed_wei(parties(1), for_blocks=-1, at=START)
    with pytest.raises(InputError):
        runway.deposit_needed_wei(parties(1), for_blocks=1, at=START, new_validators=-1)


@pytest.mark.parametrize(
    ("found", "units"),
    [
        (parties(40), 10),
        (parties(21), 0),
        (parties(40, validators=0), 40),
        (builders.parties(builders.snapshot(active=False, balance_wei=FEE_UNIT_WEI)), 1),
    ],
)
def test_threshold_stays_when_withdrawing_with_validators(found: Parties, units: int) -> None:
    assert runway.withdrawable_wei(found, at=BlockNumber(5)) == units * FEE_UNIT_WEI
