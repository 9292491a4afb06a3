"""Clusters liquidated too late: who bears what they could not pay."""

from __future__ import annotations

from tests.contracts.behaviour.abi import assert_logs, event, reverts
from tests.contracts.behaviour.expected import held
from tests.contracts.behaviour.overdue import (
    HIGHEST_NETWORK_FEE,
    PAID_UNITS,
    cheap,
    debt,
    overdue,
)
from tests.contracts.behaviour.proofs import prove
from tests.contracts.behaviour.world import (
    FEE_UNIT,
    NEW_CLUSTER,
    Cluster,
    World,
    shares,
    validator_key,
)


def test_late_liquidation_reports_the_shortfall_and_cuts_no_operator(world: World) -> None:
    case = overdue(world)
    world, registry = case.world, case.world.registry
    cluster = world.latest(world.carol, case.ids)
    assert registry.getBalance(world.carol, case.ids, cluster) == 0
    assert registry.isLiquidatable(world.carol, case.ids, cluster)
    before = held(world)
    receipt = registry.liquidate(world.carol, case.ids, cluster, sender=world.stranger)
    missing = case.shortfall_units(receipt.block) * FEE_UNIT
    assert_logs(
        receipt,
        registry.address,
        event("DebtUncovered", world.carol, case.identity, missing),
        event("ClusterLiquidated", world.carol, case.ids, Cluster(1, 0, 0, False, 0)),
    )
    assert held(world) == before == PAID_UNITS * FEE_UNIT
    assert debt(world) == missing
    assert registry.getNetworkEarnings() == 0
    assert registry.getOperatorEarnings(case.greedy) == before + missing


def test_operator_is_paid_what_the_registry_holds_and_the_rest_once_the_debt_is_covered(
    world: World,
) -> None:
    case = overdue(world)
    world, registry = case.world, case.world.registry
    missing = case.liquidate()
    with reverts("ETHTransferFailed"):
        registry.withdrawAllOperatorEarnings(case.greedy, sender=world.alice)
    registry.withdrawOperatorEarnings(case.greedy, held(world), sender=world.alice)
    assert held(world) == 0
    receipt = registry.coverDebt(sender=world.bob, value=missing)
    assert_logs(receipt, registry.address, event("DebtCovered", world.bob, missing))
    assert debt(world) == 0
    registry.withdrawAllOperatorEarnings(case.greedy, sender=world.alice)
    assert held(world) == 0


def test_shortfall_rounds_up_to_the_unit_and_the_dust_is_used_up(world: World) -> None:
    case = overdue(world, dust_wei=FEE_UNIT - 1)
    missing = case.liquidate()
    assert debt(case.world) == missing
    assert case.world.latest(case.world.carol, case.ids).balance == 0


def test_debt_is_covered_in_whole_units(world: World) -> None:
    case = overdue(world)
    missing = case.liquidate()
    world, registry = case.world, case.world.registry
    receipt = registry.coverDebt(sender=world.bob, value=2 * FEE_UNIT - 1)
    assert_logs(receipt, registry.address, event("DebtCovered", world.bob, 2 * FEE_UNIT - 1))
    assert debt(world) == missing - FEE_UNIT
    registry.coverDebt(sender=world.bob, value=missing)
    assert debt(world) == 0
    assert registry.getNetworkEarnings() == FEE_UNIT


def test_network_income_pays_the_debt_before_it_is_earnings(world: World) -> None:
    case = overdue(world)
    missing = case.liquidate()
    world, registry = case.world, case.world.registry
    free = world.operators(4, fee=0)
    world.register(world.dave, free, value=10**18)
    fee = missing // FEE_UNIT // 3 * FEE_UNIT
    registry.updateNetworkFee(fee, sender=world.governor)
    for blocks in (1, 2, 3):
        world.anvil.mine()
        assert debt(world) == missing - blocks * fee
        assert registry.getNetworkEarnings() == 0
    world.anvil.mine()
    assert debt(world) == 0
    assert registry.getNetworkEarnings() == 4 * fee - missing


def test_network_earnings_are_blocked_while_there_is_debt(world: World) -> None:
    case = overdue(world)
    missing = case.liquidate()
    world, registry = case.world, case.world.registry
    with reverts("InsufficientBalance"):
        registry.withdrawNetworkEarnings(FEE_UNIT, sender=world.governor)
    registry.coverDebt(sender=world.bob, value=missing - FEE_UNIT)
    with reverts("InsufficientBalance"):
        registry.withdrawNetworkEarnings(FEE_UNIT, sender=world.governor)
    registry.coverDebt(sender=world.bob, value=2 * FEE_UNIT)
    receipt = registry.withdrawNetworkEarnings(FEE_UNIT, sender=world.governor)
    assert_logs(
        receipt, registry.address, event("NetworkEarningsWithdrawn", FEE_UNIT, world.governor)
    )


