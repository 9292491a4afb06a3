"""What a balance proof does besides recording: ether, liquidation, other calls' sums."""

from __future__ import annotations

import pytest

from tests.contracts.behaviour.abi import assert_logs, event
from tests.contracts.behaviour.expected import (
    COLLATERAL_WEI,
    accounts,
    held,
    network_sums,
    open_cluster,
    open_operators,
)
from tests.contracts.behaviour.proofs import prove
from tests.contracts.behaviour.world import (
    ETHER,
    Cluster,
    World,
)


@pytest.fixture(autouse=True)
def verifier(world: World) -> None:
    """Every proof is believed."""
    world.verifier()


def test_ether_sent_joins_the_balance_and_is_logged_first(world: World) -> None:
    ids, keys, rates = open_cluster(world)
    before = world.latest(world.carol, ids)
    start = world.anvil.block_number()
    receipt = prove(world, ids, {keys[0]: 64}, value=777, sender=world.bob)
    identity = world.registry.getClusterId(world.carol, ids)
    balance = ETHER + 777 - rates.usage(receipt.block - start)
    expected = rates.struct(receipt.block, validators=1, balance=balance)
    assert_logs(
        receipt,
        world.registry.address,
        event("ClusterDeposited", world.carol, ids, 777, before._replace(balance=ETHER + 777)),
        event("ValidatorEffectiveBalanceUpdated", world.carol, identity, keys[0], 64, 1),
        event("ClusterBalanceUpdated", world.carol, ids, receipt.block, 64, expected),
    )
    assert held(world) == ETHER + 777


def test_proof_that_makes_the_cluster_liquidatable_liquidates_it_for_the_prover(
    world: World,
) -> None:
    ids, rates = open_operators(world)
    value = 10 * COLLATERAL_WEI
    key = world.register(world.carol, ids, value=value)[0]
    start, wallet = world.anvil.block_number(), world.anvil.balance(world.bob)
    receipt = prove(world, ids, {key: 2048}, sender=world.bob)
    blocks = receipt.block - start
    rest = Cluster(1, 0, 0, False, value - rates.usage(blocks) - 2 * COLLATERAL_WEI)
    identity = world.registry.getClusterId(world.carol, ids)
    assert_logs(
        receipt,
        world.registry.address,
        event("ValidatorEffectiveBalanceUpdated", world.carol, identity, key, 2048, 1),
        event("ClusterLiquidated", world.carol, ids, rest),
        event("ClusterBalanceUpdated", world.carol, ids, receipt.block, 2048, rest),
    )
    assert world.anvil.balance(world.bob) == wallet + 2 * COLLATERAL_WEI
    assert accounts(world, ids) == [(rates.earnings(blocks), 0, 0)] * 4
    assert network_sums(world) == (0, 0)
    assert world.registry.getClusterHash(identity)[1] == 2048


def test_owner_whose_proof_liquidates_is_paid_everything(world: World) -> None:
    ids, rates = open_operators(world)
    value = 10 * COLLATERAL_WEI
    key = world.register(world.carol, ids, value=value)[0]
    wallet = world.anvil.balance(world.carol)
    prove(world, ids, {key: 2048}, sender=world.carol)
    assert world.latest(world.carol, ids) == Cluster(1, 0, 0, False, 0)
    assert world.anvil.balance(world.carol) == wallet + value - rates.usage(1)


def test_ether_sent_with_the_proof_counts_before_the_liquidation_test(world: World) -> None:
    ids, rates = open_operators(world)
    key = world.register(world.carol, ids, value=10 * COLLATERAL_WEI)[0]
    missing = rates.threshold(eth=2048) - 10 * COLLATERAL_WEI + rates.usage(1)
    with world.anvil.undone():
        prove(world, ids, {key: 2048}, sender=world.carol, value=missing)
        found = world.latest(world.carol, ids)
        assert found.active
        assert found.balance == rates.threshold(eth=2048)
    with world.anvil.undone():
        receipt = prove(world, ids, {key: 2048}, value=missing - 1)
        rest = Cluster(1, 0, 0, False, rates.threshold(eth=2048) - 1 - 2 * COLLATERAL_WEI)
        deposited = receipt.logs[0].topics[0]
        assert deposited == event("ClusterDeposited", world.carol, ids, 0, rest)[0][0]
        assert world.latest(world.carol, ids) == rest


