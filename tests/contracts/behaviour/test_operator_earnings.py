"""Paying operators what they earned (contracts.md, sections 6 and 8)."""

from __future__ import annotations

import pytest

from sdk.types import keccak256
from tests.contracts.behaviour.abi import assert_logs, event, reverts
from tests.contracts.behaviour.world import FEE_UNIT, OPERATOR_FEE, World

REENTRANCY = keccak256(b"Reentrancy()")[:4]
ALL = ["withdrawAllOperatorEarnings", "withdrawAllVersionOperatorEarnings"]


@pytest.mark.parametrize("name", ALL)
def test_withdrawing_all_pays_everything_earned_up_to_this_block(world: World, name: str) -> None:
    operator = world.cluster(keys=2)[0]
    world.anvil.mine(4)
    before = world.anvil.balance(world.alice)
    receipt = world.registry.transact(name, operator, sender=world.alice)
    earned = 5 * 2 * OPERATOR_FEE
    assert_logs(
        receipt,
        world.registry.address,
        event("OperatorWithdrawn", owner=world.alice, operatorId=operator, value=earned),
    )
    assert world.anvil.balance(world.alice) - before == earned
    assert world.registry.getOperatorEarnings(operator) == 0


def test_withdrawing_an_amount_leaves_the_rest(world: World) -> None:
    operator = world.cluster()[0]
    world.anvil.mine(9)
    before = world.anvil.balance(world.alice)
    receipt = world.registry.withdrawOperatorEarnings(operator, 3 * FEE_UNIT, sender=world.alice)
    assert_logs(
        receipt,
        world.registry.address,
        event("OperatorWithdrawn", owner=world.alice, operatorId=operator, value=3 * FEE_UNIT),
    )
    assert world.anvil.balance(world.alice) - before == 3 * FEE_UNIT
    assert world.registry.getOperatorEarnings(operator) == 10 * OPERATOR_FEE - 3 * FEE_UNIT


def test_an_amount_of_zero_means_everything(world: World) -> None:
    operator = world.cluster()[0]
    world.anvil.mine(9)
    receipt = world.registry.withdrawOperatorEarnings(operator, 0, sender=world.alice)
    assert_logs(
        receipt,
        world.registry.address,
        event("OperatorWithdrawn", world.alice, operator, 10 * OPERATOR_FEE),
    )


def test_exactly_everything_may_be_asked_for(world: World) -> None:
    operator = world.cluster()[0]
    earned = world.registry.getOperatorEarnings(operator, at="pending")
    world.registry.withdrawOperatorEarnings(operator, earned, sender=world.alice)
    assert world.registry.getOperatorEarnings(operator) == 0


def test_one_unit_more_than_was_earned_is_refused(world: World) -> None:
    operator = world.cluster()[0]
    earned = world.registry.getOperatorEarnings(operator, at="pending")
    with reverts("InsufficientBalance"):
        world.registry.withdrawOperatorEarnings(operator, earned + FEE_UNIT, sender=world.alice)


