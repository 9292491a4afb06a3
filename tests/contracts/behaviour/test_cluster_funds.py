"""Deposits into clusters and withdrawals from them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contracts.behaviour.abi import assert_logs, event, reverts
from tests.contracts.behaviour.expected import (
    COLLATERAL_WEI,
    accounts,
    held,
    open_cluster,
)
from tests.contracts.behaviour.world import ETHER, NEW_CLUSTER, Cluster, World

SIZES = (4, 7, 10, 13)


def deposit(world: World, ids: list[int], value: int, **changed: Any) -> Any:
    """A deposit into carol's cluster, by carol unless told otherwise."""
    given = {"cluster": world.latest(world.carol, ids), "sender": world.carol} | changed
    return world.registry.deposit(
        world.carol, ids, given["cluster"], sender=given["sender"], value=value
    )


def withdraw(world: World, ids: list[int], amount: int, **changed: Any) -> Any:
    """A withdrawal of carol's."""
    given = {"cluster": world.latest(world.carol, ids), "sender": world.carol} | changed
    return world.registry.withdraw(ids, amount, given["cluster"], sender=given["sender"])


def close(world: World, ids: list[int]) -> None:
    """Carol liquidates her own cluster."""
    world.registry.liquidate(world.carol, ids, world.latest(world.carol, ids), sender=world.carol)


@pytest.mark.parametrize("value", [0, 1, 10**17])
def test_owner_deposits_any_amount_and_nothing_is_settled(world: World, value: int) -> None:
    ids, _, _ = open_cluster(world)
    before = world.latest(world.carol, ids)
    words = world.registry.getOperatorWords(ids[0], ids[-1]), world.registry.getNetworkWord()
    world.anvil.mine(5)
    receipt = deposit(world, ids, value)
    expected = before._replace(balance=before.balance + value)
    assert_logs(
        receipt,
        world.registry.address,
        event("ClusterDeposited", world.carol, ids, value, expected),
    )
    assert held(world) == ETHER + value
    after = world.registry.getOperatorWords(ids[0], ids[-1]), world.registry.getNetworkWord()
    assert after == words


def test_stranger_deposits_at_least_the_minimum_collateral(world: World) -> None:
    ids, _, _ = open_cluster(world)
    before = world.latest(world.carol, ids)
    receipt = deposit(world, ids, COLLATERAL_WEI, sender=world.stranger)
    expected = before._replace(balance=before.balance + COLLATERAL_WEI)
    assert_logs(
        receipt,
        world.registry.address,
        event("ClusterDeposited", world.carol, ids, COLLATERAL_WEI, expected),
    )


@pytest.mark.parametrize("value", [0, 1, COLLATERAL_WEI - 1])
def test_smaller_deposit_of_a_stranger_is_refused(world: World, value: int) -> None:
    ids, _, _ = open_cluster(world)
    with reverts("DepositTooSmall"):
        deposit(world, ids, value, sender=world.stranger)


def test_deposit_into_a_liquidated_cluster_does_not_reactivate_it(world: World) -> None:
    ids, _, _ = open_cluster(world)
    close(world, ids)
    receipt = deposit(world, ids, ETHER)
    assert_logs(
        receipt,
        world.registry.address,
        event("ClusterDeposited", world.carol, ids, ETHER, Cluster(1, 0, 0, False, ETHER)),
    )
    assert world.registry.isLiquidated(world.carol, ids, world.latest(world.carol, ids))


def test_checks_of_a_deposit_come_in_this_order(world: World) -> None:
    ids, _, _ = open_cluster(world)
    unknown, wrong = world.operators(4), Cluster(9, 9, 9, True, 9)
    for error, operator_ids, cluster in (
        ("ClusterDoesNotExist", unknown, wrong),
        ("IncorrectClusterState", ids, wrong),
        ("DepositTooSmall", ids, world.latest(world.carol, ids)),
    ):
        with reverts(error):
            deposit(world, operator_ids, 1, cluster=cluster, sender=world.stranger)


def test_deposit_cannot_create_a_cluster(world: World) -> None:
    ids = world.operators(4)
    with reverts("ClusterDoesNotExist"):
        deposit(world, ids, ETHER, cluster=NEW_CLUSTER)


# -------------------------------------------------------------------------------------- withdrawals


