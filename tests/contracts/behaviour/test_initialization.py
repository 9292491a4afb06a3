"""How a registry begins, and what it answers to calls it does not know (sections 10, 14; ADR 6)."""

from __future__ import annotations

from typing import Any

import pytest

from sdk.toolchain.deploy import DEFAULT_PARAMETERS, NO_ADDRESS
from tests.contracts.behaviour.abi import Contract, assert_logs, event, reverts, reverts_silently
from tests.contracts.behaviour.world import FEE_UNIT, World, initial_parameters

P = DEFAULT_PARAMETERS
MAX_FEE = (2**30 - 1) * FEE_UNIT


def test_the_initializer_reports_every_parameter_beginning_with_the_network_fee(
    world: World,
) -> None:
    assert_logs(
        world.initializer,
        world.registry.address,
        event("Upgraded", world.implementation.address),
        event("NetworkFeeUpdated", 0, P["networkFee"]),
        event("OperatorFeeIncreaseLimitUpdated", P["operatorFeeIncreaseLimit"]),
        event("DeclareOperatorFeePeriodUpdated", P["declareOperatorFeePeriod"]),
        event("ExecuteOperatorFeePeriodUpdated", P["executeOperatorFeePeriod"]),
        event("LiquidationThresholdPeriodUpdated", P["liquidationThresholdPeriod"]),
        event("MinimumLiquidationCollateralUpdated", P["minimumLiquidationCollateral"]),
        event("OperatorMaximumFeeUpdated", P["maximumOperatorFee"]),
        event("MinimumOperatorEthFeeUpdated", P["minimumOperatorFee"]),
        event("ValidatorsPerOperatorLimitUpdated", P["validatorsPerOperatorLimit"]),
        event("BeaconVerifierUpdated", NO_ADDRESS),
        event("OwnershipTransferred", NO_ADDRESS, world.governor),
        event("Initialized", 1),
    )


def test_a_new_registry_answers_what_it_was_given(world: World) -> None:
    registry = world.registry
    assert registry.owner() == world.governor
    assert registry.pendingOwner() == NO_ADDRESS
    assert registry.getNetworkFee() == P["networkFee"]
    assert registry.getLiquidationThresholdPeriod() == P["liquidationThresholdPeriod"]
    assert registry.getMinimumLiquidationCollateral() == P["minimumLiquidationCollateral"]
    assert registry.getMinimumOperatorEthFee() == P["minimumOperatorFee"]
    assert registry.getMaximumOperatorFee() == P["maximumOperatorFee"]
    assert registry.getValidatorsPerOperatorLimit() == P["validatorsPerOperatorLimit"]
    assert registry.getOperatorFeeIncreaseLimit() == P["operatorFeeIncreaseLimit"]
    periods = (P["declareOperatorFeePeriod"], P["executeOperatorFeePeriod"])
    assert registry.getOperatorFeePeriods() == periods
    assert registry.getBeaconVerifier() == (NO_ADDRESS, False)
    assert registry.getUpgradesRenounced() is False


