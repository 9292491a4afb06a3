"""Governance calls: bounds in the contract's order, then effect (contracts.md 10 and 18)."""

from __future__ import annotations

from collections.abc import Callable

from sdk.events import governance as events
from sdk.registry import Parameters, ledger
from sdk.types import ADDRESS_BYTES, Address, Wei
from sdk.units import FEE_UNIT_WEI, units_down, units_to_wei
from tests.contracts.invariants.call import Call
from tests.contracts.invariants.model import FuzzModel
from tests.contracts.invariants.rules.clusters import INSUFFICIENT, NOT_PAID, done
from tests.contracts.registry_in_evm import Failure

NO_ADDRESS = Address(bytes(ADDRESS_BYTES))
DAY_S, HOUR_S = 86_400, 3_600
HIGHEST_NETWORK_FEE_WEI = 38_000_000_000
HIGHEST_COLLATERAL_WEI = 5 * 10**16
SHORTEST_PERIOD_BLOCKS, LONGEST_PERIOD_BLOCKS = 21_480, 432_000
HIGHEST_INCREASE_LIMIT = 10_000
HIGHEST_VALIDATOR_LIMIT = 2**16 - 1
MOST_FEE_UNITS = 2**30 - 1
NOT_OWNER = Failure("CallerNotOwner")
OUT_OF_BOUNDS = Failure("ParameterOutOfBounds")
IMPRECISE = Failure("MaxPrecisionExceeded")


def network_fee(model: FuzzModel, call: Call) -> Failure | None:
    """`updateNetworkFee(fee)`."""
    (fee_wei,) = call.arguments
    current = model.state.network.fee_units
    if _is_stranger(model, call):
        return NOT_OWNER
    if fee_wei % FEE_UNIT_WEI:
        return IMPRECISE
    units = units_down(fee_wei)
    if fee_wei > HIGHEST_NETWORK_FEE_WEI or not is_step(current, units):
        return OUT_OF_BOUNDS
    return done(model.update_network_fee(units))


def withdraw_earnings(model: FuzzModel, call: Call) -> Failure | None:
    """`withdrawNetworkEarnings(amount)`."""
    (amount_wei,) = call.arguments
    if _is_stranger(model, call):
        return NOT_OWNER
    if amount_wei % FEE_UNIT_WEI:
        return IMPRECISE
    units = units_down(amount_wei)
    settled = ledger.settle_network(model.state.network, at=model.block)
    if settled.uncovered_debt_units or units > settled.credit_units:
        return INSUFFICIENT
    if not model.can_pay(call.sender, amount_wei):
        return NOT_PAID
    return done(model.withdraw_network_earnings(call.sender, units=units))


def increase_limit(model: FuzzModel, call: Call) -> Failure | None:
    """`updateOperatorFeeIncreaseLimit(percentage)`."""
    (limit,) = call.arguments
    current = _parameters(model).fee_increase_limit_per_10000
    if _is_stranger(model, call):
        return NOT_OWNER
    if limit > HIGHEST_INCREASE_LIMIT:
        return Failure("InvalidOperatorFeeIncreaseLimit")
    if not is_step(current, limit):
        return OUT_OF_BOUNDS
    model.change_parameters(fee_increase_limit_per_10000=limit)
    model.emit(events.OperatorFeeIncreaseLimitUpdated(limit))
    return None


def declare_period(model: FuzzModel, call: Call) -> Failure | None:
    """`updateDeclareOperatorFeePeriod(timeInSeconds)`."""
    (seconds,) = call.arguments
    failure = _number_failure(
        model, call, seconds, _parameters(model).declare_period_s, DAY_S, 30 * DAY_S
    )
    if failure is None:
        model.change_parameters(declare_period_s=seconds)
        model.emit(events.DeclareOperatorFeePeriodUpdated(seconds))
    return failure


def execute_period(model: FuzzModel, call: Call) -> Failure | None:
    """`updateExecuteOperatorFeePeriod(timeInSeconds)`."""
    (seconds,) = call.arguments
    failure = _number_failure(
        model, call, seconds, _parameters(model).execute_period_s, HOUR_S, 30 * DAY_S
    )
    if failure is None:
        model.change_parameters(execute_period_s=seconds)
        model.emit(events.ExecuteOperatorFeePeriodUpdated(seconds))
    return failure


def liquidation_period(model: FuzzModel, call: Call) -> Failure | None:
    """`updateLiquidationThresholdPeriod(blocks)`."""
    (blocks,) = call.arguments
    if not _is_stranger(model, call) and blocks < SHORTEST_PERIOD_BLOCKS:
        return Failure("NewBlockPeriodIsBelowMinimum")
    current = _parameters(model).liquidation_period_blocks
    failure = _number_failure(
        model, call, blocks, current, SHORTEST_PERIOD_BLOCKS, LONGEST_PERIOD_BLOCKS
    )
    if failure is None:
        model.change_parameters(liquidation_period_blocks=blocks)
        model.emit(events.LiquidationThresholdPeriodUpdated(blocks))
    return failure


def collateral(model: FuzzModel, call: Call) -> Failure | None:
    """`updateMinimumLiquidationCollateral(amount)`."""
    (amount_wei,) = call.arguments
    current = units_down(_parameters(model).minimum_collateral_wei)
    if not _is_stranger(model, call) and amount_wei % FEE_UNIT_WEI:
        return IMPRECISE
    units, highest = units_down(amount_wei), units_down(HIGHEST_COLLATERAL_WEI)
    failure = _number_failure(model, call, units, current, 1, highest)
    if failure is None:
        model.change_parameters(minimum_collateral_wei=Wei(amount_wei))
        model.emit(events.MinimumLiquidationCollateralUpdated(amount_wei))
    return failure