def test_proof_that_lowers_the_balance_of_a_liquidatable_cluster_liquidates_only_if_it_still_is(
    world: World,
) -> None:
    ids, rates = open_operators(world)
    keys = world.register(world.carol, ids, value=4 * ETHER)
    prove(world, ids, {keys[0]: 2048}, slot=1)
    found = world.latest(world.carol, ids)
    most = found.balance - rates.usage(1, eth=2048) - rates.threshold(eth=2048)
    world.registry.withdraw(ids, most, found, sender=world.carol)
    found = world.latest(world.carol, ids)
    assert world.registry.isLiquidatable(world.carol, ids, found, at="pending")
    prove(world, ids, {keys[0]: 32}, slot=2)
    assert world.latest(world.carol, ids).active


def test_liquidated_cluster_only_records_and_weighs_the_new_balance_when_reactivated(
    world: World,
) -> None:
    ids, keys, rates = open_cluster(world)
    world.registry.liquidate(world.carol, ids, world.latest(world.carol, ids), sender=world.carol)
    before = accounts(world, ids), network_sums(world)
    identity = world.registry.getClusterId(world.carol, ids)
    receipt = prove(world, ids, {keys[0]: 100}, value=5)
    closed = Cluster(1, 0, 0, False, 5)
    assert_logs(
        receipt,
        world.registry.address,
        event("ClusterDeposited", world.carol, ids, 5, closed),
        event("ValidatorEffectiveBalanceUpdated", world.carol, identity, keys[0], 100, 1),
        event("ClusterBalanceUpdated", world.carol, ids, receipt.block, 100, closed),
    )
    assert (accounts(world, ids), network_sums(world)) == before
    receipt = world.registry.reactivate(ids, closed, sender=world.carol, value=ETHER)
    expected = rates.struct(receipt.block, validators=1, balance=ETHER + 5)
    assert world.latest(world.carol, ids) == expected
    assert [account[1:] for account in accounts(world, ids)] == [(100, 1)] * 4
    assert network_sums(world) == (100, 1)
    assert world.registry.getBurnRate(world.carol, ids, expected) == rates.burn(eth=100)


def test_proof_skips_removed_operators(world: World) -> None:
    ids, keys, _ = open_cluster(world)
    world.registry.removeOperator(ids[0], sender=world.alice)
    prove(world, ids, {keys[0]: 64}, slot=1)
    assert [account[1:] for account in accounts(world, ids)] == [(0, 0)] + [(64, 1)] * 3
    prove(world, ids, {keys[0]: 32}, slot=2)
    assert [account[1:] for account in accounts(world, ids)] == [(0, 0)] + [(32, 1)] * 3


def test_removal_takes_the_proven_balance_out(world: World) -> None:
    ids, keys, _ = open_cluster(world, keys=2)
    prove(world, ids, {keys[0]: 500})
    world.registry.removeValidator(keys[0], ids, world.latest(world.carol, ids), sender=world.carol)
    assert [account[1:] for account in accounts(world, ids)] == [(32, 1)] * 4
    assert network_sums(world) == (32, 1)


def test_key_registered_again_starts_at_32(world: World) -> None:
    ids, keys, _ = open_cluster(world, keys=2)
    prove(world, ids, {keys[0]: 500}, slot=8)
    world.registry.removeValidator(keys[0], ids, world.latest(world.carol, ids), sender=world.carol)
    world.registry.registerValidator(
        keys[0],
        ids,
        bytes(96 + 304 * 4),
        world.latest(world.carol, ids),
        sender=world.carol,
        value=0,
    )
    assert world.registry.getValidatorRecord(world.carol, keys[0])[2:] == (32, 0)
