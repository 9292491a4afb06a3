from __future__ import annotations

from dataclasses import replace

import pytest

from sdk.errors import InvariantBroken
from sdk.registry import Parties, effects, ledger
from sdk.testing import builders
from sdk.types import BlockNumber, FeeUnits, Wei
from sdk.units import FEE_UNIT_WEI

AT = BlockNumber(10)
SMALL = builders.parties(
    builders.snapshot(validators=2, balance_wei=1000 * FEE_UNIT_WEI),
    fee_units=(1, 1, 1, 1),
    network_fee_units=1,
)


def sums(parties: Parties) -> list[tuple[int, int]]:
    """Validator count and effective balance of each operator, then of the network."""
    return [
        *((party.validator_count, party.effective_balance_eth) for party in parties.operators),
        (parties.network.validator_count, parties.network.effective_balance_eth),
    ]


def balance_units(parties: Parties) -> int:
    return parties.cluster.snapshot.balance_wei // FEE_UNIT_WEI


def with_removed_operator(parties: Parties) -> Parties:
    removed, _ = effects.remove_operator(parties.operators[0], at=AT)
    return replace(parties, operators=(removed, *parties.operators[1:]))


def test_registration_settles_at_the_old_effective_balance_then_adds_32_each() -> None:
    after = effects.register(SMALL, validators=3, deposit_wei=Wei(FEE_UNIT_WEI), at=AT)
    assert balance_units(after) == 1000 + 1 - 10 * 5 * 2
    assert after.cluster.effective_balance_eth == 160
    assert after.cluster.snapshot.validator_count == after.cluster.validator_count == 5
    assert sums(after) == [(5, 160)] * 5


def test_deposit_joins_before_a_registration_settles() -> None:
    poor = effects.deposit(SMALL, value_wei=Wei(-1000 * FEE_UNIT_WEI))
    after = effects.register(poor, validators=1, deposit_wei=Wei(120 * FEE_UNIT_WEI), at=AT)
    assert balance_units(after) == 20
    assert after.network.uncovered_debt_units == 0


def test_removal_of_validators_settles_then_takes_their_effective_balance() -> None:
    after = effects.remove(SMALL, validators=1, effective_balance_eth=32, at=AT)
    assert balance_units(after) == 900
    assert sums(after) == [(1, 32)] * 5


def test_removal_from_a_liquidated_cluster_changes_only_the_cluster() -> None:
    inactive = effects.liquidate(SMALL, at=AT).parties
    after = effects.remove(inactive, validators=1, effective_balance_eth=32, at=BlockNumber(99))
    assert after.cluster.validator_count == 1
    assert after.cluster.effective_balance_eth == 32
    assert (after.operators, after.network) == (inactive.operators, inactive.network)


def test_deposit_settles_nothing() -> None:
    after = effects.deposit(SMALL, value_wei=Wei(7))
    expected = replace(SMALL.cluster.snapshot, balance_wei=Wei(1000 * FEE_UNIT_WEI + 7))
    assert after == replace(SMALL, cluster=replace(SMALL.cluster, snapshot=expected))


def test_withdrawal_settles_the_cluster_only() -> None:
    after = effects.withdraw(SMALL, value_wei=Wei(FEE_UNIT_WEI), at=AT)
    assert balance_units(after) == 899
    assert after.cluster.snapshot.index == 40
    assert (after.operators, after.network) == (SMALL.operators, SMALL.network)


def test_withdrawal_books_a_shortfall_where_no_collateral_is_required() -> None:
    empty = effects.deposit(SMALL, value_wei=Wei(-1000 * FEE_UNIT_WEI))
    after = effects.withdraw(empty, value_wei=Wei(0), at=AT)
    assert after.network.uncovered_debt_units == 100 - 20  # the network's own income is 20


def test_liquidation_leaves_the_sums_and_zero_indexes() -> None:
    outcome = effects.liquidate(SMALL, at=AT, paid_at_most_wei=Wei(300 * FEE_UNIT_WEI))
    assert outcome.paid_wei == 300 * FEE_UNIT_WEI
    assert outcome.parties.cluster.snapshot == builders.snapshot(
        validators=2, active=False, balance_wei=600 * FEE_UNIT_WEI
    )
    assert sums(outcome.parties) == [(0, 0)] * 5
    assert outcome.parties.operators[0].credit_units == 20


def test_owner_who_liquidates_takes_everything() -> None:
    outcome = effects.liquidate(SMALL, at=AT)
    assert outcome.paid_wei == 900 * FEE_UNIT_WEI
    assert outcome.parties.cluster.snapshot.balance_wei == 0


def test_late_liquidation_leaves_debt_that_operators_do_not_bear() -> None:
    outcome = effects.liquidate(SMALL, at=BlockNumber(300))
    assert outcome.paid_wei == 0
    assert [operator.credit_units for operator in outcome.parties.operators] == [600] * 4
    # 3000 used, 1000 paid: 600 of the missing 2000 are the network's own income.
    assert outcome.parties.network.credit_units == 0
    assert outcome.parties.network.uncovered_debt_units == 1400


