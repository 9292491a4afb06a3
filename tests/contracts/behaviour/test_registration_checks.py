"""What a registration is refused for, and in which order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sdk.types import keccak256
from tests.contracts.behaviour.abi import reverts
from tests.contracts.behaviour.expected import (
    COLLATERAL_WEI,
    open_cluster,
    open_operators,
)
from tests.contracts.behaviour.registering import KEY, SIZES, bulk, register
from tests.contracts.behaviour.world import (
    NEW_CLUSTER,
    World,
    shares,
    validator_key,
)


def test_bulk_registration_needs_a_key(world: World) -> None:
    with reverts("EmptyPublicKeysList"):
        bulk(world, world.operators(4), [])


@pytest.mark.parametrize("count", [0, 1, 3])
def test_bulk_registration_needs_as_many_shares_as_keys(world: World, count: int) -> None:
    with reverts("PublicKeysSharesLengthMismatch"):
        bulk(world, world.operators(4), [KEY, validator_key(2)], shares=[shares(4)] * count)


@pytest.mark.parametrize("size", [0, 1, 3, 5, 6, 8, 9, 11, 12, 14, 16])
def test_cluster_of_any_other_size_is_refused(world: World, size: int) -> None:
    ids = list(range(1, size + 1))
    with reverts("InvalidOperatorIdsLength"):
        register(world, ids, cluster=NEW_CLUSTER)
    with reverts("InvalidOperatorIdsLength"):
        bulk(world, ids, [KEY])


@pytest.mark.parametrize("length", [0, 47, 49, 96])
def test_key_of_any_length_but_48_bytes_is_refused(world: World, length: int) -> None:
    ids = world.operators(4)
    with reverts("InvalidPublicKeyLength"):
        register(world, ids, key=bytes(length))
    with reverts("InvalidPublicKeyLength"):
        bulk(world, ids, [KEY, bytes(length)])


def test_key_registered_by_the_caller_is_refused_in_any_cluster_of_its(world: World) -> None:
    ids, keys, _ = open_cluster(world)
    others = world.operators(4)
    for cluster in (ids, others):
        with reverts("ValidatorAlreadyExistsWithData", keys[0]):
            register(world, cluster, key=keys[0])
    with reverts("ValidatorAlreadyExistsWithData", publicKey=keys[0]):
        bulk(world, others, [KEY, keys[0]])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("difference", [-1, 1, 304])
def test_shares_of_any_length_but_96_and_304_per_operator_are_refused(
    world: World, size: int, difference: int
) -> None:
    ids = list(range(1, size + 1))
    wrong = bytes(96 + 304 * size + difference)
    with reverts("InvalidSharesLength"):
        register(world, ids, shares=wrong, cluster=NEW_CLUSTER)
    with reverts("InvalidSharesLength"):
        bulk(world, ids, [KEY], shares=[wrong])


@pytest.mark.parametrize(
    "wrong",
    [(1, 0, 0, True, 0), (0, 1, 0, True, 0), (0, 0, 1, True, 0), (0, 0, 0, False, 0),
     (0, 0, 0, True, 1)],
)  # fmt: skip
def test_new_cluster_is_passed_as_zeros_and_active(world: World, wrong: tuple[Any, ...]) -> None:
    ids = world.operators(4)
    with reverts("IncorrectClusterState"):
        register(world, ids, cluster=wrong)


@pytest.mark.parametrize("member", range(5))
def test_known_cluster_needs_its_current_struct_in_every_member(world: World, member: int) -> None:
    ids, _, _ = open_cluster(world)
    wrong = list(world.latest(world.carol, ids))
    wrong[member] = not wrong[member] if member == 3 else wrong[member] + 1
    with reverts("IncorrectClusterState"):
        register(world, ids, cluster=tuple(wrong))
    with reverts("IncorrectClusterState"):
        register(world, ids, cluster=NEW_CLUSTER)


def test_emptied_cluster_keeps_its_struct_and_is_not_new_again(world: World) -> None:
    ids, keys, _ = open_cluster(world)
    world.registry.removeValidator(keys[0], ids, world.latest(world.carol, ids), sender=world.carol)
    with reverts("IncorrectClusterState"):
        register(world, ids, cluster=NEW_CLUSTER)
    register(world, ids)


def test_liquidated_cluster_takes_no_validator(world: World) -> None:
    ids, _, _ = open_cluster(world)
    world.registry.liquidate(world.carol, ids, world.latest(world.carol, ids), sender=world.carol)
    with reverts("ClusterIsLiquidated"):
        register(world, ids)


def test_operator_ids_descend_nowhere(world: World) -> None:
    one, two, three, four = world.operators(4)
    for ids in ([two, one, three, four], [one, two, four, three]):
        with reverts("UnsortedOperatorsList"):
            register(world, ids)


def test_operator_ids_repeat_nowhere(world: World) -> None:
    one, two, three, _ = world.operators(4)
    for ids in ([one, one, two, three], [one, two, three, three]):
        with reverts("OperatorsListNotUnique"):
            register(world, ids)


def test_operator_must_exist(world: World) -> None:
    ids = world.operators(4)
    with reverts("OperatorDoesNotExist"):
        register(world, [*ids[:3], ids[3] + 1])
    world.registry.removeOperator(ids[1], sender=world.alice)
    with reverts("OperatorDoesNotExist"):
        register(world, ids)


def test_operator_id_zero_does_not_exist(world: World) -> None:
    ids = world.operators(3)
    with reverts("OperatorDoesNotExist"):
        register(world, [0, *ids])


def test_private_operator_admits_only_those_it_lists(world: World) -> None:
    ids = world.operators(3) + world.operators(1, private=True)
    with reverts("CallerNotWhitelistedWithData", ids[3]):
        register(world, ids)
    world.registry.setOperatorsWhitelists(ids[3:], [world.carol], sender=world.alice)
    register(world, ids)
    with reverts("CallerNotWhitelistedWithData", operatorId=ids[3]):
        register(world, ids, sender=world.dave, cluster=NEW_CLUSTER)


def test_operator_takes_no_more_validators_than_the_limit(world: World) -> None:
    small = replace(world, registry=world.another(validatorsPerOperatorLimit=2))
    ids = small.operators(5)
    small.register(world.dave, ids[1:])
    with reverts("ExceedValidatorLimitWithData", ids[1]):
        bulk(small, ids[:4], [KEY, validator_key(2)])
    register(small, ids[:4])
    with reverts("ExceedValidatorLimitWithData", operatorId=ids[1]):
        register(small, ids[:4], key=validator_key(2))


def test_first_ether_must_reach_the_threshold_to_the_wei(world: World) -> None:
    ids, rates = open_operators(world)
    assert rates.threshold() == COLLATERAL_WEI
    with reverts("InsufficientBalance"):
        register(world, ids, value=COLLATERAL_WEI - 1)
    register(world, ids, value=COLLATERAL_WEI)


def test_threshold_counts_the_validators_just_added(world: World) -> None:
    ids, rates = open_operators(world)
    keys = [validator_key(number) for number in range(1, 4)]
    needed = rates.threshold(eth=96)
    assert needed > COLLATERAL_WEI
    with reverts("InsufficientBalance"):
        bulk(world, ids, keys, value=needed - 1)
    receipt = bulk(world, ids, keys, value=needed)
    cluster = rates.struct(receipt.block, validators=3, balance=needed)
    assert not world.registry.isLiquidatable(world.carol, ids, cluster)
    assert world.registry.isLiquidatable(world.carol, ids, cluster, at="pending")


def test_registry_counts_no_more_validators_than_its_word_holds(world: World) -> None:
    ids = world.operators(4)
    most = 2**24 - 1
    stored = int.from_bytes(world.registry.getNetworkWord(), "big")
    full = (stored + ((most - 1) << 232)).to_bytes(32, "big")
    world.anvil.rpc("anvil_setStorageAt", world.registry.address, network_slot(), "0x" + full.hex())
    with reverts("TooManyValidators", most):
        bulk(world, ids, [KEY, validator_key(2)], value=0)
    register(world, ids)
    assert world.registry.getNetworkValidatorsCount() == most


def network_slot() -> str:
    """ERC-7201 slot of "phalanx.registry", where the network's word is."""
    inner = int.from_bytes(keccak256(b"phalanx.registry"), "big") - 1
    return "0x" + (keccak256(inner.to_bytes(32, "big"))[:31] + b"\0").hex()