@pytest.mark.parametrize(
    ("amount", "error"),
    [
        pytest.param(1, "MaxPrecisionExceeded", id="not a multiple of the unit"),
        pytest.param(2**256 - 1, "MaxPrecisionExceeded", id="largest number"),
        pytest.param(FEE_UNIT, "InsufficientBalance", id="more than nothing"),
        pytest.param(2**256 // FEE_UNIT * FEE_UNIT, "InsufficientBalance", id="largest amount"),
        pytest.param(0, "InsufficientBalance", id="everything of nothing"),
    ],
)
def test_withdrawing_checks_precision_before_what_was_earned(
    world: World, amount: int, error: str
) -> None:
    operator = world.operator()
    with reverts(error):
        world.registry.withdrawOperatorEarnings(operator, amount, sender=world.alice)


@pytest.mark.parametrize("name", ALL)
def test_withdrawing_all_of_nothing_is_refused(world: World, name: str) -> None:
    operator = world.operator()
    with reverts("InsufficientBalance"):
        world.registry.transact(name, operator, sender=world.alice)


def test_an_operator_without_a_fee_earns_nothing(world: World) -> None:
    free = world.operator(fee=0)
    operators = [free, *world.operators(3)]
    world.register(world.carol, operators)
    world.anvil.mine(5)
    assert world.registry.getOperatorEarnings(free) == 0
    assert world.registry.getOperatorEarnings(operators[1]) == 5 * OPERATOR_FEE


def test_earnings_of_all_clusters_add_up(world: World) -> None:
    operators = world.cluster(keys=2)
    world.register(world.dave, operators, keys=3)
    world.anvil.mine(4)
    assert world.registry.getOperatorEarnings(operators[3]) == (1 * 2 + 4 * 5) * OPERATOR_FEE


def test_the_view_equals_what_a_withdrawal_in_the_same_block_pays(world: World) -> None:
    operator = world.cluster(keys=3)[2]
    world.anvil.mine(7)
    seen = world.registry.getOperatorEarnings(operator, at="pending")
    receipt = world.registry.withdrawAllOperatorEarnings(operator, sender=world.alice)
    assert_logs(
        receipt, world.registry.address, event("OperatorWithdrawn", world.alice, operator, seen)
    )


def test_a_withdrawal_settles_the_operator_at_its_block(world: World) -> None:
    operator = world.cluster(keys=2)[0]
    index = world.registry.getOperatorAccounting(operator, at="pending")[2]
    receipt = world.registry.withdrawOperatorEarnings(operator, FEE_UNIT, sender=world.alice)
    stored = int.from_bytes(world.registry.getOperatorWords(operator, operator)[0], "big")
    assert stored % 2**32 == receipt.block
    assert stored >> 72 & (2**64 - 1) == index
    assert stored >> 136 & (2**64 - 1) == 2 * OPERATOR_FEE // FEE_UNIT - 1


RECEIVER_CALLS = {
    "withdrawOperatorEarnings": (FEE_UNIT,),
    "withdrawAllOperatorEarnings": (),
    "withdrawAllVersionOperatorEarnings": (),
    "removeOperator": (),
}


@pytest.mark.parametrize(("name", "rest"), RECEIVER_CALLS.items(), ids=RECEIVER_CALLS.keys())
def test_an_owner_that_refuses_ether_is_not_paid_and_loses_nothing(
    world: World, name: str, rest: tuple[int, ...]
) -> None:
    receiver = world.create("RefusingReceiver")
    operator = world.operator(world.anvil.become(receiver.address))
    world.register(world.carol, [operator, *world.operators(3)])
    call = world.registry.encode(name, operator, *rest)
    with reverts("ETHTransferFailed"):
        receiver.execute(world.registry.address, call, sender=world.bob)
    assert world.registry.getOperatorById(operator)[5] is True
    receiver.setAccepts(True, sender=world.bob)
    receiver.execute(world.registry.address, call, sender=world.bob)
    assert world.anvil.balance(receiver.address) == (rest or (3 * OPERATOR_FEE,))[0]


@pytest.mark.parametrize(("name", "rest"), RECEIVER_CALLS.items(), ids=RECEIVER_CALLS.keys())
def test_an_owner_that_calls_back_while_being_paid_is_refused(
    world: World, name: str, rest: tuple[int, ...]
) -> None:
    receiver = world.create("ReentrantReceiver")
    operator, other = world.operators(2, owner=world.anvil.become(receiver.address))
    world.register(world.carol, [operator, other, *world.operators(2)])
    for back, arguments in RECEIVER_CALLS.items():
        with world.anvil.undone():
            inner = world.registry.encode(back, other, *arguments)
            receiver.arm(world.registry.address, 0, inner, sender=world.bob)
            call = world.registry.encode(name, operator, *rest)
            receiver.execute(world.registry.address, call, sender=world.bob)
            assert (receiver.callbacks(), receiver.succeeded()) == (1, False)
            assert receiver.answer() == REENTRANCY
