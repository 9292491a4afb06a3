"""Proving effective balances, and what they change."""

from __future__ import annotations

import pytest

from tests.contracts.behaviour.abi import assert_logs, event, reverts
from tests.contracts.behaviour.expected import (
    accounts,
    network_sums,
    open_cluster,
)
from tests.contracts.behaviour.proofs import GWEI_PER_ETH, proof, prove
from tests.contracts.behaviour.world import (
    ETHER,
    Cluster,
    World,
    validator_key,
)

UNKNOWN = validator_key(9_003)


@pytest.fixture(autouse=True)
def verifier(world: World) -> None:
    """Every proof is believed."""
    world.verifier()


@pytest.mark.parametrize("size", [4, 7, 10, 13])
def test_higher_balance_is_charged_from_this_block_on(world: World, size: int) -> None:
    ids, keys, rates = open_cluster(world, size, keys=2)
    start = world.anvil.block_number()
    world.anvil.mine(5)
    receipt = prove(world, ids, {keys[1]: 64}, slot=77)
    blocks = receipt.block - start
    balance = ETHER - rates.usage(blocks, eth=64)
    expected = rates.struct(receipt.block, validators=2, balance=balance)
    identity = world.registry.getClusterId(world.carol, ids)
    assert_logs(
        receipt,
        world.registry.address,
        event("ValidatorEffectiveBalanceUpdated", world.carol, identity, keys[1], 64, 77),
        event("ClusterBalanceUpdated", world.carol, ids, receipt.block, 96, expected),
    )
    earned = rates.earnings(blocks, eth=64)
    assert accounts(world, ids) == [(earned, 96, 2)] * size
    assert network_sums(world) == (96, 2)
    assert world.registry.getValidatorRecord(world.carol, keys[1])[2:] == (64, 77)
    assert world.registry.getValidatorRecord(world.carol, keys[0])[2:] == (32, 0)
    assert world.registry.getEffectiveBalance(world.carol, ids, expected) == 96
    world.anvil.mine(3)
    after = world.registry.getBalance(world.carol, ids, expected)
    assert after == balance - rates.usage(3, eth=96)
    assert accounts(world, ids)[0][0] == earned + rates.earnings(3, eth=96)


def test_lower_balance_is_charged_from_this_block_on(world: World) -> None:
    ids, keys, rates = open_cluster(world)
    prove(world, ids, {keys[0]: 2048}, slot=1)
    first = world.latest(world.carol, ids)
    start = world.anvil.block_number()
    world.anvil.mine(4)
    receipt = prove(world, ids, {keys[0]: 33}, slot=2)
    left = first.balance - rates.usage(receipt.block - start, eth=2048)
    expected = rates.struct(receipt.block, validators=1, balance=left)
    assert world.latest(world.carol, ids) == expected
    assert [account[1:] for account in accounts(world, ids)] == [(33, 1)] * 4
    assert network_sums(world) == (33, 1)


