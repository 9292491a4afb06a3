"""Private operators and the addresses they accept (contracts.md, section 6.1)."""

from __future__ import annotations

import pytest

from sdk.toolchain.deploy import NO_ADDRESS
from tests.contracts.behaviour.abi import assert_logs, event, reverts
from tests.contracts.behaviour.world import ETHER, NEW_CLUSTER, World, shares, validator_key

LISTS = ["setOperatorsWhitelists", "removeOperatorsWhitelists"]
PRIVACY = [("setOperatorsPrivateUnchecked", True), ("setOperatorsPublicUnchecked", False)]


def accepted(world: World, account: str, operator_ids: list[int]) -> list[int]:
    """Those of the operators that the account may use."""
    return list(world.registry.getWhitelistedOperators(operator_ids, account))


def register(world: World, operator_ids: list[int], sender: str) -> None:
    """A first validator in a new cluster of the sender's."""
    key = validator_key(10**9)
    arguments = (key, operator_ids, shares(len(operator_ids)), NEW_CLUSTER)
    world.registry.registerValidator(*arguments, sender=sender, value=ETHER)


# ----------------------------------------------------------------------------------------- privacy


@pytest.mark.parametrize(("name", "private"), PRIVACY)
def test_privacy_is_set_for_every_operator_named(world: World, name: str, private: bool) -> None:
    one, two, three = world.operators(3, private=not private)
    receipt = world.registry.transact(name, [three, one], sender=world.alice)
    assert_logs(
        receipt,
        world.registry.address,
        event("OperatorPrivacyStatusUpdated", operatorIds=[three, one], toPrivate=private),
    )
    flags = [world.registry.getOperatorById(operator)[4] for operator in (one, two, three)]
    assert flags == [private, not private, private]


@pytest.mark.parametrize(("name", "private"), PRIVACY)
def test_privacy_of_no_operators_is_refused(world: World, name: str, private: bool) -> None:
    with reverts("InvalidOperatorIdsLength"):
        world.registry.transact(name, [], sender=world.alice)


@pytest.mark.parametrize(("name", "private"), PRIVACY)
def test_privacy_asks_each_operator_in_turn_whether_it_exists_and_is_the_callers(
    world: World, name: str, private: bool
) -> None:
    one, two = world.operator(), world.operator(world.bob)
    with reverts("CallerNotOwnerWithData", world.alice, world.bob):
        world.registry.transact(name, [one, two, 99], sender=world.alice)
    with reverts("OperatorDoesNotExist"):
        world.registry.transact(name, [one, 99, two], sender=world.alice)
    assert world.registry.getOperatorById(one)[4] is False


def test_setting_privacy_leaves_fee_and_earnings_alone(world: World) -> None:
    operators = world.cluster(keys=2)
    before = world.registry.getOperatorAccounting(operators[0], at="pending")
    world.registry.setOperatorsPrivateUnchecked(operators, sender=world.alice)
    assert world.registry.getOperatorAccounting(operators[0]) == before
    world.registry.setOperatorsPublicUnchecked(operators, sender=world.alice)
    assert world.registry.getOperatorById(operators[0])[4] is False


def test_a_private_operator_accepts_nobody_at_first_not_even_its_owner(world: World) -> None:
    operators = [*world.operators(3), world.operator(private=True)]
    for sender in (world.carol, world.alice, world.governor):
        with reverts("CallerNotWhitelistedWithData", operators[3]):
            register(world, operators, sender)


def test_the_first_private_operator_that_does_not_accept_the_caller_is_named(world: World) -> None:
    operators = world.operators(4, private=True)
    world.registry.setOperatorsWhitelists(operators[:1], [world.carol], sender=world.alice)
    with reverts("CallerNotWhitelistedWithData", operators[1]):
        register(world, operators, world.carol)


def test_a_public_operator_accepts_everybody(world: World) -> None:
    operators = world.operators(4, private=True)
    world.registry.setOperatorsPublicUnchecked(operators, sender=world.alice)
    register(world, operators, world.stranger)


def test_privacy_never_touches_a_cluster_that_is_there(world: World) -> None:
    registry, carol, operators = world.registry, world.carol, world.operators()
    keys = world.register(carol, operators, keys=2)
    registry.setOperatorsPrivateUnchecked(operators, sender=world.alice)
    with reverts("CallerNotWhitelistedWithData", operators[0]):
        world.register(carol, operators)
    registry.exitValidator(keys[0], operators, sender=carol)
    registry.deposit(carol, operators, world.latest(carol, operators), sender=carol, value=1)
    registry.withdraw(operators, 1, world.latest(carol, operators), sender=carol)
    registry.removeValidator(keys[0], operators, world.latest(carol, operators), sender=carol)
    registry.liquidate(carol, operators, world.latest(carol, operators), sender=carol)
    cluster = world.latest(carol, operators)
    registry.reactivate(operators, cluster, sender=carol, value=ETHER)
    assert world.latest(carol, operators).active


