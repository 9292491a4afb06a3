from __future__ import annotations

import pytest

from sdk.events import Event, governance, types
from sdk.registry import (
    Aspect,
    Divergence,
    Parameters,
    RegistryState,
    apply,
)
from sdk.testing import builders
from sdk.types import ADDRESS_BYTES, Address, BlockNumber, OperatorId, Wei

OWNER = builders.address(7)
NOBODY = Address(bytes(ADDRESS_BYTES))
ONE, TWO = builders.operator_ids(1, 2)
FEE_WEI = Wei(1_770_000_000)


def run(state: RegistryState, event: Event, *, block: int = 10) -> tuple[Divergence, ...]:
    applied = apply(state, event, builders.at(block, timestamp_s=1000))
    state.commit(applied.changes)
    return applied.divergences


def state_with_operators(*ids: OperatorId) -> RegistryState:
    state = RegistryState(builders.network())
    for operator_id in ids or (ONE, TWO):
        run(state, types.OperatorAdded(operator_id, OWNER, b"key", FEE_WEI), block=1)
    return state


def test_operator_starts_public_with_an_empty_account_at_its_block() -> None:
    operator = state_with_operators().operators[TWO]
    assert (operator.owner, operator.fee_units, operator.block) == (OWNER, 17_700, 1)
    assert (operator.index_units, operator.credit_units, operator.is_private) == (0, 0, False)


def test_gap_in_operator_ids_is_reported() -> None:
    state = state_with_operators(ONE)
    event = types.OperatorAdded(OperatorId(3), OWNER, b"key", FEE_WEI)
    assert run(state, event) == (Divergence(Aspect.OPERATOR_ORDER, 3, 2, 3),)
    assert OperatorId(3) in state.operators


def test_second_registration_of_an_id_changes_nothing() -> None:
    state = state_with_operators()
    before = state.operators[ONE]
    event = types.OperatorAdded(ONE, builders.address(9), b"other", FEE_WEI)
    assert run(state, event) == (Divergence(Aspect.OPERATOR, ONE, None, ONE),)
    assert state.operators[ONE] == before


def test_fee_that_is_no_multiple_of_the_unit_is_reported_and_rounded_down() -> None:
    state = RegistryState()
    event = types.OperatorAdded(ONE, OWNER, b"key", Wei(100_001))
    assert run(state, event) == (Divergence(Aspect.FEE, ONE, 100_000, 100_001),)
    assert state.operators[ONE].fee_units == 1


def test_declared_fee_gets_its_window_from_the_timestamp_and_the_periods() -> None:
    state = state_with_operators()
    run(state, governance.DeclareOperatorFeePeriodUpdated(60))
    run(state, governance.ExecuteOperatorFeePeriodUpdated(30))
    run(state, types.OperatorFeeDeclared(OWNER, ONE, BlockNumber(10), Wei(200_000)))
    declared = state.operators[ONE].declared_fee
    assert declared is not None
    assert (declared.fee_units, declared.begin_s, declared.end_s) == (2, 1060, 1090)
    assert state.operators[ONE].fee_units == 17_700


def test_declared_fee_without_a_timestamp_has_no_window() -> None:
    state = state_with_operators()
    event = types.OperatorFeeDeclared(OWNER, ONE, BlockNumber(10), Wei(200_000))
    state.commit(apply(state, event, builders.at(10)).changes)
    declared = state.operators[ONE].declared_fee
    assert declared is not None
    assert (declared.begin_s, declared.end_s) == (None, None)


@pytest.mark.parametrize(
    ("event", "fee_units"),
    [
        (types.OperatorFeeDeclarationCancelled(OWNER, ONE), 17_700),
        (types.OperatorFeeExecuted(OWNER, ONE, BlockNumber(10), Wei(200_000)), 2),
    ],
)
def test_cancelled_or_executed_declaration_is_gone(event: Event, fee_units: int) -> None:
    state = state_with_operators()
    run(state, types.OperatorFeeDeclared(OWNER, ONE, BlockNumber(10), Wei(300_000)))
    assert run(state, event) == ()
    assert state.operators[ONE].declared_fee is None
    assert state.operators[ONE].fee_units == fee_units


def test_executed_fee_holds_from_its_block_on() -> None:
    state = state_with_operators()
    run(state, types.OperatorFeeExecuted(OWNER, ONE, BlockNumber(10), Wei(200_000)))
    assert state.operators[ONE].index_units == 9 * 17_700


def test_fee_event_that_names_another_block_is_reported() -> None:
    event = types.OperatorFeeExecuted(OWNER, ONE, BlockNumber(9), Wei(200_000))
    assert run(state_with_operators(), event) == (Divergence(Aspect.BLOCK, ONE, 10, 9),)


def test_withdrawal_above_the_credit_is_reported_and_empties_it() -> None:
    state = state_with_operators()
    event = types.OperatorWithdrawn(OWNER, ONE, Wei(100_000))
    assert run(state, event) == (Divergence(Aspect.CREDIT, ONE, 0, 100_000),)
    assert state.operators[ONE].credit_units == 0


def test_removed_operator_takes_no_further_event() -> None:
    state = state_with_operators()
    run(state, types.OperatorRemoved(ONE))
    removed = state.operators[ONE]
    assert removed.removed_at == 10
    for event in (
        types.OperatorRemoved(ONE),
        types.OperatorFeeExecuted(OWNER, ONE, BlockNumber(10), Wei(200_000)),
        types.OperatorWithdrawn(OWNER, ONE, Wei(100_000)),
        types.OperatorPrivacyStatusUpdated((ONE,), True),
        types.OperatorWhitelistingContractUpdated((ONE,), OWNER),
    ):
        assert run(state, event) == (Divergence(Aspect.OPERATOR, ONE, None, ONE),)
    assert state.operators[ONE] == removed