@pytest.mark.parametrize("size", SIZES)
def test_withdrawal_settles_the_cluster_alone_and_pays_the_owner(world: World, size: int) -> None:
    ids, _, rates = open_cluster(world, size, keys=3)
    start = world.anvil.block_number()
    words = world.registry.getOperatorWords(ids[0], ids[-1]), world.registry.getNetworkWord()
    wallet = world.anvil.balance(world.carol)
    world.anvil.mine(9)
    receipt = withdraw(world, ids, 10**17)
    left = ETHER - rates.usage(receipt.block - start, eth=96) - 10**17
    expected = rates.struct(receipt.block, validators=3, balance=left)
    assert_logs(
        receipt,
        world.registry.address,
        event("ClusterWithdrawn", world.carol, ids, 10**17, expected),
    )
    assert world.anvil.balance(world.carol) == wallet + 10**17
    assert held(world) == ETHER - 10**17
    after = world.registry.getOperatorWords(ids[0], ids[-1]), world.registry.getNetworkWord()
    assert after == words
    assert accounts(world, ids)[0][0] == rates.earnings(receipt.block - start, eth=96)


def test_withdrawal_leaves_at_least_the_threshold_to_the_wei(world: World) -> None:
    ids, _, rates = open_cluster(world, 13, keys=2)
    start = world.anvil.block_number()
    assert rates.threshold(eth=64) > COLLATERAL_WEI
    most = ETHER - rates.usage(1, eth=64) - rates.threshold(eth=64)
    with world.anvil.undone(), reverts("InsufficientBalance"):
        withdraw(world, ids, most + 1)
    receipt = withdraw(world, ids, most)
    assert receipt.block == start + 1
    assert world.latest(world.carol, ids).balance == rates.threshold(eth=64)


def test_withdrawal_leaves_at_least_the_minimum_collateral_to_the_wei(world: World) -> None:
    ids, _, rates = open_cluster(world)
    most = ETHER - rates.usage(1) - COLLATERAL_WEI
    with world.anvil.undone(), reverts("InsufficientBalance"):
        withdraw(world, ids, most + 1)
    withdraw(world, ids, most)


def test_withdrawal_above_the_settled_balance_is_refused(world: World) -> None:
    ids, keys, _ = open_cluster(world)
    world.registry.removeValidator(keys[0], ids, world.latest(world.carol, ids), sender=world.carol)
    left = world.latest(world.carol, ids).balance
    for amount in (left + 1, 2**256 - 1):
        with reverts("InsufficientBalance"):
            withdraw(world, ids, amount)
    withdraw(world, ids, left)
    assert held(world) == ETHER - left


def test_withdrawal_of_nothing_settles_and_is_logged(world: World) -> None:
    ids, _, rates = open_cluster(world)
    start = world.anvil.block_number()
    receipt = withdraw(world, ids, 0)
    left = ETHER - rates.usage(receipt.block - start)
    expected = rates.struct(receipt.block, validators=1, balance=left)
    assert_logs(
        receipt, world.registry.address, event("ClusterWithdrawn", world.carol, ids, 0, expected)
    )


def test_liquidated_cluster_pays_its_owner_all_that_is_left(world: World) -> None:
    ids, _, _ = open_cluster(world)
    close(world, ids)
    deposit(world, ids, 12_345)
    with reverts("InsufficientBalance"):
        withdraw(world, ids, 12_346)
    receipt = withdraw(world, ids, 12_345)
    assert_logs(
        receipt,
        world.registry.address,
        event("ClusterWithdrawn", world.carol, ids, 12_345, Cluster(1, 0, 0, False, 0)),
    )


def test_withdrawal_skips_removed_operators(world: World) -> None:
    ids, _, rates = open_cluster(world)
    start = world.anvil.block_number()
    world.registry.removeOperator(ids[3], sender=world.alice)
    gone = world.anvil.block_number()
    world.anvil.mine(3)
    receipt = withdraw(world, ids, 1)
    spared = (receipt.block - gone) * rates.fee_units
    found = world.latest(world.carol, ids)
    assert found.index == rates.index(receipt.block) - spared
    assert found.balance == ETHER - rates.usage(receipt.block - start) + spared * 100_000 - 1


def test_checks_of_a_withdrawal_come_in_this_order(world: World) -> None:
    ids, _, _ = open_cluster(world)
    unknown, wrong = world.operators(4), Cluster(9, 9, 9, True, 9)
    for error, operator_ids, cluster, sender in (
        ("ClusterDoesNotExist", unknown, wrong, world.carol),
        ("ClusterDoesNotExist", ids, world.latest(world.carol, ids), world.stranger),
        ("IncorrectClusterState", ids, wrong, world.carol),
        ("InsufficientBalance", ids, world.latest(world.carol, ids), world.carol),
    ):
        with reverts(error):
            withdraw(world, operator_ids, 2 * ETHER, cluster=cluster, sender=sender)
