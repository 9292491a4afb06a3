"""Findings about other registries of this kind that ours must not repeat."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.contracts.behaviour.abi import reverts
from tests.contracts.behaviour.expected import (
    accounts,
    held,
    network_sums,
    open_cluster,
    open_operators,
)
from tests.contracts.behaviour.proofs import prove
from tests.contracts.behaviour.world import (
    ETHER,
    FEE_UNIT,
    NEW_CLUSTER,
    World,
    shares,
    validator_key,
)

MOST_ETH = 2048


def close(world: World, ids: list[int], sender: str | None = None) -> None:
    """Liquidate carol's cluster; she does unless told otherwise."""
    cluster = world.latest(world.carol, ids)
    world.registry.liquidate(world.carol, ids, cluster, sender=sender or world.carol)


def reopen(world: World, ids: list[int], value: int) -> None:
    """Reactivate carol's cluster."""
    cluster = world.latest(world.carol, ids)
    world.registry.reactivate(ids, cluster, sender=world.carol, value=value)


@pytest.mark.parametrize("last", ["liquidate", "remove"])
def test_removed_operator_and_raised_balance_never_underflow(world: World, last: str) -> None:
    world.verifier()
    ids, keys, _ = open_cluster(world)
    prove(world, ids, {keys[0]: MOST_ETH}, sender=world.carol, value=10 * ETHER)
    world.registry.removeOperator(ids[0], sender=world.alice)
    close(world, ids)
    reopen(world, ids, 10 * ETHER)
    assert [account[1:] for account in accounts(world, ids)] == [(0, 0)] + [(MOST_ETH, 1)] * 3
    if last == "liquidate":
        close(world, ids)
    else:
        cluster = world.latest(world.carol, ids)
        world.registry.removeValidator(keys[0], ids, cluster, sender=world.carol)
    assert [account[1:] for account in accounts(world, ids)] == [(0, 0)] * 4
    assert network_sums(world) == (0, 0)
    word = world.registry.getOperatorWords(ids[0], ids[0])[0]
    world.anvil.mine(3)
    assert world.registry.getOperatorWords(ids[0], ids[0])[0] == word


def test_registration_is_tested_with_the_proven_balance_and_the_validators_added(
    world: World,
) -> None:
    world.verifier()
    ids, rates = open_operators(world)
    key = world.register(world.carol, ids, value=ETHER)[0]
    needed = rates.threshold(eth=MOST_ETH)
    prove(world, ids, {key: MOST_ETH}, sender=world.carol, value=needed)
    held_back = world.latest(world.carol, ids)
    world.registry.withdraw(
        ids,
        held_back.balance - rates.usage(1, eth=MOST_ETH) - needed,
        held_back,
        sender=world.carol,
    )
    keys = [validator_key(number) for number in range(9_200, 9_210)]
    cluster = world.latest(world.carol, ids)
    missing = rates.threshold(eth=MOST_ETH + 320) - needed + rates.usage(1, eth=MOST_ETH)
    for value, accepted in ((0, False), (missing - 1, False), (missing, True)):
        with world.anvil.undone():
            arguments = (keys, ids, [shares(4)] * 10, cluster)
            if not accepted:
                with reverts("InsufficientBalance"):
                    world.registry.bulkRegisterValidator(
                        *arguments, sender=world.carol, value=value
                    )
                continue
            world.registry.bulkRegisterValidator(*arguments, sender=world.carol, value=value)
            found = world.latest(world.carol, ids)
            assert not world.registry.isLiquidatable(world.carol, ids, found)


def test_two_owners_register_one_key_and_neither_stands_in_the_others_way(world: World) -> None:
    world.verifier()
    ids, keys, _ = open_cluster(world)
    key = keys[0]
    world.registry.registerValidator(
        key, ids, shares(4, filler=9), NEW_CLUSTER, sender=world.dave, value=ETHER
    )
    prove(world, ids, {key: 64})
    records = [world.registry.getValidatorRecord(owner, key) for owner in (world.carol, world.dave)]
    assert records == [(world.carol, 1, 64, 1), (world.dave, 2, 32, 0)]
    daves = world.latest(world.dave, ids)
    world.registry.exitValidator(key, ids, sender=world.dave)
    world.registry.removeValidator(key, ids, daves, sender=world.dave)
    assert world.registry.getValidator(world.carol, key)
    assert not world.registry.getValidator(world.dave, key)
    assert network_sums(world) == (64, 1)