def test_privacy_is_set_for_each_listed_operator() -> None:
    state = state_with_operators()
    event = types.OperatorPrivacyStatusUpdated((ONE, OperatorId(9), TWO, ONE), True)
    assert run(state, event) == (Divergence(Aspect.OPERATOR, 9, None, 9),)
    assert state.operators[ONE].is_private
    assert state.operators[TWO].is_private


def test_zero_address_removes_the_whitelisting_contract() -> None:
    state = state_with_operators()
    contract = builders.address(50)
    run(state, types.OperatorWhitelistingContractUpdated((ONE, TWO), contract))
    run(state, types.OperatorWhitelistingContractUpdated((ONE,), NOBODY))
    assert state.operators[ONE].whitelisting_contract is None
    assert state.operators[TWO].whitelisting_contract == contract


def test_whitelists_hold_each_pair_of_operator_and_address() -> None:
    state = state_with_operators()
    alice, bob = builders.address(60), builders.address(61)
    run(state, types.OperatorMultipleWhitelistUpdated((ONE, TWO), (alice, bob, alice)))
    event = types.OperatorMultipleWhitelistRemoved((ONE, OperatorId(9)), (bob, OWNER))
    assert run(state, event) == (Divergence(Aspect.OPERATOR, 9, None, 9),)
    assert [state.admits(ONE, alice), state.admits(ONE, bob)] == [True, False]
    assert [state.admits(TWO, alice), state.admits(TWO, bob)] == [True, True]


def test_every_parameter_event_sets_its_parameter() -> None:
    state = RegistryState()
    verifier, first, second = builders.address(1), builders.address(2), builders.address(3)
    code = builders.address(4)
    events: list[Event] = [
        governance.OperatorFeeIncreaseLimitUpdated(1000),
        governance.DeclareOperatorFeePeriodUpdated(2),
        governance.ExecuteOperatorFeePeriodUpdated(3),
        governance.LiquidationThresholdPeriodUpdated(4),
        governance.MinimumLiquidationCollateralUpdated(Wei(5)),
        governance.OperatorMaximumFeeUpdated(Wei(6)),
        governance.MinimumOperatorEthFeeUpdated(Wei(7)),
        governance.ValidatorsPerOperatorLimitUpdated(8),
        governance.BeaconVerifierUpdated(verifier),
        governance.BeaconVerifierFrozen(verifier),
        governance.Upgraded(code),
        governance.Initialized(1),
        governance.UpgradeRightRenounced(),
        governance.OwnershipTransferred(NOBODY, first),
        governance.OwnershipTransferStarted(first, second),
    ]
    for event in events:
        assert run(state, event) == ()
    assert state.network.parameters == Parameters(
        fee_increase_limit_per_10000=1000,
        declare_period_s=2,
        execute_period_s=3,
        liquidation_period_blocks=4,
        minimum_collateral_wei=Wei(5),
        maximum_operator_fee_wei=Wei(6),
        minimum_operator_fee_wei=Wei(7),
        validators_per_operator_limit=8,
        beacon_verifier=verifier,
        verifier_is_frozen=True,
        implementation=code,
        upgrades_renounced=True,
        owner=first,
        pending_owner=second,
    )
    assert run(state, governance.OwnershipTransferred(first, second)) == ()
    assert state.network.parameters.owner == second
    assert state.network.parameters.pending_owner is None


def test_ownership_handed_over_by_someone_else_is_reported() -> None:
    event = governance.OwnershipTransferred(builders.address(2), builders.address(3))
    expected = Divergence(Aspect.OWNER, None, NOBODY, builders.address(2))
    assert run(RegistryState(), event) == (expected,)


def test_network_fee_changes_after_settling_and_must_name_the_old_one() -> None:
    state = RegistryState(builders.network(fee_units=5, effective_balance_eth=32))
    event = governance.NetworkFeeUpdated(Wei(400_000), Wei(700_001))
    assert run(state, event) == (
        Divergence(Aspect.FEE, None, 500_000, 400_000),
        Divergence(Aspect.FEE, None, 700_000, 700_001),
    )
    assert (state.network.fee_units, state.network.credit_units) == (7, 50)


def test_network_earnings_and_covered_debt_are_booked() -> None:
    state = RegistryState(builders.network(fee_units=5, effective_balance_eth=32, debt_units=60))
    assert run(state, governance.DebtCovered(OWNER, Wei(2_000_000))) == ()
    assert state.network.credit_units == 50 + 20 - 60
    assert run(state, governance.NetworkEarningsWithdrawn(Wei(900_000), OWNER)) == ()
    too_much = governance.NetworkEarningsWithdrawn(Wei(200_000), OWNER)
    assert run(state, too_much) == (Divergence(Aspect.CREDIT, None, 100_000, 200_000),)
    assert state.network.credit_units == 0


def test_fee_recipient_belongs_to_the_owner() -> None:
    state = RegistryState()
    run(state, types.FeeRecipientAddressUpdated(OWNER, builders.address(3)))
    run(state, types.FeeRecipientAddressUpdated(OWNER, builders.address(4)))
    assert state.account(OWNER).fee_recipient == builders.address(4)
    assert state.account(OWNER).next_nonce == 0
