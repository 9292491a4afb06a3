"""What can be read of operators, owners and the network (contracts.md, section 11)."""

from __future__ import annotations

import pytest

from sdk.toolchain.deploy import NO_ADDRESS
from sdk.types import keccak256
from tests.contracts.behaviour.abi import assert_logs, event
from tests.contracts.behaviour.world import FEE_UNIT, NETWORK_FEE, OPERATOR_FEE, World, operator_key

RATE = OPERATOR_FEE // FEE_UNIT


def test_views_on_an_operator_that_never_was_answer_zero(world: World) -> None:
    registry = world.registry
    for operator in (0, 1, 2**64 - 1):
        assert registry.getOperatorById(operator) == (NO_ADDRESS, 0, 0, NO_ADDRESS, False, False)
        assert registry.getOperatorFee(operator) == 0
        assert registry.getOperatorEarnings(operator) == 0
        assert registry.getOperatorDeclaredFee(operator) == (False, 0, 0, 0)
        assert registry.getOperatorAccounting(operator) == (0, 0, 0, 0, 0, 0)
        assert registry.getWhitelistedOperators([operator], world.bob) == ()


def test_an_operators_account_is_answered_as_of_the_block_of_the_question(world: World) -> None:
    registry = world.registry
    operators = world.cluster(keys=2)
    opened = registry.getOperatorAccounting(operators[1])
    for blocks in (0, 1, 5):
        world.anvil.mine(blocks)
        now = world.anvil.block_number()
        passed = now - opened[0]
        index = opened[2] + passed * RATE
        earned = passed * 2 * OPERATOR_FEE
        account = (now, OPERATOR_FEE, index, earned, 64, 2)
        assert registry.getOperatorAccounting(operators[1]) == account
        assert registry.getOperatorEarnings(operators[1]) == earned


def test_the_network_account_is_answered_as_of_the_block_of_the_question(world: World) -> None:
    registry = world.registry
    world.cluster(keys=3)
    start = world.anvil.block_number()
    world.anvil.mine(4)
    index = (world.anvil.block_number() - world.initializer.block) * NETWORK_FEE // FEE_UNIT
    account = (start + 4, NETWORK_FEE, index, 4 * 3 * NETWORK_FEE, 96, 3, 0)
    assert registry.getNetworkAccounting() == account
    assert registry.getNetworkValidatorsCount() == 3


def test_an_operator_counts_its_validators_in_active_clusters(world: World) -> None:
    registry, operators = world.registry, world.cluster(keys=2)
    world.register(world.dave, operators, keys=3)
    assert [registry.getOperatorById(operator)[2] for operator in operators] == [5] * 4
    cluster = world.latest(world.carol, operators)
    registry.liquidate(world.carol, operators, cluster, sender=world.carol)
    assert registry.getOperatorById(operators[0])[2] == 3
    assert registry.getOperatorAccounting(operators[0])[4:] == (96, 3)
    assert registry.getNetworkValidatorsCount() == 3


def test_the_operator_view_names_owner_fee_contract_and_flags(world: World) -> None:
    contract = world.create("AllowList", []).address
    operator = world.operator(private=True)
    world.registry.setOperatorsWhitelistingContract([operator], contract, sender=world.alice)
    seen = (world.alice, OPERATOR_FEE, 0, contract, True, True)
    assert world.registry.getOperatorById(operator) == seen


# -------------------------------------------------------------------------------------- whitelists


def test_whitelisted_operators_are_those_listed_or_allowed_by_their_contract(world: World) -> None:
    listed, asked, neither, public = world.operators(4)
    registry, contract = world.registry, world.create("AllowList", [world.bob]).address
    registry.setOperatorsPrivateUnchecked([listed, asked, neither], sender=world.alice)
    registry.setOperatorsWhitelists([listed], [world.bob], sender=world.alice)
    registry.setOperatorsWhitelistingContract([asked], contract, sender=world.alice)
    every = [listed, asked, neither, public]
    assert registry.getWhitelistedOperators(every, world.bob) == (listed, asked)
    assert registry.getWhitelistedOperators(every, world.dave) == ()
    assert registry.getWhitelistedOperators([], world.bob) == ()
    assert registry.getWhitelistedOperators([asked, neither], world.bob) == (asked,)