def test_unregistered_key_cannot_be_exited_even_where_no_cluster_is(world: World) -> None:
    ids, keys, _ = open_cluster(world)
    for operator_ids in ([], [1], ids, ids[:3]):
        for key in (b"", bytes(48), validator_key(9_300), keys[0]):
            with reverts("IncorrectValidatorStateWithData", key):
                world.registry.exitValidator(key, operator_ids, sender=world.stranger)


def test_second_transaction_of_a_block_with_the_same_struct_is_refused(world: World) -> None:
    ids, _, _ = open_cluster(world)
    cluster = world.latest(world.carol, ids)
    first = world.registry.submit("withdraw", ids, 1, cluster, sender=world.carol)
    second = world.registry.submit("withdraw", ids, 2, cluster, sender=world.carol)
    world.anvil.mine()
    block = world.anvil.receipt(first).block
    with reverts("IncorrectClusterState"):
        world.anvil.receipt(second)
    assert held(world) == ETHER - 1
    assert world.anvil.block_number() == block


def test_struct_of_before_a_liquidation_does_not_revive_the_cluster(world: World) -> None:
    ids, keys, _ = open_cluster(world)
    old = world.latest(world.carol, ids)
    close(world, ids)
    for name, arguments in (
        ("withdraw", (ids, 1, old)),
        ("liquidate", (world.carol, ids, old)),
        ("removeValidator", (keys[0], ids, old)),
        ("registerValidator", (validator_key(9_310), ids, shares(4), old)),
        ("deposit", (world.carol, ids, old)),
        ("reactivate", (ids, old._replace(active=False))),
    ):
        with reverts("IncorrectClusterState"):
            world.registry.transact(name, *arguments, sender=world.carol)


def test_strangers_dust_does_not_void_what_the_owner_has_sent(world: World) -> None:
    ids, _, _ = open_cluster(world)
    cluster = world.latest(world.carol, ids)
    dust = world.registry.submit("deposit", world.carol, ids, cluster, sender=world.bob, value=1)
    owners = world.registry.submit("withdraw", ids, 5, cluster, sender=world.carol)
    world.anvil.mine()
    with reverts("DepositTooSmall"):
        world.anvil.receipt(dust)
    assert len(world.anvil.receipt(owners).logs) == 1


def test_proof_that_changes_nothing_does_not_void_what_the_owner_has_sent(world: World) -> None:
    world.verifier()
    ids, keys, _ = open_cluster(world)
    cluster = world.latest(world.carol, ids)
    with reverts("NothingChanged"):
        prove(world, ids, {keys[0]: 32}, value=1)
    assert world.latest(world.carol, ids) == cluster


def test_one_key_twice_in_a_bulk_registration_is_refused_at_the_second(world: World) -> None:
    ids = world.operators(4)
    key = validator_key(9_320)
    with reverts("ValidatorAlreadyExistsWithData", key):
        world.registry.bulkRegisterValidator(
            [key, validator_key(9_321), key],
            ids,
            [shares(4)] * 3,
            NEW_CLUSTER,
            sender=world.carol,
            value=ETHER,
        )


def test_one_key_twice_in_a_bulk_removal_is_refused_at_the_second(world: World) -> None:
    ids, keys, _ = open_cluster(world, keys=3)
    with reverts("IncorrectValidatorStateWithData", keys[0]):
        world.registry.bulkRemoveValidator(
            [keys[0], keys[1], keys[0]], ids, world.latest(world.carol, ids), sender=world.carol
        )


