"""The network's fee and what it earns (contracts.md, sections 8 and 10)."""

from __future__ import annotations

import pytest

from tests.contracts.behaviour.abi import assert_logs, event, reverts
from tests.contracts.behaviour.world import FEE_UNIT, NETWORK_FEE, World


def test_the_network_earns_its_fee_for_every_validator_and_block(world: World) -> None:
    world.cluster(keys=3)
    assert world.registry.getNetworkEarnings() == 0
    world.anvil.mine(4)
    assert world.registry.getNetworkEarnings() == 4 * 3 * NETWORK_FEE


def test_earnings_are_paid_to_the_owner(world: World) -> None:
    registry = world.registry
    world.cluster(keys=2)
    world.anvil.mine(9)
    before = world.anvil.balance(world.governor)
    receipt = registry.withdrawNetworkEarnings(5 * FEE_UNIT, sender=world.governor)
    assert_logs(
        receipt,
        registry.address,
        event("NetworkEarningsWithdrawn", value=5 * FEE_UNIT, recipient=world.governor),
    )
    assert world.anvil.balance(world.governor) - before == 5 * FEE_UNIT
    assert registry.getNetworkEarnings() == 10 * 2 * NETWORK_FEE - 5 * FEE_UNIT


def test_earnings_go_to_whoever_owns_the_registry_then(world: World) -> None:
    world.cluster()
    world.registry.transferOwnership(world.bob, sender=world.governor)
    world.registry.acceptOwnership(sender=world.bob)
    before = world.anvil.balance(world.bob)
    with reverts("CallerNotOwner"):
        world.registry.withdrawNetworkEarnings(FEE_UNIT, sender=world.governor)
    world.registry.withdrawNetworkEarnings(FEE_UNIT, sender=world.bob)
    assert world.anvil.balance(world.bob) - before == FEE_UNIT


def test_exactly_what_the_view_says_can_be_withdrawn_in_the_same_block(world: World) -> None:
    world.cluster()
    world.anvil.mine(6)
    earned = world.registry.getNetworkEarnings(at="pending")
    with world.anvil.undone(), reverts("InsufficientBalance"):
        world.registry.withdrawNetworkEarnings(earned + FEE_UNIT, sender=world.governor)
    world.registry.withdrawNetworkEarnings(earned, sender=world.governor)
    assert world.registry.getNetworkEarnings() == 0


def test_an_amount_of_zero_pays_nothing(world: World) -> None:
    world.cluster()
    before = world.anvil.balance(world.governor)
    receipt = world.registry.withdrawNetworkEarnings(0, sender=world.governor)
    assert_logs(
        receipt, world.registry.address, event("NetworkEarningsWithdrawn", 0, world.governor)
    )
    assert world.anvil.balance(world.governor) == before
    assert world.registry.getNetworkEarnings() == NETWORK_FEE


