"""The worked example of docs/fees.md."""

from __future__ import annotations

from sdk.registry import effects, ledger, runway
from sdk.testing import builders
from sdk.types import BlockNumber
from sdk.units import format_ether

START, DAY = BlockNumber(0), BlockNumber(7200)
PARTIES = builders.parties(
    builders.snapshot(validators=2, balance_wei=5 * 10**15), effective_balance_eth=96
)


def test_rates_and_runway_of_the_example() -> None:
    threshold = ledger.liquidation_threshold_wei(PARTIES, effective_balance_eth=96)
    assert ledger.fee_rate_units(PARTIES) == 106_309
    assert ledger.burn_rate_wei(PARTIES) == 31_892_700_000
    assert format_ether(threshold) == "0.001600694613"
    assert runway.runway_blocks(PARTIES, at=START) == 106_585
    assert runway.liquidation_block(PARTIES, at=START) == 106_586


def test_accounts_of_the_example_after_a_day() -> None:
    settled = effects.settle(PARTIES, at=DAY)
    assert settled.usage_units == 2_296_274_400
    assert format_ether(settled.parties.cluster.snapshot.balance_wei) == "0.00477037256"
    assert {operator.credit_units for operator in settled.parties.operators} == {382_320_000}
    assert settled.parties.network.credit_units == 766_994_400


def test_payments_of_the_example_after_a_day() -> None:
    more = runway.deposit_needed_wei(PARTIES, for_blocks=216_000, at=DAY)
    third = runway.deposit_needed_wei(PARTIES, for_blocks=216_000, at=DAY, new_validators=1)
    assert format_ether(runway.withdrawable_wei(PARTIES, at=DAY)) == "0.003169677947"
    assert format_ether(more) == "0.003719145253"
    assert format_ether(third) == "0.006548984524"
