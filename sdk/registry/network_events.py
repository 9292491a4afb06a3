"""Reducer, part three: events of the network's account, parameters and ownership.

Pure. Parameters are stored as announced: their bounds are the contract's business.
"""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from sdk.events.governance import (
    BeaconVerifierFrozen,
    BeaconVerifierUpdated,
    DebtCovered,
    DeclareOperatorFeePeriodUpdated,
    ExecuteOperatorFeePeriodUpdated,
    Initialized,
    LiquidationThresholdPeriodUpdated,
    MinimumLiquidationCollateralUpdated,
    MinimumOperatorEthFeeUpdated,
    NetworkEarningsWithdrawn,
    NetworkFeeUpdated,
    OperatorFeeIncreaseLimitUpdated,
    OperatorMaximumFeeUpdated,
    OwnershipTransferred,
    OwnershipTransferStarted,
    Upgraded,
    UpgradeRightRenounced,
    ValidatorsPerOperatorLimitUpdated,
)
from sdk.registry import effects
from sdk.registry.changes import NetworkChanged
from sdk.registry.ledger import settle_network
from sdk.registry.outcome import Applied, Aspect, Divergence, EventContext
from sdk.registry.records import Network, Parameters
from sdk.types import ADDRESS_BYTES, Address, FeeUnits
from sdk.units import units_down, units_to_wei

MoneyEvent = NetworkFeeUpdated | NetworkEarningsWithdrawn | DebtCovered
ParameterEvent = (
    OperatorFeeIncreaseLimitUpdated
    | DeclareOperatorFeePeriodUpdated
    | ExecuteOperatorFeePeriodUpdated
    | LiquidationThresholdPeriodUpdated
    | MinimumLiquidationCollateralUpdated
    | OperatorMaximumFeeUpdated
    | MinimumOperatorEthFeeUpdated
    | ValidatorsPerOperatorLimitUpdated
    | BeaconVerifierUpdated
    | BeaconVerifierFrozen
    | Upgraded
    | Initialized
    | UpgradeRightRenounced
    | OwnershipTransferStarted
    | OwnershipTransferred
)
_NO_ADDRESS = Address(bytes(ADDRESS_BYTES))


def network_money(network: Network, event: MoneyEvent, at: EventContext) -> Applied:
    """Change the network's fee, credit or debt, after settling it."""
    settled = settle_network(network, at=at.block)
    divergences: list[Divergence] = []
    match event:
        case NetworkFeeUpdated():
            expected_wei = units_to_wei(network.fee_units)
            if expected_wei != event.old_fee_wei:
                divergences.append(Divergence(Aspect.FEE, None, expected_wei, event.old_fee_wei))
            units = units_down(event.new_fee_wei)
            if units_to_wei(units) != event.new_fee_wei:
                divergences.append(
                    Divergence(Aspect.FEE, None, units_to_wei(units), event.new_fee_wei)
                )
            after = effects.change_network_fee(settled, fee_units=units, at=at.block)
        case NetworkEarningsWithdrawn():
            paid = FeeUnits(min(settled.credit_units, units_down(event.value_wei)))
            if units_to_wei(paid) != event.value_wei:
                divergences.append(
                    Divergence(Aspect.CREDIT, None, units_to_wei(paid), event.value_wei)
                )
            after = effects.withdraw_network_earnings(settled, units=paid, at=at.block)
        case DebtCovered():
            after = effects.cover_debt(settled, value_wei=event.amount_wei, at=at.block)
        case _:
            assert_never(event)
    return Applied((NetworkChanged(network, after),), divergences=tuple(divergences))


def network_parameter(network: Network, event: ParameterEvent) -> Applied:
    """Store what governance announced."""
    divergences: tuple[Divergence, ...] = ()
    if isinstance(event, OwnershipTransferred):
        expected = network.parameters.owner or _NO_ADDRESS
        if expected != event.previous_owner:
            divergences = (Divergence(Aspect.OWNER, None, expected, event.previous_owner),)
    parameters = _with(network.parameters, event)
    change = NetworkChanged(network, replace(network, parameters=parameters))
    return Applied((change,), divergences=divergences)


def _with(parameters: Parameters, event: ParameterEvent) -> Parameters:
    match event:
        case OperatorFeeIncreaseLimitUpdated():
            return replace(parameters, fee_increase_limit_per_10000=event.limit_per_10000)
        case DeclareOperatorFeePeriodUpdated():
            return replace(parameters, declare_period_s=event.period_seconds)
        case ExecuteOperatorFeePeriodUpdated():
            return replace(parameters, execute_period_s=event.period_seconds)
        case LiquidationThresholdPeriodUpdated():
            return replace(parameters, liquidation_period_blocks=event.period_blocks)
        case MinimumLiquidationCollateralUpdated():
            return replace(parameters, minimum_collateral_wei=event.collateral_wei)
        case OperatorMaximumFeeUpdated():
            return replace(parameters, maximum_operator_fee_wei=event.fee_wei)
        case MinimumOperatorEthFeeUpdated():
            return replace(parameters, minimum_operator_fee_wei=event.fee_wei)
        case ValidatorsPerOperatorLimitUpdated():
            return replace(parameters, validators_per_operator_limit=event.limit)
        case BeaconVerifierUpdated():
            return replace(parameters, beacon_verifier=_present(event.verifier))
        case BeaconVerifierFrozen():
            return replace(parameters, verifier_is_frozen=True)
        case Upgraded():
            return replace(parameters, implementation=event.implementation)
        case Initialized():
            return parameters
        case UpgradeRightRenounced():
            return replace(parameters, upgrades_renounced=True)
        case OwnershipTransferStarted():
            return replace(parameters, pending_owner=_present(event.new_owner))
        case OwnershipTransferred():
            return replace(parameters, owner=_present(event.new_owner), pending_owner=None)
        case _:
            assert_never(event)


def _present(address: Address) -> Address | None:
    """The address, None for the zero address."""
    return None if address == _NO_ADDRESS else address