def test_bulk_removal_counts_its_list_and_believes_no_struct(world: World) -> None:
    ids, keys, _ = open_cluster(world, keys=5)
    right = world.latest(world.carol, ids)
    for count in (0, 3, 4, 6):
        with reverts("IncorrectClusterState"):
            world.registry.bulkRemoveValidator(
                keys[:3], ids, right._replace(validator_count=count), sender=world.carol
            )
    world.registry.bulkRemoveValidator(keys[:3], ids, right, sender=world.carol)
    assert world.latest(world.carol, ids).validator_count == 2
    assert [account[1:] for account in accounts(world, ids)] == [(64, 2)] * 4


def test_proven_balance_does_not_survive_the_removal_of_all_validators(world: World) -> None:
    world.verifier()
    ids, keys, _ = open_cluster(world)
    prove(world, ids, {keys[0]: MOST_ETH}, sender=world.carol, value=10 * ETHER)
    cluster = world.latest(world.carol, ids)
    world.registry.removeValidator(keys[0], ids, cluster, sender=world.carol)
    assert world.registry.getEffectiveBalance(world.carol, ids, world.latest(world.carol, ids)) == 0
    world.register(world.carol, ids, value=0)
    assert [account[1:] for account in accounts(world, ids)] == [(32, 1)] * 4


def test_removed_operator_is_not_revived_by_its_clusters(world: World) -> None:
    world.verifier()
    ids, keys, _ = open_cluster(world, keys=2)
    world.registry.removeOperator(ids[2], sender=world.alice)
    word = world.registry.getOperatorWords(ids[2], ids[2])[0]
    prove(world, ids, {keys[0]: 64})
    close(world, ids)
    reopen(world, ids, ETHER)
    cluster = world.latest(world.carol, ids)
    world.registry.bulkRemoveValidator(keys, ids, cluster, sender=world.carol)
    assert world.registry.getOperatorWords(ids[2], ids[2])[0] == word
    assert not world.registry.getOperatorById(ids[2])[5]
    assert world.registry.getOperatorEarnings(ids[2]) == 0


def test_fee_change_never_acts_backwards_on_a_cluster(world: World) -> None:
    ids, _, rates = open_cluster(world)
    cluster, start = world.latest(world.carol, ids), world.anvil.block_number()
    world.anvil.mine(8)
    receipt = world.registry.reduceOperatorFee(ids[0], 0, sender=world.alice)
    at_old_fee = ETHER - rates.usage(receipt.block - start)
    assert world.registry.getBalance(world.carol, ids, cluster) == at_old_fee
    world.anvil.mine(2)
    spared = 2 * rates.fee_units * FEE_UNIT
    left = ETHER - rates.usage(receipt.block + 2 - start) + spared
    assert world.registry.getBalance(world.carol, ids, cluster) == left


def test_highest_fees_weights_and_period_overflow_nowhere(world: World) -> None:
    highest = (2**30 - 1) * FEE_UNIT
    registry = world.another(
        networkFee=38_000_000_000,
        maximumOperatorFee=highest,
        liquidationThresholdPeriod=432_000,
        minimumLiquidationCollateral=5 * 10**16,
        validatorsPerOperatorLimit=65_535,
    )
    world = replace(world, registry=registry)
    world.verifier()
    ids = world.operators(13, fee=highest)
    value = 700 * ETHER
    keys = world.register(world.carol, ids, value=value)
    prove(world, ids, {keys[0]: MOST_ETH}, slot=1)
    closed = world.latest(world.carol, ids)
    assert not closed.active
    world.anvil.set_balance(world.carol, 10**6 * ETHER)
    burn = (13 * highest + 38_000_000_000) * 64
    reopen(world, ids, 432_000 * burn - closed.balance)
    world.anvil.mine(100)
    found = world.latest(world.carol, ids)
    assert registry.getBurnRate(world.carol, ids, found) == burn
    assert registry.getBalance(world.carol, ids, found) == (432_000 - 100) * burn
    close(world, ids, sender=world.stranger)
    assert accounts(world, ids)[0][1:] == (0, 0)
