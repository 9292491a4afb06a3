"""Ending a liquidation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.contracts.behaviour.abi import assert_logs, event, reverts
from tests.contracts.behaviour.expected import (
    COLLATERAL_WEI,
    Rates,
    accounts,
    network_sums,
    open_cluster,
)
from tests.contracts.behaviour.world import ETHER, Cluster, World


def reactivate(world: World, ids: list[int], value: int = ETHER, **changed: Any) -> Any:
    """A reactivation by carol."""
    given = {"cluster": world.latest(world.carol, ids), "sender": world.carol} | changed
    return world.registry.reactivate(ids, given["cluster"], sender=given["sender"], value=value)


def open_closed(
    world: World, count: int = 4, *, keys: int = 1
) -> tuple[list[int], list[bytes], Rates]:
    """A cluster of carol's that she liquidated."""
    ids, public_keys, rates = open_cluster(world, count, keys=keys)
    world.registry.liquidate(world.carol, ids, world.latest(world.carol, ids), sender=world.carol)
    return ids, public_keys, rates


@pytest.mark.parametrize("size", [4, 7, 10, 13])
def test_reactivation_brings_indexes_up_and_the_weight_back(world: World, size: int) -> None:
    ids, _, rates = open_closed(world, size, keys=2)
    before = accounts(world, ids)
    world.anvil.mine(6)
    receipt = reactivate(world, ids)
    expected = rates.struct(receipt.block, validators=2, balance=ETHER)
    assert_logs(
        receipt,
        world.registry.address,
        event("ClusterReactivated", world.carol, ids, expected),
    )
    assert accounts(world, ids) == [(earned, 64, 2) for earned, _, _ in before]
    assert network_sums(world) == (64, 2)
    world.anvil.mine(2)
    assert world.registry.getBalance(world.carol, ids, expected) == ETHER - rates.usage(2, eth=64)


def test_reactivation_charges_nothing_for_the_time_between(world: World) -> None:
    ids, _, _ = open_closed(world)
    world.anvil.mine(100)
    reactivate(world, ids, COLLATERAL_WEI)
    assert world.latest(world.carol, ids).balance == COLLATERAL_WEI


def test_ether_deposited_while_liquidated_counts(world: World) -> None:
    ids, _, _ = open_closed(world)
    world.registry.deposit(
        world.carol, ids, world.latest(world.carol, ids), sender=world.carol, value=COLLATERAL_WEI
    )
    reactivate(world, ids, 0)
    assert world.latest(world.carol, ids).active
    assert world.latest(world.carol, ids).balance == COLLATERAL_WEI


def test_reactivation_needs_the_threshold_to_the_wei(world: World) -> None:
    ids, _, rates = open_closed(world, 13, keys=2)
    needed = rates.threshold(eth=64)
    assert needed > COLLATERAL_WEI
    with reverts("InsufficientBalance"):
        reactivate(world, ids, needed - 1)
    reactivate(world, ids, needed)


def test_reactivation_without_validators_needs_nothing(world: World) -> None:
    ids, keys, _ = open_closed(world)
    world.registry.removeValidator(keys[0], ids, world.latest(world.carol, ids), sender=world.carol)
    reactivate(world, ids, 0)
    found = world.latest(world.carol, ids)
    assert found.active
    assert found.validator_count == 0
    assert found.balance == 0


def test_reactivation_asks_no_whitelist(world: World) -> None:
    ids, _, _ = open_closed(world)
    world.registry.setOperatorsPrivateUnchecked(ids, sender=world.alice)
    reactivate(world, ids)
    assert world.latest(world.carol, ids).active


@pytest.mark.parametrize(("size", "quorum"), [(4, 3), (7, 5), (10, 7), (13, 9)])
def test_reactivation_needs_a_quorum_of_operators_that_are_not_removed(
    world: World, size: int, quorum: int
) -> None:
    ids, _, rates = open_closed(world, size)
    world.anvil.mine(3)
    gone = []
    for operator_id in ids[: size - quorum]:
        world.registry.removeOperator(operator_id, sender=world.alice)
        gone.append(world.anvil.block_number())
    with world.anvil.undone():
        receipt = reactivate(world, ids)
        frozen = sum(receipt.block - block for block in gone) * rates.fee_units
        expected = rates.struct(receipt.block, validators=1, balance=ETHER)
        expected = expected._replace(index=expected.index - frozen)
        assert_logs(
            receipt,
            world.registry.address,
            event("ClusterReactivated", world.carol, ids, expected),
        )
        sums = [account[1:] for account in accounts(world, ids)]
        assert sums == [(0, 0)] * len(gone) + [(32, 1)] * quorum
    world.registry.removeOperator(ids[-1], sender=world.alice)
    with reverts("TooFewOperators", live=quorum - 1, quorum=quorum):
        reactivate(world, ids)


def test_reactivation_respects_the_operators_limit(world: World) -> None:
    small = replace(world, registry=world.another(validatorsPerOperatorLimit=2))
    ids, _, _ = open_closed(small, keys=2)
    small.register(world.dave, [*ids[1:], small.operator()])
    with reverts("ExceedValidatorLimitWithData", ids[1]):
        reactivate(small, ids)


def test_checks_of_a_reactivation_come_in_this_order(world: World) -> None:
    small = replace(world, registry=world.another(validatorsPerOperatorLimit=1))
    active, _, _ = open_cluster(small)
    ids, _, _ = open_closed(small)
    occupied = [*small.operators(3), ids[3]]
    occupied.sort()
    daves = small.register(world.dave, occupied)
    poor, _, _ = open_closed(small)
    for operator_id in (*ids[:2], *active[:2], poor[0]):
        small.registry.removeOperator(operator_id, sender=world.alice)
    unknown, wrong = small.operators(4), Cluster(9, 9, 9, True, 9)
    for error, data, operator_ids, cluster in (
        ("ClusterDoesNotExist", (), unknown, wrong),
        ("IncorrectClusterState", (), ids, wrong),
        ("ClusterAlreadyEnabled", (), active, None),
        ("ExceedValidatorLimitWithData", (ids[3],), ids, None),
    ):
        with reverts(error, *data):
            given = cluster or small.latest(world.carol, operator_ids)
            reactivate(small, operator_ids, 0, cluster=given)
    small.registry.removeValidator(
        daves[0], occupied, small.latest(world.dave, occupied), sender=world.dave
    )
    with reverts("TooFewOperators", 2, 3):
        reactivate(small, ids, 0)
    with reverts("InsufficientBalance"):
        reactivate(small, poor, 0)


def test_reactivation_is_the_owners_because_the_cluster_is_named_by_the_caller(
    world: World,
) -> None:
    ids, _, _ = open_closed(world)
    with reverts("ClusterDoesNotExist"):
        reactivate(world, ids, sender=world.stranger, cluster=world.latest(world.carol, ids))
