"""Getters of clusters answer what a transaction in the same block would settle."""

from __future__ import annotations

import pytest

from sdk.types import keccak256
from tests.contracts.behaviour.abi import reverts
from tests.contracts.behaviour.expected import accounts, open_cluster, open_operators
from tests.contracts.behaviour.proofs import prove
from tests.contracts.behaviour.world import FEE_UNIT, Cluster, World

CLUSTER_VIEWS = (
    "isLiquidatable",
    "isLiquidated",
    "getBurnRate",
    "getBalance",
    "getEffectiveBalance",
)


@pytest.mark.parametrize("name", CLUSTER_VIEWS)
def test_every_cluster_view_needs_a_known_cluster_and_its_current_struct(
    world: World, name: str
) -> None:
    ids, _, _ = open_cluster(world)
    right = world.latest(world.carol, ids)
    ask = getattr(world.registry, name)
    ask(world.carol, ids, right)
    with reverts("ClusterDoesNotExist"):
        ask(world.dave, ids, right)
    with reverts("ClusterDoesNotExist"):
        ask(world.carol, ids[::-1], right)
    with reverts("IncorrectClusterState"):
        ask(world.carol, ids, right._replace(balance=right.balance + 1))


def test_views_of_a_liquidated_cluster(world: World) -> None:
    ids, _, _ = open_cluster(world)
    world.registry.liquidate(world.carol, ids, world.latest(world.carol, ids), sender=world.carol)
    asked = world.carol, ids, world.latest(world.carol, ids)
    assert world.registry.isLiquidated(*asked)
    assert not world.registry.isLiquidatable(*asked)
    assert world.registry.getBurnRate(*asked) == 0
    for name in ("getBalance", "getEffectiveBalance"):
        with reverts("ClusterIsLiquidated"):
            getattr(world.registry, name)(*asked)


@pytest.mark.parametrize("eth", [32, 33, 1_000, 2_048])
@pytest.mark.parametrize("size", [4, 13])
def test_balance_burn_rate_and_earnings_equal_what_the_same_block_settles(
    world: World, size: int, eth: int
) -> None:
    world.verifier()
    ids, keys, rates = open_cluster(world, size)
    if eth != 32:
        prove(world, ids, {keys[0]: eth})
    cluster = world.latest(world.carol, ids)
    world.anvil.mine(6)
    asked = world.carol, ids, cluster
    seen = world.registry.getBalance(*asked, at="pending")
    earned = [world.registry.getOperatorEarnings(one, at="pending") for one in ids]
    network = world.registry.getNetworkEarnings(at="pending")
    assert world.registry.getBurnRate(*asked) == rates.burn(eth=eth)
    with world.anvil.undone():
        world.registry.withdraw(ids, 0, cluster, sender=world.carol)
        assert world.latest(world.carol, ids).balance == seen
    with world.anvil.undone():
        world.registry.removeValidator(keys[0], ids, cluster, sender=world.carol)
        assert world.latest(world.carol, ids).balance == seen
        assert [account[0] for account in accounts(world, ids)] == earned
        assert world.registry.getNetworkEarnings() == network


def test_balance_in_the_block_of_an_event_is_the_events(world: World) -> None:
    ids, _, _ = open_cluster(world)
    world.anvil.mine(3)
    world.registry.withdraw(ids, 1, world.latest(world.carol, ids), sender=world.carol)
    found = world.latest(world.carol, ids)
    assert world.registry.getBalance(world.carol, ids, found) == found.balance


def test_liquidatable_is_what_a_liquidation_in_the_same_block_finds(world: World) -> None:
    ids, rates = open_operators(world, 13)
    world.register(world.carol, ids, value=rates.threshold() + 2 * rates.burn())
    cluster = world.latest(world.carol, ids)
    for expected in (False, False, True, True):
        seen = world.registry.isLiquidatable(world.carol, ids, cluster, at="pending")
        assert seen == expected
        with world.anvil.undone():
            if seen:
                world.registry.liquidate(world.carol, ids, cluster, sender=world.stranger)
            else:
                with reverts("ClusterNotLiquidatable"):
                    world.registry.liquidate(world.carol, ids, cluster, sender=world.stranger)
        world.anvil.mine()
        assert world.registry.isLiquidatable(world.carol, ids, cluster) == expected


def test_cluster_id_is_the_hash_of_owner_and_ids_as_words(world: World) -> None:
    owner, ids = "0x71562b71999873db5b286df957af199ec94617f7", [1, 2, 3, 4]
    known = "a341933234aa1e6dfd3b8d6677172bdcd0986b1e6afc2e84d321f154d9736717"
    assert world.registry.getClusterId(owner, ids).hex() == known


def test_asset_type_is_ether_for_clusters_that_exist(world: World) -> None:
    ids, _, _ = open_cluster(world)
    assert world.registry.getClusterAssetType(world.carol, ids) == 1
    with reverts("ClusterDoesNotExist"):
        world.registry.getClusterAssetType(world.dave, ids)


