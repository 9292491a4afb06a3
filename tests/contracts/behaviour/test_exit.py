"""Asking the operators to exit validators."""

from __future__ import annotations

from typing import Any

from tests.contracts.behaviour.abi import assert_logs, event, reverts
from tests.contracts.behaviour.expected import (
    open_cluster,
)
from tests.contracts.behaviour.world import World, validator_key

UNKNOWN = validator_key(9_002)


def test_exit_logs_and_changes_nothing(world: World) -> None:
    ids, keys, _ = open_cluster(world, keys=2)
    words = all_words(world, ids)
    for _ in range(2):
        receipt = world.registry.exitValidator(keys[0], ids, sender=world.carol)
        assert_logs(
            receipt,
            world.registry.address,
            event("ValidatorExited", world.carol, ids, keys[0]),
        )
    receipt = world.registry.bulkExitValidator([keys[1], keys[0]], ids, sender=world.carol)
    assert_logs(
        receipt,
        world.registry.address,
        *(event("ValidatorExited", world.carol, ids, key) for key in (keys[1], keys[0])),
    )
    assert all_words(world, ids) == words


def test_exit_from_a_liquidated_cluster_is_allowed(world: World) -> None:
    ids, keys, _ = open_cluster(world)
    world.registry.liquidate(world.carol, ids, world.latest(world.carol, ids), sender=world.carol)
    receipt = world.registry.exitValidator(keys[0], ids, sender=world.carol)
    assert_logs(
        receipt, world.registry.address, event("ValidatorExited", world.carol, ids, keys[0])
    )


def test_bulk_exit_needs_a_key(world: World) -> None:
    ids, _, _ = open_cluster(world)
    with reverts("ValidatorDoesNotExist"):
        world.registry.bulkExitValidator([], ids, sender=world.carol)


def test_exit_needs_the_callers_key_in_exactly_this_cluster(world: World) -> None:
    ids, keys, _ = open_cluster(world)
    others = world.operators(4)
    elsewhere = world.register(world.carol, others)
    for sender, key, operator_ids in (
        (world.carol, UNKNOWN, ids),
        (world.carol, elsewhere[0], ids),
        (world.carol, keys[0], others),
        (world.carol, keys[0], ids[::-1]),
        (world.carol, keys[0], []),
        (world.stranger, keys[0], ids),
        (world.stranger, UNKNOWN, ids),
    ):
        with reverts("IncorrectValidatorStateWithData", key):
            world.registry.exitValidator(key, operator_ids, sender=sender)
        with reverts("IncorrectValidatorStateWithData", publicKey=key):
            world.registry.bulkExitValidator([key], operator_ids, sender=sender)


def test_exit_of_a_removed_validator_is_refused(world: World) -> None:
    ids, keys, _ = open_cluster(world)
    cluster = world.latest(world.carol, ids)
    world.registry.removeValidator(keys[0], ids, cluster, sender=world.carol)
    with reverts("IncorrectValidatorStateWithData", keys[0]):
        world.registry.exitValidator(keys[0], ids, sender=world.carol)


def all_words(world: World, ids: list[int]) -> tuple[Any, ...]:
    """Everything stored of a cluster of carol's and its parties."""
    identity = world.registry.getClusterId(world.carol, ids)
    return (
        world.registry.getClusterWords([identity]),
        world.registry.getOperatorWords(ids[0], ids[-1]),
        world.registry.getOwnerWords([world.carol]),
        world.registry.getNetworkWord(),
    )