# ---------------------------------------------------------------------------------- order of checks


def test_checks_of_a_registration_come_in_this_order(world: World) -> None:
    """Each call breaks the rule named and every later one that can be broken at the same time."""
    small = replace(world, registry=world.another(validatorsPerOperatorLimit=1))
    ids = small.operators(12)
    gone, private, full, full_private, free = ids[0], ids[1], ids[6], ids[7], ids[8]
    taken = small.register(world.carol, ids[:4])[0]
    closed = small.latest(world.carol, ids[:4])
    small.registry.liquidate(world.carol, ids[:4], closed, sender=world.carol)
    closed = small.latest(world.carol, ids[:4])
    small.register(world.dave, ids[4:8])
    small.registry.setOperatorsPrivateUnchecked([gone, private, full_private], sender=world.alice)
    small.registry.removeOperator(gone, sender=world.alice)

    wrong, bad, right = (9, 9, 9, False, 9), b"short", shares(4)
    unsorted = [free, gone, private, full]
    five = [*unsorted, free]
    for error, data, keys, operator_ids, given, cluster in (
        ("EmptyPublicKeysList", (), [], five, [bad], wrong),
        ("PublicKeysSharesLengthMismatch", (), [bad], five, [bad, bad], wrong),
        ("InvalidOperatorIdsLength", (), [bad], five, [bad], wrong),
        ("InvalidPublicKeyLength", (), [bad], unsorted, [bad], wrong),
        ("ValidatorAlreadyExistsWithData", (taken,), [taken], unsorted, [bad], wrong),
        ("InvalidSharesLength", (), [KEY], unsorted, [bad], wrong),
        ("IncorrectClusterState", (), [KEY], unsorted, [right], wrong),
        ("ClusterIsLiquidated", (), [KEY], ids[:4], [right], closed),
        ("UnsortedOperatorsList", (), [KEY], unsorted, [right], NEW_CLUSTER),
        ("OperatorsListNotUnique", (), [KEY], [free, free, gone, full], [right], NEW_CLUSTER),
        ("OperatorDoesNotExist", (), [KEY], [gone, private, full, free], [right], NEW_CLUSTER),
        ("CallerNotWhitelistedWithData", (full_private,), [KEY],
         [full_private, free, free, gone], [right], NEW_CLUSTER),
        ("ExceedValidatorLimitWithData", (full,), [KEY], [full, free, free, gone], [right],
         NEW_CLUSTER),
        ("InsufficientBalance", (), [KEY], ids[8:], [right], NEW_CLUSTER),
    ):  # fmt: skip
        with reverts(error, *data):
            bulk(small, operator_ids, keys, shares=given, cluster=cluster, value=0)