def test_a_new_registry_is_empty_and_its_network_account_opens_at_its_block(world: World) -> None:
    registry, block = world.registry, world.initializer.block
    world.anvil.mine(2)
    now = world.anvil.block_number()
    assert registry.getRegistryCounters() == (0, 0, 0, now)
    assert registry.getNetworkValidatorsCount() == 0
    fee = P["networkFee"]
    index = (now - block) * fee // FEE_UNIT
    assert registry.getNetworkAccounting() == (now, fee, index, 0, 0, 0, 0)
    stored = int.from_bytes(registry.getNetworkWord(), "big")
    assert stored == block | (fee // FEE_UNIT) << 32


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"owner": NO_ADDRESS}, "ZeroAddress"),
        ({"networkFee": 1}, "MaxPrecisionExceeded"),
        ({"networkFee": 38_000_000_000 + FEE_UNIT}, "ParameterOutOfBounds"),
        ({"operatorFeeIncreaseLimit": 10_001}, "InvalidOperatorFeeIncreaseLimit"),
        ({"declareOperatorFeePeriod": 86_399}, "ParameterOutOfBounds"),
        ({"declareOperatorFeePeriod": 30 * 86_400 + 1}, "ParameterOutOfBounds"),
        ({"executeOperatorFeePeriod": 3_599}, "ParameterOutOfBounds"),
        ({"executeOperatorFeePeriod": 30 * 86_400 + 1}, "ParameterOutOfBounds"),
        ({"liquidationThresholdPeriod": 21_479}, "NewBlockPeriodIsBelowMinimum"),
        ({"liquidationThresholdPeriod": 432_001}, "ParameterOutOfBounds"),
        ({"minimumLiquidationCollateral": 0}, "ParameterOutOfBounds"),
        ({"minimumLiquidationCollateral": 1}, "MaxPrecisionExceeded"),
        ({"minimumLiquidationCollateral": 10**18 // 20 + FEE_UNIT}, "ParameterOutOfBounds"),
        ({"maximumOperatorFee": FEE_UNIT + 1}, "MaxPrecisionExceeded"),
        ({"maximumOperatorFee": MAX_FEE + FEE_UNIT}, "MaxValueExceeded"),
        ({"minimumOperatorFee": 1}, "MaxPrecisionExceeded"),
        ({"minimumOperatorFee": 2 * FEE_UNIT, "maximumOperatorFee": FEE_UNIT}, "range"),
        ({"validatorsPerOperatorLimit": 0}, "ParameterOutOfBounds"),
        ({"validatorsPerOperatorLimit": 65_536}, "ParameterOutOfBounds"),
    ],
    ids=lambda value: (
        "-".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else None
    ),
)
def test_no_registry_begins_with_a_parameter_out_of_bounds(
    world: World, changed: dict[str, Any], error: str
) -> None:
    with reverts("InvalidOperatorFeeRange" if error == "range" else error):
        world.another(**changed)


def test_a_verifier_given_at_the_start_must_be_a_contract(world: World) -> None:
    with reverts("NotAContract", world.bob):
        world.another(beaconVerifier=world.bob)
    verifier = world.create("OpenBeaconVerifier").address
    assert world.another(beaconVerifier=verifier).getBeaconVerifier() == (verifier, False)


def test_a_registry_needs_its_extension(world: World) -> None:
    with reverts("NotAContract", world.bob):
        world.create("Registry", world.bob)


def test_a_registry_is_initialised_once(world: World) -> None:
    given = initial_parameters(world.stranger)
    for sender in (world.governor, world.stranger):
        with reverts("InvalidInitialization"):
            world.registry.initialize(given, sender=sender)


def test_the_contracts_behind_the_proxy_cannot_be_initialised(world: World) -> None:
    given = initial_parameters(world.stranger)
    extension = Contract(world.anvil, world.extension.address, world.implementation.abi)
    for contract in (world.implementation, extension):
        with reverts("InvalidInitialization"):
            contract.initialize(given, sender=world.stranger)
        assert contract.owner() == NO_ADDRESS


# ------------------------------------------------------------------------------------ unknown calls


@pytest.mark.parametrize("value", [0, 1])
def test_a_call_of_an_unknown_function_is_refused(world: World, value: int) -> None:
    selector = bytes.fromhex("deadbeef")
    for data in (selector, selector + bytes(64)):
        with reverts("UnknownFunction", selector):
            world.anvil.transact(world.bob, world.registry.address, data, value)


@pytest.mark.parametrize("value", [0, 1, 10**18])
def test_plain_ether_is_refused(world: World, value: int) -> None:
    with reverts("UnknownFunction", bytes(4)):
        world.anvil.transact(world.bob, world.registry.address, b"", value)
    assert world.anvil.balance(world.registry.address) == 0


def test_fewer_bytes_than_a_selector_are_refused(world: World) -> None:
    with reverts("UnknownFunction", bytes.fromhex("abcd0000")):
        world.anvil.transact(world.bob, world.registry.address, bytes.fromhex("abcd"))


def test_functions_that_take_no_ether_refuse_it(world: World) -> None:
    calls: list[tuple[str, tuple[Any, ...]]] = [
        ("transferOwnership", (world.bob,)),
        ("updateNetworkFee", (P["networkFee"],)),
        ("updateMaximumOperatorFee", (P["maximumOperatorFee"],)),
        ("setFeeRecipientAddress", (world.bob,)),
    ]
    for name, arguments in calls:
        with reverts_silently():
            world.registry.transact(name, *arguments, sender=world.governor, value=1)
    assert world.anvil.balance(world.registry.address) == 0


def test_the_version_is_the_targets(world: World) -> None:
    assert world.registry.getVersion() == "v2.0.0"
    assert world.registry.ssvNetwork() == world.registry.address