@pytest.mark.parametrize(
    ("amount", "by_owner", "error"),
    [
        pytest.param(1, False, "CallerNotOwner", id="a stranger"),
        pytest.param(1, True, "MaxPrecisionExceeded", id="not a multiple of the unit"),
        pytest.param(2**256 - 1, True, "MaxPrecisionExceeded", id="largest number"),
        pytest.param(FEE_UNIT, True, "InsufficientBalance", id="more than nothing"),
        pytest.param(2**256 // FEE_UNIT * FEE_UNIT, True, "InsufficientBalance", id="largest"),
    ],
)
def test_withdrawing_checks_caller_precision_and_earnings_in_order(
    world: World, amount: int, by_owner: bool, error: str
) -> None:
    sender = world.governor if by_owner else world.stranger
    with reverts(error):
        world.registry.withdrawNetworkEarnings(amount, sender=sender)


def test_an_owner_that_refuses_ether_is_not_paid_and_loses_nothing(world: World) -> None:
    receiver = world.create("RefusingReceiver")
    registry = world.registry
    world.cluster()
    registry.transferOwnership(receiver.address, sender=world.governor)
    registry.acceptOwnership(sender=world.anvil.become(receiver.address))
    call = registry.encode("withdrawNetworkEarnings", FEE_UNIT)
    with reverts("ETHTransferFailed"):
        receiver.execute(registry.address, call, sender=world.bob)
    assert registry.getNetworkEarnings() == 3 * NETWORK_FEE
    receiver.setAccepts(True, sender=world.bob)
    receiver.execute(registry.address, call, sender=world.bob)
    assert world.anvil.balance(receiver.address) == FEE_UNIT


# ------------------------------------------------------------------------------------ changing fee


def test_the_old_fee_holds_up_to_and_including_the_block_of_the_change(world: World) -> None:
    registry = world.registry
    operators = world.cluster()
    funded = world.latest(world.carol, operators).balance
    world.anvil.mine(4)
    receipt = registry.updateNetworkFee(2 * NETWORK_FEE, sender=world.governor)
    assert_logs(
        receipt,
        registry.address,
        event("NetworkFeeUpdated", oldFee=NETWORK_FEE, newFee=2 * NETWORK_FEE),
    )
    assert registry.getNetworkFee() == 2 * NETWORK_FEE
    assert registry.getNetworkEarnings() == 5 * NETWORK_FEE
    world.anvil.mine(3)
    assert registry.getNetworkEarnings() == (5 + 3 * 2) * NETWORK_FEE
    earned = sum(registry.getOperatorEarnings(operator) for operator in operators)
    cluster = world.latest(world.carol, operators)
    left = registry.getBalance(world.carol, operators, cluster)
    assert funded - left == earned + (5 + 3 * 2) * NETWORK_FEE


def test_a_change_that_is_refused_settles_nothing(world: World) -> None:
    world.cluster()
    before = world.registry.getNetworkWord()
    with reverts("ParameterOutOfBounds"):
        world.registry.updateNetworkFee(3 * NETWORK_FEE, sender=world.governor)
    assert world.registry.getNetworkWord() == before


def test_with_a_fee_of_zero_the_network_earns_nothing_more(world: World) -> None:
    world.cluster()
    fee = NETWORK_FEE // FEE_UNIT
    while fee:
        fee //= 2
        world.registry.updateNetworkFee(fee * FEE_UNIT, sender=world.governor)
    earned = world.registry.getNetworkEarnings()
    index = world.registry.getNetworkAccounting()[2]
    world.anvil.mine(5)
    assert world.registry.getNetworkEarnings() == earned > 0
    assert world.registry.getNetworkAccounting()[2] == index


# -------------------------------------------------------------------------------------- coverDebt


@pytest.mark.parametrize(
    ("sent", "counted"),
    [
        pytest.param(0, 0, id="nothing"),
        pytest.param(FEE_UNIT - 1, 0, id="less than a unit"),
        pytest.param(FEE_UNIT, FEE_UNIT, id="a unit"),
        pytest.param(10**18 + 1, 10**18, id="an ether and a wei"),
    ],
)
def test_without_debt_what_is_sent_is_income_in_whole_units(
    world: World, sent: int, counted: int
) -> None:
    held = world.anvil.balance(world.registry.address)
    receipt = world.registry.coverDebt(sender=world.stranger, value=sent)
    assert_logs(
        receipt, world.registry.address, event("DebtCovered", payer=world.stranger, amount=sent)
    )
    assert world.registry.getNetworkEarnings() == counted
    assert world.anvil.balance(world.registry.address) - held == sent


def test_covering_adds_to_what_was_earned_up_to_this_block(world: World) -> None:
    world.cluster()
    world.anvil.mine(2)
    world.registry.coverDebt(sender=world.bob, value=7 * FEE_UNIT)
    assert world.registry.getNetworkEarnings() == 3 * NETWORK_FEE + 7 * FEE_UNIT
    assert world.registry.getNetworkAccounting()[6] == 0


def test_what_was_sent_without_debt_can_be_withdrawn_by_the_owner(world: World) -> None:
    world.registry.coverDebt(sender=world.bob, value=FEE_UNIT)
    world.registry.withdrawNetworkEarnings(FEE_UNIT, sender=world.governor)
    assert world.anvil.balance(world.registry.address) == 0