# -------------------------------------------------------------------------------------- audit words


def test_operator_words_decode_to_the_stored_account(world: World) -> None:
    world.verifier()
    ids, keys, rates = open_cluster(world, keys=2)
    prove(world, ids, {keys[0]: 100})
    settled = world.anvil.block_number()
    world.registry.setOperatorsPrivateUnchecked(ids[2:3], sender=world.alice)
    world.registry.removeOperator(ids[3], sender=world.alice)
    removed = world.anvil.block_number()
    words = [int.from_bytes(one, "big") for one in world.registry.getOperatorWords(1, 2**64 - 1)]
    assert len(words) == 4
    credit = rates.earnings(1, eth=64) // FEE_UNIT
    for at, stored in enumerate(words[:3]):
        index = (settled - rates.opened[at]) * rates.fee_units
        assert fields(stored, 32, 40, 64, 64, 32, 16, 8) == (
            settled, rates.fee_units, index, credit, 132, 2, int(at == 2),
        )  # fmt: skip
    frozen = (removed - rates.opened[3]) * rates.fee_units
    assert fields(words[3], 32, 40, 64, 64, 32, 16, 8) == (0, 0, frozen, 0, 0, 0, 0)
    for at, operator_id in enumerate(ids[:3]):
        found = world.registry.getOperatorAccounting(operator_id)
        assert found[1] == rates.fee_units * FEE_UNIT
        assert found[4:] == (132, 2)
        assert found[2] == (world.anvil.block_number() - rates.opened[at]) * rates.fee_units


def test_network_word_decodes_to_the_stored_account(world: World) -> None:
    world.verifier()
    ids, keys, rates = open_cluster(world, keys=2)
    prove(world, ids, {keys[0]: 100})
    settled = world.anvil.block_number()
    world.anvil.mine(2)
    stored = int.from_bytes(world.registry.getNetworkWord(), "big")
    earned = rates.network_earnings(1, eth=64) // FEE_UNIT
    index = rates.network_index(settled)
    assert fields(stored, 32, 24, 56, 80, 40, 24) == (
        settled, rates.network_fee_units, index, earned, 132, 2,
    )  # fmt: skip
    now = world.anvil.block_number()
    assert world.registry.getNetworkAccounting() == (
        now,
        rates.network_fee_units * FEE_UNIT,
        rates.network_index(now),
        earned * FEE_UNIT + rates.network_earnings(2, eth=132),
        132,
        2,
        0,
    )


def test_cluster_words_are_commitment_weight_and_sequence(world: World) -> None:
    first, _, _ = open_cluster(world)
    second, _, _ = open_cluster(world, keys=3)
    identities = [world.registry.getClusterId(world.carol, ids) for ids in (first, second)]
    words = world.registry.getClusterWords([*identities, bytes(32)])
    for at, ids in enumerate((first, second)):
        commitment = keccak256(encoded(world.latest(world.carol, ids)))[:24]
        assert words[at] == commitment + (32, 96)[at].to_bytes(4, "big") + bytes([0, 0, 0, at + 1])
        found = world.registry.getClusterHash(identities[at])
        assert found == (commitment + bytes(8), (32, 96)[at], at + 1)
    assert words[2] == bytes(32)
    assert world.registry.getClusterHash(bytes(32)) == (bytes(32), 0, 0)


def test_owner_words_are_nonce_and_fee_recipient(world: World) -> None:
    world.register(world.carol, world.operators(4), keys=3)
    world.registry.setFeeRecipientAddress(world.bob, sender=world.carol)
    words = world.registry.getOwnerWords([world.carol, world.dave])
    assert words[1] == bytes(32)
    assert fields(int.from_bytes(words[0], "big"), 32, 160) == (3, int(world.bob, 16))


def test_counters_count_what_was_ever_created_and_what_is_active(world: World) -> None:
    ids, _, _ = open_cluster(world, keys=3)
    world.register(world.dave, ids, keys=2)
    world.registry.liquidate(world.carol, ids, world.latest(world.carol, ids), sender=world.carol)
    world.registry.removeOperator(ids[0], sender=world.alice)
    block = world.anvil.block_number()
    assert world.registry.getRegistryCounters() == (4, 2, 2, block)


def test_operator_words_of_ids_beyond_the_last_are_left_out(world: World) -> None:
    world.operators(3)
    assert len(world.registry.getOperatorWords(2, 3)) == 2
    assert len(world.registry.getOperatorWords(3, 99)) == 1
    assert world.registry.getOperatorWords(4, 99) == ()
    assert world.registry.getOperatorWords(3, 2) == ()


def fields(stored: int, *bits: int) -> tuple[int, ...]:
    """Fields of a word from the lowest bit."""
    found = []
    for width in bits:
        found.append(stored & (1 << width) - 1)
        stored >>= width
    return tuple(found)


def encoded(cluster: Cluster) -> bytes:
    """The struct's ABI encoding: five words."""
    return b"".join(int(member).to_bytes(32, "big") for member in cluster)
