"""Liquidating clusters, and what the liquidator is paid."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.contracts.behaviour.abi import assert_logs, event, reverts
from tests.contracts.behaviour.expected import (
    COLLATERAL_WEI,
    Rates,
    accounts,
    held,
    network_sums,
    open_cluster,
    open_operators,
)
from tests.contracts.behaviour.world import ETHER, Cluster, World

GWEI = 10**9
BOUNTY_GAS = 300_000


def liquidate(world: World, ids: list[int], sender: str, **changed: Any) -> Any:
    """A liquidation of carol's cluster."""
    given = {"cluster": world.latest(world.carol, ids)} | changed
    return world.registry.liquidate(world.carol, ids, given["cluster"], sender=sender)


@contextmanager
def base_fee(world: World, wei: int) -> Iterator[None]:
    """The next block has this base fee. Anvil does not take it back with the chain's state."""
    world.anvil.set_base_fee(wei)
    try:
        yield
    finally:
        world.anvil.set_base_fee(0)


def open_at_threshold(
    world: World, count: int = 4, *, keys: int = 1, above: int = 0
) -> tuple[list[int], list[bytes], Rates]:
    """A new cluster of carol's with the least ether it may have, or so much more."""
    ids, rates = open_operators(world, count)
    value = rates.threshold(eth=32 * keys) + above
    return ids, world.register(world.carol, ids, keys=keys, value=value), rates


@pytest.mark.parametrize("size", [4, 7, 10, 13])
def test_owner_liquidates_its_healthy_cluster_and_is_paid_the_whole_balance(
    world: World, size: int
) -> None:
    ids, _, rates = open_cluster(world, size, keys=2)
    start = world.anvil.block_number()
    wallet = world.anvil.balance(world.carol)
    world.anvil.mine(4)
    receipt = liquidate(world, ids, world.carol)
    blocks = receipt.block - start
    assert_logs(
        receipt,
        world.registry.address,
        event("ClusterLiquidated", world.carol, ids, Cluster(2, 0, 0, False, 0)),
    )
    paid = ETHER - rates.usage(blocks, eth=64)
    assert world.anvil.balance(world.carol) == wallet + paid
    assert held(world) == ETHER - paid
    assert accounts(world, ids) == [(rates.earnings(blocks, eth=64), 0, 0)] * size
    assert network_sums(world) == (0, 0)
    assert world.registry.getNetworkEarnings() == rates.network_earnings(blocks, eth=64)
    world.anvil.mine(5)
    assert accounts(world, ids)[0][0] == rates.earnings(blocks, eth=64)


def test_stranger_liquidates_from_the_first_block_below_the_threshold(world: World) -> None:
    ids, rates = open_operators(world)
    spare = rates.burn() * 3
    world.register(world.carol, ids, value=rates.threshold() + spare)
    for _ in range(3):
        with reverts("ClusterNotLiquidatable"):
            liquidate(world, ids, world.stranger)
    receipt = liquidate(world, ids, world.stranger)
    assert_logs(
        receipt,
        world.registry.address,
        event("ClusterLiquidated", world.carol, ids, Cluster(1, 0, 0, False, 0)),
    )