# --------------------------------------------------------------------------------------- addresses


def test_listed_addresses_may_use_the_operators_until_taken_off(world: World) -> None:
    registry, operators = world.registry, world.operators(4, private=True)
    accounts = [world.carol, world.dave]
    receipt = registry.setOperatorsWhitelists(operators, accounts, sender=world.alice)
    assert_logs(
        receipt,
        registry.address,
        event(
            "OperatorMultipleWhitelistUpdated", operatorIds=operators, whitelistAddresses=accounts
        ),
    )
    assert accepted(world, world.carol, operators) == operators
    assert accepted(world, world.bob, operators) == []
    register(world, operators, world.carol)
    receipt = registry.removeOperatorsWhitelists(operators[1:], accounts[:1], sender=world.alice)
    assert_logs(
        receipt,
        registry.address,
        event("OperatorMultipleWhitelistRemoved", operators[1:], accounts[:1]),
    )
    assert accepted(world, world.carol, operators) == operators[:1]
    assert accepted(world, world.dave, operators) == operators
    with reverts("CallerNotWhitelistedWithData", operators[1]):
        world.register(world.carol, operators)


def test_listing_twice_and_taking_off_what_is_not_listed_change_nothing(world: World) -> None:
    registry, operators = world.registry, world.operators(2)
    for _ in range(2):
        registry.setOperatorsWhitelists(operators[:1], [world.bob] * 2, sender=world.alice)
        assert accepted(world, world.bob, operators) == operators[:1]
    registry.removeOperatorsWhitelists(operators[1:], [world.bob], sender=world.alice)
    assert accepted(world, world.bob, operators) == operators[:1]


def test_lists_ask_for_addresses_then_operators_then_their_order(world: World) -> None:
    one, two = world.operators(2)
    for name in LISTS:
        for arguments, error in [
            (([], []), "InvalidWhitelistAddressesLength"),
            (([], [NO_ADDRESS]), "InvalidOperatorIdsLength"),
            (([two, one], [NO_ADDRESS]), "UnsortedOperatorsList"),
            (([one, one], [NO_ADDRESS]), "OperatorsListNotUnique"),
            (([one, two, two], [NO_ADDRESS]), "OperatorsListNotUnique"),
            (([one, two], [world.bob, NO_ADDRESS]), "ZeroAddressNotAllowed"),
        ]:
            with reverts(error):
                world.registry.transact(name, *arguments, sender=world.alice)


@pytest.mark.parametrize("name", LISTS)
def test_lists_are_for_the_owner_of_every_operator(world: World, name: str) -> None:
    one, two = world.operator(), world.operator(world.bob)
    with reverts("CallerNotOwnerWithData", world.stranger, world.alice):
        world.registry.transact(name, [one], [NO_ADDRESS], sender=world.stranger)
    with reverts("CallerNotOwnerWithData", world.alice, world.bob):
        world.registry.transact(name, [one, two], [NO_ADDRESS], sender=world.alice)
    with reverts("OperatorDoesNotExist"):
        world.registry.transact(name, [one, 99], [NO_ADDRESS], sender=world.alice)


def test_a_whitelisting_contract_is_not_put_on_an_address_list(world: World) -> None:
    operators = world.operators(1)
    contract = world.create("AllowList", []).address
    with reverts("AddressIsWhitelistingContract", contract):
        world.registry.setOperatorsWhitelists(operators, [world.bob, contract], sender=world.alice)
    assert accepted(world, world.bob, operators) == []


def test_any_other_contract_may_be_listed(world: World) -> None:
    operators = world.operators(1)
    contract = world.create("RefusingReceiver").address
    world.registry.setOperatorsWhitelists(operators, [contract], sender=world.alice)
    assert accepted(world, contract, operators) == operators


def test_an_address_that_became_a_whitelisting_contract_can_be_taken_off(world: World) -> None:
    operators = world.operators(1)
    world.registry.setOperatorsWhitelists(operators, [world.bob], sender=world.alice)
    code = world.anvil.rpc("eth_getCode", world.create("AllowList", []).address, "latest")
    world.anvil.rpc("anvil_setCode", world.bob, code)
    world.registry.removeOperatorsWhitelists(operators, [world.bob], sender=world.alice)
    assert accepted(world, world.bob, operators) == []
