"""Contracts that say whom an operator accepts (contracts.md, section 6.1)."""

from __future__ import annotations

from enum import IntEnum

import pytest

from sdk.toolchain.deploy import NO_ADDRESS
from tests.contracts.behaviour.abi import Contract, assert_logs, event, reverts
from tests.contracts.behaviour.world import ETHER, NEW_CLUSTER, World, shares, validator_key


class Mode(IntEnum):
    """What the misbehaving list does when asked (contracts/mocks/GreedyAllowList.sol)."""

    BURN_ALL_GAS = 0
    REVERT = 1
    REVERT_LONG = 2
    ANSWER_NOTHING = 3
    ANSWER_ONE_BYTE = 4
    ANSWER_TWO = 5
    ANSWER_ALL_ONES = 6
    ANSWER_LONG = 7
    WRITE_STATE = 8
    ANSWER_TRUE = 9
    ANSWER_FALSE = 10


REFUSALS = [mode for mode in Mode if mode is not Mode.ANSWER_TRUE]


def asking(world: World, contract: Contract, count: int = 4) -> list[int]:
    """New private operators that ask the contract."""
    operators = world.operators(count, private=True)
    world.registry.setOperatorsWhitelistingContract(operators, contract.address, sender=world.alice)
    return operators


def register(world: World, operators: list[int], sender: str) -> None:
    """A first validator in a new cluster."""
    key = validator_key(10**9)
    arguments = (key, operators, shares(len(operators)), NEW_CLUSTER)
    world.registry.registerValidator(*arguments, sender=sender, value=ETHER)


# ------------------------------------------------------------------------- setting and taking away


def test_a_contract_is_set_for_every_operator_named_and_taken_away(world: World) -> None:
    registry, operators = world.registry, world.operators(3)
    contract = world.create("AllowList", [world.carol]).address
    receipt = registry.setOperatorsWhitelistingContract(operators, contract, sender=world.alice)
    assert_logs(
        receipt,
        registry.address,
        event(
            "OperatorWhitelistingContractUpdated",
            operatorIds=operators,
            whitelistingContract=contract,
        ),
    )
    assert {registry.getOperatorById(operator)[3] for operator in operators} == {contract}
    receipt = registry.removeOperatorsWhitelistingContract(operators[1:], sender=world.alice)
    assert_logs(
        receipt,
        registry.address,
        event("OperatorWhitelistingContractUpdated", operators[1:], NO_ADDRESS),
    )
    left = [registry.getOperatorById(operator)[3] for operator in operators]
    assert left == [contract, NO_ADDRESS, NO_ADDRESS]


def test_a_newer_contract_replaces_the_older_one(world: World) -> None:
    operators = asking(world, world.create("AllowList", [world.carol]), 1)
    newer = world.create("AllowList", [world.dave]).address
    world.registry.setOperatorsWhitelistingContract(operators, newer, sender=world.alice)
    assert list(world.registry.getWhitelistedOperators(operators, world.carol)) == []
    assert list(world.registry.getWhitelistedOperators(operators, world.dave)) == operators


def test_taking_away_a_contract_that_was_not_set_is_reported_all_the_same(world: World) -> None:
    operators = world.operators(1)
    receipt = world.registry.removeOperatorsWhitelistingContract(operators, sender=world.alice)
    assert_logs(
        receipt,
        world.registry.address,
        event("OperatorWhitelistingContractUpdated", operators, NO_ADDRESS),
    )


def test_only_a_contract_that_declares_the_interface_is_taken(world: World) -> None:
    operators = world.operators(1)
    others = [NO_ADDRESS, world.bob, world.registry.address]
    others += [world.create("RefusingReceiver").address, world.create("OpenBeaconVerifier").address]
    for account in others:
        # Comes before the other checks: no operators, nobody's operator.
        for operator_ids in (operators, [], [99]):
            with reverts("InvalidWhitelistingContract", account):
                world.registry.setOperatorsWhitelistingContract(
                    operator_ids, account, sender=world.alice
                )
        assert world.registry.isWhitelistingContract(account) is False


def test_the_interface_is_the_one_with_the_published_id(world: World) -> None:
    contract = world.create("AllowList", [])
    assert contract.supportsInterface(bytes.fromhex("830639ac")) is True
    assert world.registry.isWhitelistingContract(contract.address) is True