@pytest.mark.parametrize(
    ("fee", "bounty"),
    [
        (0, 2 * COLLATERAL_WEI),
        (2 * COLLATERAL_WEI // BOUNTY_GAS, 2 * COLLATERAL_WEI),
        (
            2 * COLLATERAL_WEI // BOUNTY_GAS + 1,
            2 * COLLATERAL_WEI // BOUNTY_GAS * 300_000 + 300_000,
        ),
        (10 * GWEI, 3 * 10**15),
        (15 * GWEI, 45 * 10**14),
    ],
)
def test_stranger_is_paid_two_collaterals_or_the_price_of_300000_gas_and_the_owner_keeps_the_rest(
    world: World, fee: int, bounty: int
) -> None:
    ids, _, rates = open_at_threshold(world, keys=10)
    balance = rates.threshold(eth=320) - rates.usage(1, eth=320)
    assert bounty < balance
    before, wallet = held(world), world.anvil.balance(world.stranger)
    with base_fee(world, fee):
        receipt = liquidate(world, ids, world.stranger)
    rest = Cluster(10, 0, 0, False, balance - bounty)
    assert_logs(receipt, world.registry.address, event("ClusterLiquidated", world.carol, ids, rest))
    assert before - held(world) == bounty
    spent = receipt.gas_used * fee
    assert world.anvil.balance(world.stranger) == wallet + bounty - spent
    assert world.latest(world.carol, ids) == rest


@pytest.mark.parametrize("fee", [0, 18 * GWEI, 1_000 * GWEI])
def test_stranger_is_paid_no_more_than_the_balance(world: World, fee: int) -> None:
    keys = 10 if fee else 1
    ids, _, rates = open_at_threshold(world, keys=keys)
    balance = rates.threshold(eth=32 * keys) - rates.usage(1, eth=32 * keys)
    before = held(world)
    with base_fee(world, fee):
        liquidate(world, ids, world.stranger)
    assert before - held(world) == balance
    assert world.latest(world.carol, ids) == Cluster(keys, 0, 0, False, 0)


def test_bounty_cap_is_for_strangers_only(world: World) -> None:
    ids, _, rates = open_at_threshold(world, keys=10)
    before = held(world)
    liquidate(world, ids, world.carol)
    assert before - held(world) == rates.threshold(eth=320) - rates.usage(1, eth=320)


def test_rest_after_a_strangers_liquidation_is_the_owners_to_withdraw(world: World) -> None:
    ids, _, _ = open_at_threshold(world, keys=10)
    liquidate(world, ids, world.stranger)
    rest = world.latest(world.carol, ids)
    wallet = world.anvil.balance(world.carol)
    world.registry.withdraw(ids, rest.balance, rest, sender=world.carol)
    assert rest.balance
    assert world.anvil.balance(world.carol) == wallet + rest.balance


def test_cluster_below_the_minimum_collateral_is_liquidatable_whatever_it_burns(
    world: World,
) -> None:
    ids = world.operators(4, fee=0)
    world.register(world.carol, ids, value=COLLATERAL_WEI)
    liquidate(world, ids, world.stranger)
    assert world.latest(world.carol, ids).balance == 0


def test_raised_liquidation_period_makes_clusters_liquidatable(world: World) -> None:
    ids, _, _ = open_at_threshold(world, 13, above=10**12)
    with reverts("ClusterNotLiquidatable"):
        liquidate(world, ids, world.stranger)
    world.registry.updateLiquidationThresholdPeriod(60_000, sender=world.governor)
    liquidate(world, ids, world.stranger)


def test_empty_cluster_is_liquidated_by_nobody_but_its_owner(world: World) -> None:
    ids, keys, _ = open_at_threshold(world)
    world.registry.removeValidator(keys[0], ids, world.latest(world.carol, ids), sender=world.carol)
    with reverts("ClusterNotLiquidatable"):
        liquidate(world, ids, world.stranger)
    balance, before = world.latest(world.carol, ids).balance, held(world)
    receipt = liquidate(world, ids, world.carol)
    assert_logs(
        receipt,
        world.registry.address,
        event("ClusterLiquidated", world.carol, ids, Cluster(0, 0, 0, False, 0)),
    )
    assert before - held(world) == balance


def test_liquidation_skips_removed_operators(world: World) -> None:
    ids, _, _ = open_at_threshold(world)
    for operator_id in ids[1:]:
        world.registry.removeOperator(operator_id, sender=world.alice)
    liquidate(world, ids, world.stranger)
    assert [account[1:] for account in accounts(world, ids)] == [(0, 0)] * 4
    assert network_sums(world) == (0, 0)


def test_liquidation_leaves_other_clusters_of_the_operators_alone(world: World) -> None:
    ids, _, _ = open_at_threshold(world, keys=2)
    world.register(world.dave, ids, keys=3)
    daves = world.latest(world.dave, ids)
    liquidate(world, ids, world.stranger)
    assert [account[1:] for account in accounts(world, ids)] == [(96, 3)] * 4
    assert network_sums(world) == (96, 3)
    assert not world.registry.isLiquidated(world.dave, ids, daves)


def test_checks_of_a_liquidation_come_in_this_order(world: World) -> None:
    ids, _, _ = open_cluster(world)
    closed, _, _ = open_cluster(world)
    liquidate(world, closed, world.carol)
    unknown, wrong = world.operators(4), Cluster(9, 9, 9, False, 9)
    for error, operator_ids, cluster in (
        ("ClusterDoesNotExist", unknown, wrong),
        ("IncorrectClusterState", closed, wrong),
        ("ClusterIsLiquidated", closed, world.latest(world.carol, closed)),
        ("ClusterNotLiquidatable", ids, world.latest(world.carol, ids)),
    ):
        with reverts(error):
            liquidate(world, operator_ids, world.stranger, cluster=cluster)


def test_owner_cannot_liquidate_twice(world: World) -> None:
    ids, _, _ = open_cluster(world)
    liquidate(world, ids, world.carol)
    with reverts("ClusterIsLiquidated"):
        liquidate(world, ids, world.carol)
