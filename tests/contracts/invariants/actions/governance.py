"""Governance turns every knob within and beyond its bounds; anyone may cover the debt."""

from __future__ import annotations

from sdk.registry import ledger
from sdk.types import ADDRESS_BYTES, Address
from sdk.units import FEE_UNIT_WEI, units_to_wei
from tests.contracts.invariants.call import Call
from tests.contracts.invariants.world import World

NO_ADDRESS = Address(bytes(ADDRESS_BYTES))


def update(world: World) -> Call:
    """A parameter up or down by at most a factor of two, mostly."""
    rng = world.rng
    parameters = world.follower.network.parameters
    name, value, unit = rng.choice(
        [
            ("updateLiquidationThresholdPeriod", parameters.liquidation_period_blocks, 1),
            ("updateMinimumLiquidationCollateral", parameters.minimum_collateral_wei, FEE_UNIT_WEI),
            ("updateOperatorFeeIncreaseLimit", parameters.fee_increase_limit_per_10000, 1),
            ("updateDeclareOperatorFeePeriod", parameters.declare_period_s, 1),
            ("updateExecuteOperatorFeePeriod", parameters.execute_period_s, 1),
            ("updateMaximumOperatorFee", parameters.maximum_operator_fee_wei, FEE_UNIT_WEI),
            ("updateMinimumOperatorEthFee", parameters.minimum_operator_fee_wei, FEE_UNIT_WEI),
            ("updateValidatorsPerOperatorLimit", parameters.validators_per_operator_limit, 1),
        ]
    )
    return Call(name, _governor(world), (_step(world, value, unit),))


def update_fee(world: World) -> Call:
    """The network fee, or now and then the verifier."""
    rng = world.rng
    if rng.random() < 0.15:
        verifier = world.traits.parameters.beacon_verifier
        chosen = rng.choices([verifier, NO_ADDRESS, world.cast.stranger], [6, 1, 1])[0]
        return Call("updateBeaconVerifier", _governor(world), (chosen,))
    fee_wei = units_to_wei(world.follower.network.fee_units)
    return Call("updateNetworkFee", _governor(world), (_step(world, fee_wei, FEE_UNIT_WEI),))


def withdraw_earnings(world: World) -> Call:
    """What the network earned, or a unit more."""
    rng = world.rng
    credit = ledger.settle_network(world.follower.network, at=world.block).credit_units
    units = rng.choice([0, credit, credit + 1, rng.randrange(credit + 1)])
    return Call("withdrawNetworkEarnings", _governor(world), (units_to_wei(units),))


def hand_over(world: World) -> Call:
    """Ownership is offered, taken back, accepted."""
    rng = world.rng
    pending = world.follower.network.parameters.pending_owner
    if pending is not None and rng.random() < 0.7:
        return Call("acceptOwnership", pending)
    heir = rng.choice([world.cast.heir, world.cast.governance, NO_ADDRESS])
    return Call("transferOwnership", _governor(world), (heir,))


def cover_debt(world: World) -> Call:
    """A gift of the whole debt, a part, or to no purpose."""
    rng = world.rng
    network = ledger.settle_network(world.follower.network, at=world.block)
    debt_wei = units_to_wei(network.uncovered_debt_units)
    amount_wei = rng.choice([debt_wei, debt_wei + 1, rng.randrange(debt_wei + 1), 0, 99_999])
    return Call("coverDebt", world.cast.stranger, (), amount_wei)


def _governor(world: World) -> Address:
    owner = world.follower.network.parameters.owner
    return owner if owner is not None else world.cast.governance


def _step(world: World, value: int, unit: int) -> int:
    rng = world.rng
    target = rng.choice(
        [
            2 * value,
            value // 2,
            value,
            rng.randrange(value // 2, 2 * value + 1),
            rng.randrange(1, 1000),
        ]
        if rng.random() < 0.9
        else [0, 2 * value + unit, value // 2 - unit, 2**31, 2**32 - 1]
    )
    whole = max(0, target) // unit * unit
    return whole + 1 if unit > 1 and rng.random() < 0.05 else whole
