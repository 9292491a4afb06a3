"""Whitelists of operators whose ids lie far apart: a regression (contracts.md, 6.1 and 17.7).

An array from the first to the last group of 256 ids would need more memory than any block's gas.
Ids are handed out one by one, so the tests move the counter in storage.
"""

from __future__ import annotations

import pytest

from sdk.types import keccak256
from tests.contracts.behaviour.abi import assert_logs, event, reverts
from tests.contracts.behaviour.world import ETHER, NEW_CLUSTER, World, shares, validator_key, word

STORAGE = (
    int.from_bytes(
        keccak256(word(int.from_bytes(keccak256(b"phalanx.registry"), "big") - 1)), "big"
    )
    & ~0xFF
)
"""The registry's ERC-7201 slot (contracts/storage/Layout.sol)."""
COUNTERS = STORAGE + 2
SPARSE = [1, 255, 256, 511, 300_000, 2**40, 2**64 - 2]


@pytest.fixture
def sparse(world: World) -> list[int]:
    """Private operators of alice's with ids far apart."""
    return [operator_with_id(world, number) for number in SPARSE]


def operator_with_id(world: World, number: int) -> int:
    """A private operator of alice's with this id."""
    world.anvil.rpc(
        "anvil_setStorageAt",
        world.registry.address,
        "0x" + word(COUNTERS).hex(),
        "0x" + word(number - 1).hex(),
    )
    assert world.registry.getRegistryCounters()[0] == number - 1
    return world.operator(private=True)


def test_sparse_operators_are_listed_at_the_price_of_one_slot_each(
    world: World, sparse: list[int]
) -> None:
    assert sparse == SPARSE
    receipt = world.registry.setOperatorsWhitelists(sparse, [world.bob], sender=world.alice)
    assert_logs(
        receipt,
        world.registry.address,
        event("OperatorMultipleWhitelistUpdated", sparse, [world.bob]),
    )
    assert receipt.gas_used < 40_000 * len(sparse)
    assert list(world.registry.getWhitelistedOperators(sparse, world.bob)) == sparse


def test_sparse_operators_are_taken_off_the_list(world: World, sparse: list[int]) -> None:
    world.registry.setOperatorsWhitelists(sparse, [world.bob], sender=world.alice)
    receipt = world.registry.removeOperatorsWhitelists(sparse[::2], [world.bob], sender=world.alice)
    assert receipt.gas_used < 40_000 * len(sparse)
    assert list(world.registry.getWhitelistedOperators(sparse, world.bob)) == sparse[1::2]


@pytest.mark.parametrize("listed", SPARSE)
def test_a_listing_concerns_its_own_operator_alone(
    world: World, sparse: list[int], listed: int
) -> None:
    world.registry.setOperatorsWhitelists([listed], [world.bob], sender=world.alice)
    assert list(world.registry.getWhitelistedOperators(sparse, world.bob)) == [listed]
    assert list(world.registry.getWhitelistedOperators(sparse, world.carol)) == []


def test_a_cluster_of_sparse_operators_needs_the_listing_of_each(
    world: World, sparse: list[int]
) -> None:
    operators = [sparse[0], sparse[2], sparse[4], sparse[6]]
    world.registry.setOperatorsWhitelists(operators[:3], [world.carol], sender=world.alice)
    call = (validator_key(1), operators, shares(4), NEW_CLUSTER)
    with reverts("CallerNotWhitelistedWithData", operators[3]):
        world.registry.registerValidator(*call, sender=world.carol, value=ETHER)
    world.registry.setOperatorsWhitelists(operators[3:], [world.carol], sender=world.alice)
    world.registry.registerValidator(*call, sender=world.carol, value=ETHER)
    assert world.latest(world.carol, operators).validator_count == 1