def test_networks_earnings_bear_a_shortfall_first(world: World) -> None:
    world = cheap(world)
    registry = world.registry
    ids = world.operators(4, fee=0)
    world.register(world.carol, ids, value=FEE_UNIT)
    registry.updateNetworkFee(HIGHEST_NETWORK_FEE, sender=world.governor)
    world.anvil.mine(4)
    assert registry.getNetworkEarnings() == 4 * HIGHEST_NETWORK_FEE
    cluster = world.latest(world.carol, ids)
    receipt = registry.liquidate(world.carol, ids, cluster, sender=world.stranger)
    closed = event("ClusterLiquidated", world.carol, ids, Cluster(1, 0, 0, False, 0))
    assert_logs(receipt, registry.address, closed)
    assert debt(world) == 0
    assert registry.getNetworkEarnings() == FEE_UNIT == held(world)


def test_what_the_networks_earnings_cannot_bear_is_debt(world: World) -> None:
    world = cheap(world)
    registry = world.registry
    ids = world.operators(4, fee=0)
    world.register(world.carol, ids, value=FEE_UNIT)
    world.register(world.dave, ids, value=10**18)
    registry.updateNetworkFee(HIGHEST_NETWORK_FEE, sender=world.governor)
    world.anvil.mine(4)
    registry.withdrawNetworkEarnings(8 * HIGHEST_NETWORK_FEE, sender=world.governor)
    cluster = world.latest(world.carol, ids)
    receipt = registry.liquidate(world.carol, ids, cluster, sender=world.stranger)
    # Twelve fees were credited in six blocks, eight of them withdrawn; six were carol's to pay.
    missing = 6 * HIGHEST_NETWORK_FEE - FEE_UNIT - 4 * HIGHEST_NETWORK_FEE
    identity = registry.getClusterId(world.carol, ids)
    assert_logs(
        receipt,
        registry.address,
        event("DebtUncovered", world.carol, identity, missing),
        event("ClusterLiquidated", world.carol, ids, Cluster(1, 0, 0, False, 0)),
    )
    assert debt(world) == missing


def test_removal_of_an_overdue_validator_reports_the_shortfall_first(world: World) -> None:
    case = overdue(world)
    world, registry = case.world, case.world.registry
    cluster = world.latest(world.carol, case.ids)
    receipt = registry.removeValidator(case.key, case.ids, cluster, sender=world.carol)
    found = world.latest(world.carol, case.ids)
    missing = case.shortfall_units(receipt.block) * FEE_UNIT
    assert_logs(
        receipt,
        registry.address,
        event("DebtUncovered", world.carol, case.identity, missing),
        event("ValidatorRemoved", world.carol, case.ids, case.key, found),
    )
    assert found.active
    assert found.validator_count == 0
    assert found.balance == 0


def test_balance_proof_of_an_overdue_cluster_reports_shortfall_record_liquidation_and_balance(
    world: World,
) -> None:
    case = overdue(world)
    world, registry = case.world, case.world.registry
    world.verifier()
    receipt = prove(world, case.ids, {case.key: 64}, slot=3)
    missing = case.shortfall_units(receipt.block) * FEE_UNIT
    closed = Cluster(1, 0, 0, False, 0)
    assert_logs(
        receipt,
        registry.address,
        event("DebtUncovered", world.carol, case.identity, missing),
        event("ValidatorEffectiveBalanceUpdated", world.carol, case.identity, case.key, 64, 3),
        event("ClusterLiquidated", world.carol, case.ids, closed),
        event("ClusterBalanceUpdated", world.carol, case.ids, receipt.block, 64, closed),
    )


def test_ether_sent_with_a_registration_pays_what_is_overdue(world: World) -> None:
    case = overdue(world)
    world, registry = case.world, case.world.registry
    cluster = world.latest(world.carol, case.ids)
    receipt = registry.registerValidator(
        validator_key(9_005), case.ids, shares(4), cluster, sender=world.carol, value=10**18
    )
    found = world.latest(world.carol, case.ids)
    assert found.balance == 10**18 - case.shortfall_units(receipt.block) * FEE_UNIT
    assert len(receipt.logs) == 1
    assert debt(world) == 0


def test_nothing_can_be_withdrawn_from_an_overdue_cluster(world: World) -> None:
    case = overdue(world)
    world, registry = case.world, case.world.registry
    cluster = world.latest(world.carol, case.ids)
    assert cluster != NEW_CLUSTER
    for amount in (0, 1, PAID_UNITS * FEE_UNIT):
        with reverts("InsufficientBalance"):
            registry.withdraw(case.ids, amount, cluster, sender=world.carol)