def test_charges_round_up_and_earnings_round_down(world: World) -> None:
    ids, keys, rates = open_cluster(world)
    prove(world, ids, {keys[0]: 33})
    before, earned = world.latest(world.carol, ids), accounts(world, ids)[0][0]
    world.anvil.mine(1)
    fee = rates.fee_units
    assert rates.all_units * 33 % 32
    assert fee * 33 % 32
    used = -(-rates.all_units * 33 // 32) * 100_000
    assert world.registry.getBalance(world.carol, ids, before) == before.balance - used
    assert accounts(world, ids)[0][0] == earned + fee * 33 // 32 * 100_000


@pytest.mark.parametrize(
    ("gwei", "eth"),
    [
        (64 * GWEI_PER_ETH - 1, 63),
        (2048 * GWEI_PER_ETH, 2048),
        (2049 * GWEI_PER_ETH, 2048),
        (2**64 - 1, 2048),
    ],
)
def test_balance_counts_in_whole_eth_up_to_2048(world: World, gwei: int, eth: int) -> None:
    ids, keys, _ = open_cluster(world)
    proofs = [proof(keys[0], gwei)]
    world.registry.proveEffectiveBalances(
        world.carol,
        ids,
        world.latest(world.carol, ids),
        1,
        bytes(32),
        [],
        proofs,
        sender=world.bob,
    )
    assert world.registry.getValidatorRecord(world.carol, keys[0])[2] == eth


@pytest.mark.parametrize("eth", [0, 1, 31, 32])
def test_balance_below_32_counts_as_32(world: World, eth: int) -> None:
    ids, keys, _ = open_cluster(world)
    with reverts("NothingChanged"):
        prove(world, ids, {keys[0]: eth})
    prove(world, ids, {keys[0]: 40}, slot=1)
    prove(world, ids, {keys[0]: eth}, slot=2)
    assert world.registry.getValidatorRecord(world.carol, keys[0])[2:] == (32, 2)


def test_proofs_that_change_nothing_are_refused_and_those_that_change_one_are_not(
    world: World,
) -> None:
    ids, keys, _ = open_cluster(world, keys=2)
    with reverts("NothingChanged"):
        prove(world, ids, {})
    with reverts("NothingChanged"):
        prove(world, ids, dict.fromkeys(keys, 32), value=1)
    receipt = prove(world, ids, {keys[0]: 32, keys[1]: 40}, slot=9)
    assert len(receipt.logs) == 3
    assert world.registry.getValidatorRecord(world.carol, keys[0])[2:] == (32, 9)


def test_balances_that_change_against_each_other_are_a_change(world: World) -> None:
    ids, keys, _ = open_cluster(world, keys=2)
    prove(world, ids, {keys[0]: 40}, slot=1)
    prove(world, ids, {keys[0]: 32, keys[1]: 40}, slot=2)
    records = [world.registry.getValidatorRecord(world.carol, key)[2] for key in keys]
    assert records == [32, 40]
    assert network_sums(world) == (72, 2)


@pytest.mark.parametrize("slot", [4, 5])
def test_proof_must_be_newer_than_the_records_last_one(world: World, slot: int) -> None:
    ids, keys, _ = open_cluster(world, keys=2)
    prove(world, ids, {keys[0]: 40}, slot=5)
    with reverts("ProofOlderThanRecord", keys[0]):
        prove(world, ids, {keys[1]: 50, keys[0]: 64}, slot=slot)
    prove(world, ids, {keys[1]: 64}, slot=slot)


def test_slot_zero_is_never_newer(world: World) -> None:
    ids, keys, _ = open_cluster(world)
    with reverts("ProofOlderThanRecord", keys[0]):
        prove(world, ids, {keys[0]: 64}, slot=0)


def test_one_key_twice_in_a_call_is_refused(world: World) -> None:
    ids, keys, _ = open_cluster(world)
    with reverts("ProofOlderThanRecord", publicKey=keys[0]):
        prove(world, ids, [(keys[0], 64), (keys[0], 64)])


def test_key_must_be_registered_in_this_cluster(world: World) -> None:
    ids, keys, _ = open_cluster(world)
    elsewhere = world.register(world.carol, world.operators(4))[0]
    daves = world.register(world.dave, ids)[0]
    for key in (UNKNOWN, elsewhere, daves, b""):
        with reverts("IncorrectValidatorStateWithData", key):
            prove(world, ids, [(keys[0], 64), (key, 64)])


def test_slot_must_fit_the_record(world: World) -> None:
    ids, keys, _ = open_cluster(world)
    with reverts("InvalidProof"):
        prove(world, ids, {keys[0]: 64}, slot=2**40)
    prove(world, ids, {keys[0]: 64}, slot=2**40 - 1)
    assert world.registry.getValidatorRecord(world.carol, keys[0])[2:] == (64, 2**40 - 1)


def test_checks_of_a_proof_come_in_this_order(world: World) -> None:
    ids, keys, _ = open_cluster(world, keys=2)
    prove(world, ids, {keys[1]: 64}, slot=9)
    unknown, wrong, late = world.operators(4), Cluster(9, 9, 9, True, 9), 2**40
    right = world.latest(world.carol, ids)
    strangers = [(UNKNOWN, 32), (keys[1], 64)]
    with world.anvil.undone():
        world.registry.updateBeaconVerifier("0x" + "00" * 20, sender=world.governor)
        with reverts("ClusterDoesNotExist"):
            prove(world, unknown, strangers, slot=late, cluster=wrong)
        with reverts("IncorrectClusterState"):
            prove(world, ids, strangers, slot=late, cluster=wrong)
        with reverts("VerifierNotSet"):
            prove(world, ids, strangers, slot=late, cluster=right)
    for error, data, pairs, slot in (
        ("InvalidProof", (), strangers, late),
        ("IncorrectValidatorStateWithData", (UNKNOWN,), strangers, 9),
        ("ProofOlderThanRecord", (keys[1],), [(keys[1], 64)], 9),
        ("NothingChanged", (), [(keys[1], 64)], 10),
    ):
        with reverts(error, *data):
            prove(world, ids, pairs, slot=slot)