def test_setting_and_taking_away_are_for_the_owner_of_every_operator(world: World) -> None:
    one, two = world.operator(), world.operator(world.bob)
    contract = world.create("AllowList", []).address
    for name, rest in [
        ("setOperatorsWhitelistingContract", (contract,)),
        ("removeOperatorsWhitelistingContract", ()),
    ]:
        with reverts("InvalidOperatorIdsLength"):
            world.registry.transact(name, [], *rest, sender=world.alice)
        with reverts("CallerNotOwnerWithData", world.alice, world.bob):
            world.registry.transact(name, [one, two, 99], *rest, sender=world.alice)
        with reverts("OperatorDoesNotExist"):
            world.registry.transact(name, [one, 99, two], *rest, sender=world.alice)
    assert world.registry.getOperatorById(one)[3] == NO_ADDRESS


# ------------------------------------------------------------------------------------------ asking


def test_the_contract_decides_until_it_changes_its_mind(world: World) -> None:
    contract = world.create("AllowList", [world.carol])
    operators = asking(world, contract)
    register(world, operators, world.carol)
    with reverts("CallerNotWhitelistedWithData", operators[0]):
        register(world, operators, world.dave)
    contract.set(world.carol, False, sender=world.bob)
    with reverts("CallerNotWhitelistedWithData", operators[0]):
        world.register(world.carol, operators)


def test_an_address_is_accepted_by_the_list_or_by_the_contract(world: World) -> None:
    operators = asking(world, world.create("AllowList", [world.carol]))
    world.registry.setOperatorsWhitelists(operators, [world.dave], sender=world.alice)
    register(world, operators, world.carol)
    register(world, operators, world.dave)
    with reverts("CallerNotWhitelistedWithData", operators[0]):
        register(world, operators, world.bob)


def test_a_public_operator_does_not_ask_its_contract(world: World) -> None:
    operators = asking(world, world.create("GreedyAllowList", Mode.REVERT))
    world.registry.setOperatorsPublicUnchecked(operators, sender=world.alice)
    register(world, operators, world.carol)


def test_a_listed_address_is_accepted_without_asking_the_contract(world: World) -> None:
    operators = asking(world, world.create("GreedyAllowList", Mode.BURN_ALL_GAS))
    world.registry.setOperatorsWhitelists(operators, [world.carol], sender=world.alice)
    register(world, operators, world.carol)


def test_a_yes_of_the_misbehaving_contract_is_a_yes(world: World) -> None:
    contract = world.create("GreedyAllowList", Mode.ANSWER_TRUE)
    operators = asking(world, contract)
    register(world, operators, world.carol)
    assert list(world.registry.getWhitelistedOperators(operators, world.bob)) == operators
    ask = (world.bob, operators[0], contract.address)
    assert world.registry.isAddressWhitelistedInWhitelistingContract(*ask) is True


@pytest.mark.parametrize("mode", REFUSALS, ids=lambda mode: mode.name.lower())
def test_a_failing_or_malformed_answer_is_a_no_and_never_more(world: World, mode: Mode) -> None:
    contract = world.create("GreedyAllowList", mode)
    operators = asking(world, contract)
    with reverts("CallerNotWhitelistedWithData", operators[0]):
        register(world, operators, world.carol)
    assert list(world.registry.getWhitelistedOperators(operators, world.carol)) == []
    ask = (world.carol, operators[0], contract.address)
    assert world.registry.isAddressWhitelistedInWhitelistingContract(*ask) is False
    assert contract.timesAsked() == 0


def test_asking_costs_at_most_its_gas_limit(world: World) -> None:
    operators = asking(world, world.create("GreedyAllowList", Mode.BURN_ALL_GAS), 13)
    seen = {"from": world.bob, "to": world.registry.address}
    seen["data"] = (
        "0x" + world.registry.encode("getWhitelistedOperators", operators, world.bob).hex()
    )
    gas = int(world.anvil.rpc("eth_estimateGas", seen), 16)
    assert 13 * 100_000 < gas < 13 * 110_000 + 50_000


def test_a_contract_that_lost_its_code_accepts_nobody_and_can_be_taken_away(world: World) -> None:
    contract = world.create("AllowList", [world.carol])
    operators = asking(world, contract)
    world.anvil.rpc("anvil_setCode", contract.address, "0x")
    with reverts("CallerNotWhitelistedWithData", operators[0]):
        register(world, operators, world.carol)
    world.registry.removeOperatorsWhitelistingContract(operators, sender=world.alice)
    assert world.registry.getOperatorById(operators[0])[3] == NO_ADDRESS


def test_the_view_on_a_contract_is_false_unless_it_declares_the_interface(world: World) -> None:
    view = world.registry.isAddressWhitelistedInWhitelistingContract
    contract = world.create("AllowList", [world.carol]).address
    assert view(world.carol, 1, contract) is True
    assert view(world.dave, 1, contract) is False
    for account in (NO_ADDRESS, world.bob, world.create("RefusingReceiver").address):
        assert view(world.carol, 1, account) is False
