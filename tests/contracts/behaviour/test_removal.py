"""Removing validators, one or several at a time."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contracts.behaviour.abi import assert_logs, event, reverts
from tests.contracts.behaviour.expected import (
    accounts,
    held,
    network_sums,
    open_cluster,
    open_operators,
)
from tests.contracts.behaviour.world import ETHER, Cluster, World, validator_key

SIZES = (4, 7, 10, 13)
UNKNOWN = validator_key(9_002)


def remove(world: World, ids: list[int], key: bytes, **changed: Any) -> Any:
    """One removal by carol."""
    given = {"cluster": world.latest(world.carol, ids), "sender": world.carol} | changed
    return world.registry.removeValidator(key, ids, given["cluster"], sender=given["sender"])


def bulk_remove(world: World, ids: list[int], keys: list[bytes], **changed: Any) -> Any:
    """One bulk removal by carol."""
    given = {"cluster": world.latest(world.carol, ids), "sender": world.carol} | changed
    return world.registry.bulkRemoveValidator(keys, ids, given["cluster"], sender=given["sender"])


@pytest.mark.parametrize("size", SIZES)
def test_removal_settles_and_takes_the_validator_out_of_every_sum(world: World, size: int) -> None:
    ids, keys, rates = open_cluster(world, size, keys=2)
    start = world.anvil.block_number()
    world.anvil.mine(7)
    receipt = remove(world, ids, keys[1])
    blocks = receipt.block - start
    left = ETHER - rates.usage(blocks, eth=64)
    expected = rates.struct(receipt.block, validators=1, balance=left)
    assert_logs(
        receipt,
        world.registry.address,
        event("ValidatorRemoved", world.carol, ids, keys[1], expected),
    )
    assert accounts(world, ids) == [(rates.earnings(blocks, eth=64), 32, 1)] * size
    assert network_sums(world) == (32, 1)
    assert not world.registry.getValidator(world.carol, keys[1])
    nothing = ("0x" + "00" * 20, 0, 0, 0)
    assert world.registry.getValidatorRecord(world.carol, keys[1]) == nothing
    assert world.registry.getEffectiveBalance(world.carol, ids, expected) == 32
    assert held(world) == ETHER


@pytest.mark.parametrize("size", SIZES)
def test_every_log_of_a_bulk_removal_carries_the_same_final_struct(world: World, size: int) -> None:
    ids, keys, rates = open_cluster(world, size, keys=3)
    start = world.anvil.block_number()
    removed = [keys[2], keys[0]]
    receipt = bulk_remove(world, ids, removed)
    left = ETHER - rates.usage(receipt.block - start, eth=96)
    expected = rates.struct(receipt.block, validators=1, balance=left)
    assert_logs(
        receipt,
        world.registry.address,
        *(event("ValidatorRemoved", world.carol, ids, key, expected) for key in removed),
    )
    assert [account[1:] for account in accounts(world, ids)] == [(32, 1)] * size
    assert network_sums(world) == (32, 1)


def test_cluster_without_validators_stays_active_and_accrues_nothing(world: World) -> None:
    ids, keys, _ = open_cluster(world)
    remove(world, ids, keys[0])
    empty = world.latest(world.carol, ids)
    world.anvil.mine(50)
    assert empty.active
    assert empty.validator_count == 0
    assert world.registry.getBalance(world.carol, ids, empty) == empty.balance
    assert world.registry.getBurnRate(world.carol, ids, empty) == 0
    assert not world.registry.isLiquidatable(world.carol, ids, empty)
    world.registry.withdraw(ids, empty.balance, empty, sender=world.carol)
    assert world.latest(world.carol, ids).balance == 0
    assert not world.registry.isLiquidatable(world.carol, ids, world.latest(world.carol, ids))


def test_removal_skips_removed_operators(world: World) -> None:
    ids, keys, rates = open_cluster(world, keys=2)
    start = world.anvil.block_number()
    world.registry.removeOperator(ids[1], sender=world.alice)
    gone = world.anvil.block_number()
    receipt = remove(world, ids, keys[0])
    fee = rates.fee_units
    index = rates.index(receipt.block) - (receipt.block - gone) * fee
    found = world.latest(world.carol, ids)
    assert found.index == index
    used = rates.usage(receipt.block - start, eth=64) - (receipt.block - gone) * 2 * fee * 100_000
    assert found.balance == ETHER - used
    assert accounts(world, ids)[1] == (0, 0, 0)
    assert accounts(world, ids)[0][1:] == (32, 1)


def test_removal_from_a_liquidated_cluster_changes_only_its_count_and_weight(
    world: World,
) -> None:
    ids, keys, _ = open_cluster(world, keys=2)
    world.registry.liquidate(world.carol, ids, world.latest(world.carol, ids), sender=world.carol)
    before = world.latest(world.carol, ids)
    sums = accounts(world, ids), network_sums(world)
    receipt = remove(world, ids, keys[0])
    expected = before._replace(validator_count=1)
    assert_logs(
        receipt,
        world.registry.address,
        event("ValidatorRemoved", world.carol, ids, keys[0], expected),
    )
    assert (accounts(world, ids), network_sums(world)) == sums
    identity = world.registry.getClusterId(world.carol, ids)
    assert world.registry.getClusterHash(identity)[1] == 32


def test_owner_may_remove_and_withdraw_everything_while_liquidatable(world: World) -> None:
    ids, rates = open_operators(world)
    keys = world.register(world.carol, ids, value=rates.threshold())
    assert world.registry.isLiquidatable(
        world.carol, ids, world.latest(world.carol, ids), at="pending"
    )
    remove(world, ids, keys[0])
    left = world.latest(world.carol, ids)
    world.registry.withdraw(ids, left.balance, left, sender=world.carol)
    assert world.latest(world.carol, ids).balance == 0


# ------------------------------------------------------------------------------------- each check


def test_bulk_removal_needs_a_key(world: World) -> None:
    ids, _, _ = open_cluster(world)
    with reverts("ValidatorDoesNotExist"):
        bulk_remove(world, ids, [])


def test_removal_is_the_owners_because_the_cluster_is_named_by_the_caller(world: World) -> None:
    ids, keys, _ = open_cluster(world)
    with reverts("ClusterDoesNotExist"):
        remove(world, ids, keys[0], sender=world.stranger)


def test_removal_needs_the_current_struct(world: World) -> None:
    ids, keys, _ = open_cluster(world)
    wrong = world.latest(world.carol, ids)._replace(validator_count=2)
    with reverts("IncorrectClusterState"):
        remove(world, ids, keys[0], cluster=wrong)


def test_removal_needs_the_key_in_exactly_this_cluster(world: World) -> None:
    ids, keys, _ = open_cluster(world)
    others = world.operators(4)
    elsewhere = world.register(world.carol, others)
    daves = world.register(world.dave, ids)
    for key in (UNKNOWN, elsewhere[0], daves[0], b"", keys[0] + b"\0"):
        with reverts("IncorrectValidatorStateWithData", key):
            remove(world, ids, key)
        with reverts("IncorrectValidatorStateWithData", publicKey=key):
            bulk_remove(world, ids, [keys[0], key])


def test_checks_of_a_removal_come_in_this_order(world: World) -> None:
    ids, _, _ = open_cluster(world)
    unknown, wrong = world.operators(4), Cluster(9, 9, 9, True, 9)
    right = world.latest(world.carol, ids)
    for error, data, keys, operator_ids, cluster in (
        ("ValidatorDoesNotExist", (), [], unknown, wrong),
        ("ClusterDoesNotExist", (), [UNKNOWN], unknown, wrong),
        ("IncorrectClusterState", (), [UNKNOWN], ids, wrong),
        ("IncorrectValidatorStateWithData", (UNKNOWN,), [UNKNOWN], ids, right),
    ):
        with reverts(error, *data):
            bulk_remove(world, operator_ids, keys, cluster=cluster)
