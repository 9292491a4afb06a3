"""Registering and removing operators (contracts.md, section 6)."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode

from sdk.toolchain.deploy import DEFAULT_PARAMETERS, NO_ADDRESS
from tests.contracts.behaviour.abi import assert_logs, event, reverts
from tests.contracts.behaviour.world import OPERATOR_FEE, World, operator_key, shares, validator_key

LOWEST = DEFAULT_PARAMETERS["minimumOperatorFee"]
HIGHEST = DEFAULT_PARAMETERS["maximumOperatorFee"]
KNOWN, FRESH = operator_key(1), operator_key(2)
NOT_A_STRING = b"-----BEGIN RSA PUBLIC KEY-----"
LARGEST_UINT256 = 2**256 - 1

MALFORMED = {
    "empty": b"",
    "no string inside": encode(["string"], [""]),
    "text without encoding": NOT_A_STRING,
    "offset is not 32": (64).to_bytes(32, "big") + encode(["string"], ["key"])[32:],
    "length beyond the end": (32).to_bytes(32, "big") + (33).to_bytes(32, "big") + bytes(32),
    "length near 2^256": (32).to_bytes(32, "big") + LARGEST_UINT256.to_bytes(32, "big") + bytes(32),
    "one word too many": encode(["string"], ["key"]) + bytes(32),
    "one byte too many": encode(["string"], ["key"]) + bytes(1),
    "one byte too few": encode(["string"], ["key"])[:-1],
}


@pytest.mark.parametrize("private", [False, True])
def test_registering_emits_the_operator_and_its_privacy_and_nothing_more(
    world: World, private: bool
) -> None:
    registry, key = world.registry, operator_key(7)
    receipt = registry.registerOperator(key, OPERATOR_FEE, private, sender=world.alice)
    assert_logs(
        receipt,
        registry.address,
        event("OperatorAdded", operatorId=1, owner=world.alice, publicKey=key, fee=OPERATOR_FEE),
        event("OperatorPrivacyStatusUpdated", operatorIds=[1], toPrivate=private),
    )
    assert registry.getOperatorById(1) == (world.alice, OPERATOR_FEE, 0, NO_ADDRESS, private, True)


def test_a_new_operator_starts_at_its_block_with_nothing_earned(world: World) -> None:
    receipt = world.registry.registerOperator(FRESH, OPERATOR_FEE, False, sender=world.alice)
    stored = world.registry.getOperatorAccounting(1)
    assert stored == (receipt.block, OPERATOR_FEE, 0, 0, 0, 0)
    assert world.registry.getOperatorEarnings(1) == 0


def test_ids_count_up_from_one_and_are_returned(world: World) -> None:
    arguments = (FRESH, OPERATOR_FEE, False)
    assert world.registry.view("registerOperator", *arguments, sender=world.bob) == 1
    assert world.operators(3) == [1, 2, 3]
    assert world.registry.view("registerOperator", *arguments, sender=world.bob) == 4


def test_an_id_is_not_used_again_after_removal(world: World) -> None:
    world.operators(2)
    world.registry.removeOperator(2, sender=world.alice)
    assert world.operator() == 3


@pytest.mark.parametrize("fee", [0, LOWEST, HIGHEST])
def test_fees_of_zero_and_at_both_bounds_are_taken(world: World, fee: int) -> None:
    world.registry.registerOperator(FRESH, fee, False, sender=world.alice)
    assert world.registry.getOperatorFee(1) == fee


@pytest.mark.parametrize("key", [KNOWN, NOT_A_STRING], ids=["known key", "malformed key"])
@pytest.mark.parametrize(
    ("fee", "error"),
    [
        pytest.param(LOWEST - 1, "FeeTooLow", id="below the minimum"),
        pytest.param(1, "FeeTooLow", id="one wei"),
        pytest.param(HIGHEST + 1, "FeeTooHigh", id="above the maximum"),
        pytest.param(LARGEST_UINT256, "FeeTooHigh", id="largest number"),
        pytest.param(LOWEST + 1, "MaxPrecisionExceeded", id="not a multiple of the unit"),
    ],
)
def test_registering_checks_minimum_maximum_and_precision_before_the_key(
    world: World, fee: int, error: str, key: bytes
) -> None:
    world.registry.registerOperator(KNOWN, OPERATOR_FEE, False, sender=world.alice)
    with reverts(error):
        world.registry.registerOperator(key, fee, False, sender=world.alice)


def test_a_key_is_registered_once_per_owner(world: World) -> None:
    world.registry.registerOperator(KNOWN, OPERATOR_FEE, False, sender=world.alice)
    with reverts("OperatorAlreadyExists"):
        world.registry.registerOperator(KNOWN, OPERATOR_FEE, True, sender=world.alice)


def test_another_owner_may_register_the_same_key(world: World) -> None:
    world.registry.registerOperator(KNOWN, OPERATOR_FEE, False, sender=world.alice)
    world.registry.registerOperator(KNOWN, OPERATOR_FEE, False, sender=world.bob)
    assert world.registry.getOperatorById(2)[0] == world.bob


def test_a_key_stays_taken_after_its_operator_is_removed(world: World) -> None:
    world.registry.registerOperator(KNOWN, OPERATOR_FEE, False, sender=world.alice)
    world.registry.removeOperator(1, sender=world.alice)
    with reverts("OperatorAlreadyExists"):
        world.registry.registerOperator(KNOWN, OPERATOR_FEE, False, sender=world.alice)


@pytest.mark.parametrize("key", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_key_must_be_the_encoding_of_one_string_and_nothing_more(
    world: World, key: bytes
) -> None:
    with reverts("InvalidOperatorPublicKey"):
        world.registry.registerOperator(key, OPERATOR_FEE, False, sender=world.alice)


@pytest.mark.parametrize("length", [1, 31, 32, 33, 612])
def test_a_key_of_any_length_is_taken_when_well_formed(world: World, length: int) -> None:
    key = encode(["string"], ["k" * length])
    world.registry.registerOperator(key, OPERATOR_FEE, False, sender=world.alice)
    assert world.registry.getRegistryCounters()[0] == 1


# ----------------------------------------------------------------------------------------- removal


def test_removing_an_operator_without_earnings_emits_only_the_removal(world: World) -> None:
    operator = world.operator()
    receipt = world.registry.removeOperator(operator, sender=world.alice)
    assert_logs(receipt, world.registry.address, event("OperatorRemoved", operator))


def test_removing_an_operator_pays_what_it_earned_up_to_this_block_first(world: World) -> None:
    operators = world.cluster(keys=2)
    world.anvil.mine(9)
    before = world.anvil.balance(world.alice)
    earned = 10 * 2 * OPERATOR_FEE
    receipt = world.registry.removeOperator(operators[0], sender=world.alice)
    assert_logs(
        receipt,
        world.registry.address,
        event("OperatorWithdrawn", owner=world.alice, operatorId=operators[0], value=earned),
        event("OperatorRemoved", operators[0]),
    )
    assert world.anvil.balance(world.alice) - before == earned


def test_a_removed_operator_keeps_owner_index_and_privacy_and_loses_the_rest(world: World) -> None:
    registry = world.registry
    operators = world.cluster()
    opened = registry.getOperatorAccounting(operators[0])[2]
    list_contract = world.create("AllowList", [world.bob])
    registry.setOperatorsWhitelistingContract(
        operators[:1], list_contract.address, sender=world.alice
    )
    registry.setOperatorsPrivateUnchecked(operators[:1], sender=world.alice)
    registry.declareOperatorFee(operators[0], OPERATOR_FEE + 100_000, sender=world.alice)
    registry.removeOperator(operators[0], sender=world.alice)
    index = opened + 5 * OPERATOR_FEE // 100_000
    assert registry.getOperatorAccounting(operators[0]) == (0, 0, index, 0, 0, 0)
    assert registry.getOperatorById(operators[0]) == (world.alice, 0, 0, NO_ADDRESS, True, False)
    assert registry.getOperatorDeclaredFee(operators[0]) == (False, 0, 0, 0)
    assert registry.getOperatorEarnings(operators[0]) == 0
    world.anvil.mine(3)
    assert registry.getOperatorAccounting(operators[0]) == (0, 0, index, 0, 0, 0)


def test_removal_leaves_the_other_operators_alone(world: World) -> None:
    first, second, *_ = world.cluster()
    before = world.registry.getOperatorAccounting(second, at="pending")
    world.registry.removeOperator(first, sender=world.alice)
    assert world.registry.getOperatorAccounting(second) == before


def test_a_cluster_with_a_removed_operator_takes_no_more_validators(world: World) -> None:
    operators = world.cluster()
    world.registry.removeOperator(operators[2], sender=world.alice)
    with reverts("OperatorDoesNotExist"):
        world.registry.registerValidator(
            validator_key(99),
            operators,
            shares(4),
            world.latest(world.carol, operators),
            sender=world.carol,
        )


OWNER_CALLS = {
    "removeOperator": (),
    "declareOperatorFee": (1,),
    "executeOperatorFee": (),
    "cancelDeclaredOperatorFee": (),
    "reduceOperatorFee": (1,),
    "withdrawOperatorEarnings": (1,),
    "withdrawAllOperatorEarnings": (),
    "withdrawAllVersionOperatorEarnings": (),
}
"""Calls on one operator, with arguments that break every later rule."""


@pytest.mark.parametrize(("name", "rest"), OWNER_CALLS.items(), ids=OWNER_CALLS.keys())
def test_calls_on_an_operator_first_ask_whether_it_exists(
    world: World, name: str, rest: tuple[int, ...]
) -> None:
    removed = world.operator()
    world.registry.removeOperator(removed, sender=world.alice)
    for operator in (0, removed, removed + 1, 2**64 - 1):
        for sender in (world.alice, world.bob):
            with reverts("OperatorDoesNotExist"):
                world.registry.transact(name, operator, *rest, sender=sender)


@pytest.mark.parametrize(("name", "rest"), OWNER_CALLS.items(), ids=OWNER_CALLS.keys())
def test_calls_on_an_operator_then_ask_whether_the_caller_owns_it(
    world: World, name: str, rest: tuple[int, ...]
) -> None:
    operator = world.operator()
    for sender in (world.bob, world.governor):
        with reverts("CallerNotOwnerWithData", caller=sender, owner=world.alice):
            world.registry.transact(name, operator, *rest, sender=sender)