def test_debt_added_by_a_settlement_is_what_credit_does_not_bear() -> None:
    settled = effects.settle(SMALL, at=BlockNumber(300))
    assert (settled.shortfall_units, settled.debt_added_units) == (2000, 1400)
    again = effects.settle(settled.parties, at=BlockNumber(300))
    assert (again.usage_units, again.debt_added_units) == (0, 0)
    assert again.parties == settled.parties


def test_reactivation_starts_at_todays_indexes() -> None:
    inactive = effects.liquidate(SMALL, at=AT).parties
    after = effects.reactivate(inactive, deposit_wei=Wei(5), at=BlockNumber(30))
    assert after.cluster.snapshot == builders.snapshot(
        validators=2, network_fee_index=30, index=120, balance_wei=5
    )
    assert sums(after) == [(2, 64)] * 5


def test_removed_operator_is_skipped_in_both_directions() -> None:
    """Subtracting what was never added made later liquidations of the reference revert."""
    proven = effects.prove(SMALL, deposit_wei=Wei(0), difference_eth=4000, at=AT)
    parties = with_removed_operator(proven)
    for _ in range(2):
        parties = effects.liquidate(parties, at=BlockNumber(20)).parties
        assert sums(parties) == [(0, 0)] * 5
        parties = effects.reactivate(parties, deposit_wei=Wei(10**12), at=BlockNumber(20))
        assert sums(parties) == [(0, 0), *[(2, 4064)] * 4]
    parties = effects.remove(parties, validators=2, effective_balance_eth=4064, at=BlockNumber(21))
    assert sums(parties) == [(0, 0)] * 5


def test_removed_operator_keeps_its_index_in_the_cluster() -> None:
    parties = with_removed_operator(SMALL)
    assert ledger.cluster_index(parties, at=BlockNumber(20)) == 10 + 3 * 20


def test_proof_settles_at_the_old_effective_balance() -> None:
    after = effects.prove(SMALL, deposit_wei=Wei(FEE_UNIT_WEI), difference_eth=32, at=AT)
    assert balance_units(after) == 1001 - 100
    assert sums(after) == [(2, 96)] * 5


def test_proof_for_a_liquidated_cluster_is_recorded_only() -> None:
    inactive = effects.liquidate(SMALL, at=AT).parties
    after = effects.prove(inactive, deposit_wei=Wei(0), difference_eth=32, at=BlockNumber(30))
    assert after.cluster.effective_balance_eth == 96
    assert (after.operators, after.network) == (inactive.operators, inactive.network)


def test_fee_change_does_not_act_backwards() -> None:
    operator = builders.operator(fee_units=2, effective_balance_eth=32)
    changed = effects.change_operator_fee(operator, fee_units=FeeUnits(100), at=AT)
    assert changed.credit_units == changed.index_units == 20
    assert ledger.settle_operator(changed, at=BlockNumber(11)).credit_units == 120


def test_network_fee_change_does_not_act_backwards() -> None:
    network = builders.network(fee_units=2, effective_balance_eth=32)
    changed = effects.change_network_fee(network, fee_units=FeeUnits(100), at=AT)
    assert (changed.credit_units, changed.index_units) == (20, 20)


def test_covering_more_than_the_debt_becomes_credit() -> None:
    network = builders.network(fee_units=0, debt_units=5)
    covered = effects.cover_debt(network, value_wei=Wei(8 * FEE_UNIT_WEI + 1), at=AT)
    assert (covered.credit_units, covered.uncovered_debt_units) == (3, 0)


@pytest.mark.parametrize("units", [20, 1])
def test_operator_withdraws_what_it_earned(units: int) -> None:
    operator = builders.operator(fee_units=2, effective_balance_eth=32)
    after = effects.withdraw_earnings(operator, units=FeeUnits(units), at=AT)
    assert after.credit_units == 20 - units


def test_calls_that_the_contract_reverts_are_bugs_here() -> None:
    inactive = effects.liquidate(SMALL, at=AT).parties
    operator = builders.operator(fee_units=2, effective_balance_eth=32)
    with pytest.raises(InvariantBroken):
        effects.liquidate(inactive, at=AT)
    with pytest.raises(InvariantBroken):
        effects.register(inactive, validators=1, deposit_wei=Wei(0), at=AT)
    with pytest.raises(InvariantBroken):
        effects.reactivate(SMALL, deposit_wei=Wei(0), at=AT)
    with pytest.raises(InvariantBroken):
        effects.withdraw(SMALL, value_wei=Wei(900 * FEE_UNIT_WEI + 1), at=AT)
    with pytest.raises(InvariantBroken):
        effects.remove(SMALL, validators=3, effective_balance_eth=96, at=AT)
    with pytest.raises(InvariantBroken):
        effects.withdraw_earnings(operator, units=FeeUnits(21), at=AT)
    with pytest.raises(InvariantBroken):
        effects.withdraw_network_earnings(SMALL.network, units=FeeUnits(21), at=AT)
