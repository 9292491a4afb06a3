"""Registering validators, one or several at a time."""

from __future__ import annotations

import pytest

from tests.contracts.behaviour.abi import assert_logs, event
from tests.contracts.behaviour.expected import (
    accounts,
    held,
    network_sums,
    open_cluster,
    open_operators,
)
from tests.contracts.behaviour.registering import KEY, SIZES, bulk, register
from tests.contracts.behaviour.world import (
    ETHER,
    NEW_CLUSTER,
    World,
    shares,
    validator_key,
)


@pytest.mark.parametrize("size", SIZES)
def test_registration_opens_a_cluster_of_every_size_and_logs_its_struct(
    world: World, size: int
) -> None:
    ids, rates = open_operators(world, size)
    given = shares(size, filler=3)
    receipt = register(world, ids, shares=given)
    expected = rates.struct(receipt.block, validators=1, balance=ETHER)
    assert_logs(
        receipt,
        world.registry.address,
        event("ValidatorAdded", world.carol, ids, KEY, given, expected),
    )
    assert accounts(world, ids) == [(0, 32, 1)] * size
    assert network_sums(world) == (32, 1)
    assert held(world) == ETHER
    assert world.registry.getValidator(world.carol, KEY)
    assert world.registry.getValidatorRecord(world.carol, KEY) == (world.carol, 1, 32, 0)
    assert world.registry.getNetworkValidatorsCount() == 1
    assert world.registry.getEffectiveBalance(world.carol, ids, expected) == 32
    assert world.registry.getBalance(world.carol, ids, expected) == ETHER


@pytest.mark.parametrize("size", SIZES)
def test_every_log_of_a_bulk_registration_carries_the_same_final_struct(
    world: World, size: int
) -> None:
    ids, rates = open_operators(world, size)
    keys = [validator_key(number) for number in (71, 70, 72)]
    given = [shares(size, filler=filler) for filler in (1, 2, 3)]
    receipt = bulk(world, ids, keys, shares=given)
    expected = rates.struct(receipt.block, validators=3, balance=ETHER)
    assert_logs(
        receipt,
        world.registry.address,
        *(
            event("ValidatorAdded", world.carol, ids, key, share, expected)
            for key, share in zip(keys, given, strict=True)
        ),
    )
    assert accounts(world, ids) == [(0, 96, 3)] * size
    assert network_sums(world) == (96, 3)
    assert world.registry.getOwnerNonce(world.carol) == 3


def test_registration_in_an_existing_cluster_settles_at_the_old_count_then_adds(
    world: World,
) -> None:
    ids, _, rates = open_cluster(world, keys=2)
    start = world.anvil.block_number()
    world.anvil.mine(10)
    receipt = register(world, ids, value=5)
    blocks = receipt.block - start
    expected = rates.struct(
        receipt.block, validators=3, balance=ETHER - rates.usage(blocks, eth=64) + 5
    )
    assert world.latest(world.carol, ids) == expected
    assert accounts(world, ids) == [(rates.earnings(blocks, eth=64), 96, 3)] * 4
    assert world.registry.getNetworkEarnings() == rates.network_earnings(blocks, eth=64)
    assert network_sums(world) == (96, 3)


def test_registration_without_ether_is_fine_while_the_balance_lasts(world: World) -> None:
    ids, _, _ = open_cluster(world)
    register(world, ids, value=0)
    assert world.latest(world.carol, ids).validator_count == 2
    assert held(world) == ETHER


def test_nonce_counts_every_registration_of_its_owner_and_never_goes_back(world: World) -> None:
    ids, keys, _ = open_cluster(world, keys=2)
    world.registry.removeValidator(keys[0], ids, world.latest(world.carol, ids), sender=world.carol)
    assert world.registry.getOwnerNonce(world.carol) == 2
    world.register(world.carol, ids, keys=3)
    world.register(world.dave, ids)
    assert world.registry.getOwnerNonce(world.carol) == 5
    assert world.registry.getOwnerNonce(world.dave) == 1
    topic = event("ValidatorAdded", world.carol, [], b"", b"", NEW_CLUSTER)[0]
    logs = world.anvil.logs(world.registry.address, ["0x" + part.hex() for part in topic])
    assert len(logs) == 5


def test_fee_recipient_is_stored_beside_the_nonce_and_logged(world: World) -> None:
    world.register(world.carol, world.operators(4), keys=2)
    receipt = world.registry.setFeeRecipientAddress(world.bob, sender=world.carol)
    assert_logs(
        receipt,
        world.registry.address,
        event("FeeRecipientAddressUpdated", world.carol, world.bob),
    )
    assert world.registry.getFeeRecipient(world.carol) == world.bob
    assert world.registry.getOwnerNonce(world.carol) == 2
    assert int(world.registry.getFeeRecipient(world.dave), 16) == 0


def test_removed_key_may_be_registered_again(world: World) -> None:
    ids, keys, _ = open_cluster(world, keys=2)
    world.registry.removeValidator(keys[0], ids, world.latest(world.carol, ids), sender=world.carol)
    register(world, ids, key=keys[0])
    assert world.registry.getValidator(world.carol, keys[0])