# ------------------------------------------------------------------------------------ owner records


@pytest.mark.parametrize("again", [False, True])
def test_a_fee_recipient_is_anybodys_for_itself(world: World, again: bool) -> None:
    registry = world.registry
    assert registry.getFeeRecipient(world.carol) == NO_ADDRESS
    if again:
        registry.setFeeRecipientAddress(world.bob, sender=world.carol)
    receipt = registry.setFeeRecipientAddress(world.dave, sender=world.carol)
    assert_logs(
        receipt,
        registry.address,
        event("FeeRecipientAddressUpdated", owner=world.carol, recipientAddress=world.dave),
    )
    assert registry.getFeeRecipient(world.carol) == world.dave
    assert registry.getFeeRecipient(world.dave) == NO_ADDRESS
    assert registry.getOwnerNonce(world.carol) == 0


# ------------------------------------------------------------------------------------- audit views


def test_operator_words_hold_what_the_account_view_answers(world: World) -> None:
    registry, last = world.registry, world.operator(private=True)
    operators = world.cluster(keys=2)
    words = registry.getOperatorWords(last, operators[-1])
    block, fee, index, balance, eth, count = registry.getOperatorAccounting(operators[0])
    fields = [block, fee // FEE_UNIT, index, balance // FEE_UNIT, eth, count, 0]
    places = [0, 32, 72, 136, 200, 232, 248]
    packed = sum(value << place for value, place in zip(fields, places, strict=True))
    assert int.from_bytes(words[1], "big") == packed
    assert [word[0] for word in words] == [1, 0, 0, 0, 0]


def test_operator_words_are_answered_for_the_ids_that_exist(world: World) -> None:
    world.operators(3)
    words = world.registry.getOperatorWords
    assert len(words(1, 3)) == 3
    assert words(2, 2**64 - 1) == words(1, 3)[1:]
    assert words(0, 1) == (bytes(32), *words(1, 1))
    assert words(3, 2) == words(4, 4) == words(4, 2**64 - 1) == ()


def test_the_network_word_holds_what_the_account_view_answers(world: World) -> None:
    world.cluster(keys=2)
    world.registry.coverDebt(sender=world.bob, value=5 * FEE_UNIT)
    word = int.from_bytes(world.registry.getNetworkWord(), "big")
    block, fee, index, balance, eth, count, debt = world.registry.getNetworkAccounting()
    fields = [block, fee // FEE_UNIT, index, balance // FEE_UNIT, eth, count]
    places = [0, 32, 56, 112, 192, 232]
    assert word == sum(value << place for value, place in zip(fields, places, strict=True))
    assert debt == 0


def test_owner_words_hold_nonce_and_fee_recipient(world: World) -> None:
    world.cluster(keys=3)
    world.registry.setFeeRecipientAddress(world.bob, sender=world.carol)
    known, unknown = world.registry.getOwnerWords([world.carol, world.stranger])
    assert int.from_bytes(known, "big") == 3 | int(world.bob, 16) << 32
    assert unknown == bytes(32)


def test_counters_say_how_much_there_is(world: World) -> None:
    operators = world.cluster(keys=2)
    world.register(world.dave, operators)
    world.registry.removeOperator(world.operator(), sender=world.alice)
    now = world.anvil.block_number()
    assert world.registry.getRegistryCounters() == (5, 2, 3, now)


def test_the_extension_called_directly_knows_nothing_of_the_registry(world: World) -> None:
    world.registry.registerOperator(operator_key(1), OPERATOR_FEE, False, sender=world.alice)
    selector = keccak256(b"getOperatorFee(uint64)")[:4]
    output = world.anvil.call(
        world.bob, world.extension.address, selector + (1).to_bytes(32, "big")
    )
    assert output == bytes(32)
