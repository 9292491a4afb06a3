"""No coalition of owners, operators and provers gains while somebody liquidates in time."""

from __future__ import annotations

import pytest

from tests.contracts.behaviour.expected import (
    COLLATERAL_WEI,
    Rates,
    held,
    open_cluster,
)
from tests.contracts.behaviour.proofs import proof, prove
from tests.contracts.behaviour.world import (
    ETHER,
    FEE_UNIT,
    NETWORK_FEE,
    World,
)

MOST_ETH = 2048
GREEDY_FEE = 10**13
DILIGENCE_BLOCKS = 100


@pytest.mark.parametrize("ending", ["liquidated", "operators removed", "validator removed"])
@pytest.mark.parametrize("funded", ["barely", "for the proven balance"])
def test_coalition_proving_a_foreign_2048_eth_key_takes_out_no_more_than_it_paid_in(
    world: World, funded: str, ending: str
) -> None:
    """Bob is owner, operators and prover; they collect 64-fold until a liquidator acts."""
    world.verifier()
    registry, anvil = world.registry, world.anvil
    honest = world.operators(4)
    world.register(world.dave, honest, value=100 * ETHER)
    wallet = anvil.balance(world.bob)
    ids = world.operators(4, fee=GREEDY_FEE, owner=world.bob)
    rates = Rates((0,) * 4, 0, GREEDY_FEE // FEE_UNIT, NETWORK_FEE // FEE_UNIT)
    key = world.register(world.bob, ids, value=rates.threshold())[0]
    from_bob = rates.threshold(eth=MOST_ETH) if funded != "barely" else 0
    cluster = world.latest(world.bob, ids)
    registry.proveEffectiveBalances(
        world.bob,
        ids,
        cluster,
        1,
        bytes(32),
        [],
        [proof(key, MOST_ETH * 10**9)],
        sender=world.bob,
        value=from_bob,
    )
    cluster = world.latest(world.bob, ids)
    assert cluster.active == bool(from_bob)
    while cluster.active and not registry.isLiquidatable(world.bob, ids, cluster):
        anvil.mine(5)
        surplus = registry.getBalance(world.bob, ids, cluster, at="pending")
        surplus -= rates.threshold(eth=MOST_ETH)
        if surplus > 0:
            registry.withdraw(ids, surplus, cluster, sender=world.bob)
            cluster = world.latest(world.bob, ids)
    anvil.mine(DILIGENCE_BLOCKS)
    gone = ids if ending == "operators removed" else []
    for operator_id in gone:
        registry.removeOperator(operator_id, sender=world.bob)
    if ending != "validator removed" and registry.isLiquidatable(world.bob, ids, cluster):
        registry.liquidate(world.bob, ids, cluster, sender=world.stranger)
    else:
        registry.removeValidator(key, ids, cluster, sender=world.bob)
    cluster = world.latest(world.bob, ids)
    if cluster.balance:
        registry.withdraw(ids, cluster.balance, cluster, sender=world.bob)
    for operator_id in set(ids) - set(gone):
        if registry.getOperatorEarnings(operator_id):
            registry.withdrawAllOperatorEarnings(operator_id, sender=world.bob)
    assert anvil.balance(world.bob) <= wallet
    assert registry.getNetworkAccounting()[6] == 0
    daves = registry.getBalance(world.dave, honest, world.latest(world.dave, honest))
    earned = sum(registry.getOperatorEarnings(one) for one in honest)
    assert held(world) >= daves + earned + registry.getNetworkEarnings()


def test_prover_who_liquidates_is_paid_out_of_that_clusters_balance_alone(world: World) -> None:
    world.verifier()
    ids, keys, rates = open_cluster(world, value=3 * COLLATERAL_WEI)
    prove(world, ids, {keys[0]: MOST_ETH}, sender=world.stranger)
    rest = world.latest(world.carol, ids)
    assert rest.balance == COLLATERAL_WEI - rates.usage(1)
    world.registry.withdraw(ids, rest.balance, rest, sender=world.carol)
    assert held(world) == rates.usage(1)