def maximum_fee(model: FuzzModel, call: Call) -> Failure | None:
    """`updateMaximumOperatorFee(maxFee)`."""
    (fee_wei,) = call.arguments
    parameters = _parameters(model)
    if _is_stranger(model, call):
        return NOT_OWNER
    if fee_wei % FEE_UNIT_WEI:
        return IMPRECISE
    if fee_wei > units_to_wei(MOST_FEE_UNITS):
        return Failure("MaxValueExceeded")
    if fee_wei < parameters.minimum_operator_fee_wei:
        return Failure("InvalidOperatorFeeRange")
    if not is_step(units_down(parameters.maximum_operator_fee_wei), units_down(fee_wei)):
        return OUT_OF_BOUNDS
    model.change_parameters(maximum_operator_fee_wei=Wei(fee_wei))
    model.emit(events.OperatorMaximumFeeUpdated(fee_wei))
    return None


def minimum_fee(model: FuzzModel, call: Call) -> Failure | None:
    """`updateMinimumOperatorEthFee(minFee)`."""
    (fee_wei,) = call.arguments
    parameters = _parameters(model)
    if _is_stranger(model, call):
        return NOT_OWNER
    if fee_wei % FEE_UNIT_WEI:
        return IMPRECISE
    if fee_wei > parameters.maximum_operator_fee_wei:
        return Failure("InvalidOperatorFeeRange")
    if not is_step(units_down(parameters.minimum_operator_fee_wei), units_down(fee_wei)):
        return OUT_OF_BOUNDS
    model.change_parameters(minimum_operator_fee_wei=Wei(fee_wei))
    model.emit(events.MinimumOperatorEthFeeUpdated(fee_wei))
    return None


def validator_limit(model: FuzzModel, call: Call) -> Failure | None:
    """`updateValidatorsPerOperatorLimit(limit)`."""
    (limit,) = call.arguments
    current = _parameters(model).validators_per_operator_limit
    failure = _number_failure(model, call, limit, current, 1, HIGHEST_VALIDATOR_LIMIT)
    if failure is None:
        model.change_parameters(validators_per_operator_limit=limit)
        model.emit(events.ValidatorsPerOperatorLimitUpdated(limit))
    return failure


def verifier(model: FuzzModel, call: Call) -> Failure | None:
    """`updateBeaconVerifier(verifier)`."""
    (address,) = call.arguments
    if _is_stranger(model, call):
        return NOT_OWNER
    if address != NO_ADDRESS and address not in model.surroundings.contracts:
        return Failure("NotAContract", (address,))
    model.change_parameters(beacon_verifier=None if address == NO_ADDRESS else address)
    model.emit(events.BeaconVerifierUpdated(address))
    return None


def transfer_ownership(model: FuzzModel, call: Call) -> Failure | None:
    """`transferOwnership(newOwner)`."""
    (address,) = call.arguments
    if _is_stranger(model, call):
        return NOT_OWNER
    model.change_parameters(pending_owner=None if address == NO_ADDRESS else address)
    model.emit(events.OwnershipTransferStarted(call.sender, address))
    return None


def accept_ownership(model: FuzzModel, call: Call) -> Failure | None:
    """`acceptOwnership()`."""
    parameters = _parameters(model)
    if call.sender != parameters.pending_owner:
        return NOT_OWNER
    model.change_parameters(owner=call.sender, pending_owner=None)
    model.emit(events.OwnershipTransferred(parameters.owner or NO_ADDRESS, call.sender))
    return None


def cover_debt(model: FuzzModel, call: Call) -> Failure | None:
    """`coverDebt()`."""
    return done(model.cover_debt(call.sender, value_wei=Wei(call.value_wei)))


def is_step(current: int, value: int) -> bool:
    """Whether a parameter may change so far at once: at most twice, at least half; any from 0.

    Amounts are given in units.
    """
    return current == 0 or current // 2 <= value <= 2 * current


def _is_stranger(model: FuzzModel, call: Call) -> bool:
    return call.sender != _parameters(model).owner


def _parameters(model: FuzzModel) -> Parameters:
    return model.state.network.parameters


def _number_failure(
    model: FuzzModel, call: Call, value: int, current: int, lowest: int, highest: int
) -> Failure | None:
    if _is_stranger(model, call):
        return NOT_OWNER
    if not lowest <= value <= highest or not is_step(current, value):
        return OUT_OF_BOUNDS
    return None


RULES: dict[str, Callable[[FuzzModel, Call], Failure | None]] = {
    "updateNetworkFee": network_fee,
    "withdrawNetworkEarnings": withdraw_earnings,
    "updateOperatorFeeIncreaseLimit": increase_limit,
    "updateDeclareOperatorFeePeriod": declare_period,
    "updateExecuteOperatorFeePeriod": execute_period,
    "updateLiquidationThresholdPeriod": liquidation_period,
    "updateMinimumLiquidationCollateral": collateral,
    "updateMaximumOperatorFee": maximum_fee,
    "updateMinimumOperatorEthFee": minimum_fee,
    "updateValidatorsPerOperatorLimit": validator_limit,
    "updateBeaconVerifier": verifier,
    "transferOwnership": transfer_ownership,
    "acceptOwnership": accept_ownership,
    "coverDebt": cover_debt,
}
