"""Declaring, executing, cancelling and reducing operator fees (contracts.md, section 6)."""

from __future__ import annotations

import pytest

from sdk.toolchain.deploy import DEFAULT_PARAMETERS
from tests.contracts.behaviour.abi import assert_logs, event, reverts
from tests.contracts.behaviour.world import FEE_UNIT, OPERATOR_FEE, World, operator_key

LOWEST = DEFAULT_PARAMETERS["minimumOperatorFee"]
HIGHEST = DEFAULT_PARAMETERS["maximumOperatorFee"]
DECLARE = DEFAULT_PARAMETERS["declareOperatorFeePeriod"]
EXECUTE = DEFAULT_PARAMETERS["executeOperatorFeePeriod"]
RAISED = OPERATOR_FEE + FEE_UNIT
LARGEST_UINT256 = 2**256 - 1


def declared(world: World, operator: int, fee: int = RAISED) -> int:
    """When the window of a new declaration opens, in UNIX seconds."""
    world.registry.declareOperatorFee(operator, fee, sender=world.alice)
    return world.anvil.timestamp() + DECLARE


# --------------------------------------------------------------------------------------- declaring


def test_declaring_stores_the_fee_and_its_window(world: World) -> None:
    operator = world.operator()
    receipt = world.registry.declareOperatorFee(operator, RAISED, sender=world.alice)
    begin = world.anvil.timestamp() + DECLARE
    assert_logs(
        receipt,
        world.registry.address,
        event(
            "OperatorFeeDeclared",
            owner=world.alice,
            operatorId=operator,
            blockNumber=receipt.block,
            fee=RAISED,
        ),
    )
    stored = world.registry.getOperatorDeclaredFee(operator)
    assert stored == (True, RAISED, begin, begin + EXECUTE)
    assert world.registry.getOperatorFee(operator) == OPERATOR_FEE


def test_a_newer_declaration_replaces_the_older_one(world: World) -> None:
    operator = world.operator()
    declared(world, operator)
    begin = declared(world, operator, LOWEST)
    stored = world.registry.getOperatorDeclaredFee(operator)
    assert stored == (True, LOWEST, begin, begin + EXECUTE)


def test_a_fee_of_zero_may_be_declared(world: World) -> None:
    operator = world.operator()
    begin = declared(world, operator, 0)
    assert world.registry.getOperatorDeclaredFee(operator) == (True, 0, begin, begin + EXECUTE)


def test_a_declaration_keeps_the_window_of_the_periods_it_was_made_under(world: World) -> None:
    operator = world.operator()
    begin = declared(world, operator)
    world.registry.updateDeclareOperatorFeePeriod(2 * DECLARE, sender=world.governor)
    world.registry.updateExecuteOperatorFeePeriod(EXECUTE // 2, sender=world.governor)
    assert world.registry.getOperatorDeclaredFee(operator)[2:] == (begin, begin + EXECUTE)


@pytest.mark.parametrize(
    ("current", "fee", "error"),
    [
        pytest.param(0, LOWEST - 1, "FeeTooLow", id="below the minimum"),
        pytest.param(0, HIGHEST + 1, "FeeTooHigh", id="above the maximum"),
        pytest.param(0, LARGEST_UINT256, "FeeTooHigh", id="largest number"),
        pytest.param(0, HIGHEST - 1, "MaxPrecisionExceeded", id="not a multiple of the unit"),
        pytest.param(OPERATOR_FEE, OPERATOR_FEE, "SameFeeChangeNotAllowed", id="same"),
        pytest.param(0, 0, "SameFeeChangeNotAllowed", id="same zero"),
        pytest.param(0, HIGHEST, "FeeIncreaseNotAllowed", id="from zero"),
        pytest.param(LOWEST, HIGHEST, "FeeExceedsIncreaseLimit", id="above the limit"),
    ],
)
def test_declaring_checks_in_order(world: World, current: int, fee: int, error: str) -> None:
    operator = world.operator(fee=current)
    with reverts(error):
        world.registry.declareOperatorFee(operator, fee, sender=world.alice)


@pytest.mark.parametrize(
    ("units", "limit", "highest"),
    [
        pytest.param(10_000, 1_000, 11_000, id="exact"),
        pytest.param(10_001, 1_000, 11_002, id="11,001.1 units round up"),
        pytest.param(10_009, 1_000, 11_010, id="11,009.9 units round up"),
        pytest.param(17_700, 1, 17_702, id="a hundredth of a percent"),
        pytest.param(17_700, 10_000, 35_400, id="doubling"),
    ],
)
def test_the_increase_limit_rounds_up_to_a_whole_unit(
    world: World, units: int, limit: int, highest: int
) -> None:
    registry = world.another(operatorFeeIncreaseLimit=limit)
    registry.registerOperator(operator_key(1), units * FEE_UNIT, False, sender=world.alice)
    with reverts("FeeExceedsIncreaseLimit"):
        registry.declareOperatorFee(1, (highest + 1) * FEE_UNIT, sender=world.alice)
    registry.declareOperatorFee(1, highest * FEE_UNIT, sender=world.alice)
    assert registry.getOperatorDeclaredFee(1)[1] == highest * FEE_UNIT


def test_with_a_limit_of_zero_no_fee_can_rise(world: World) -> None:
    registry = world.another(operatorFeeIncreaseLimit=0)
    registry.registerOperator(operator_key(1), OPERATOR_FEE, False, sender=world.alice)
    with reverts("FeeExceedsIncreaseLimit"):
        registry.declareOperatorFee(1, OPERATOR_FEE + FEE_UNIT, sender=world.alice)
    registry.declareOperatorFee(1, OPERATOR_FEE - FEE_UNIT, sender=world.alice)


# --------------------------------------------------------------------------------------- executing


@pytest.mark.parametrize("late", [0, 1, EXECUTE], ids=["first second", "inside", "last second"])
def test_a_declared_fee_is_executed_anywhere_inside_its_window(world: World, late: int) -> None:
    operator = world.operator()
    world.anvil.set_next_timestamp(declared(world, operator) + late)
    receipt = world.registry.executeOperatorFee(operator, sender=world.alice)
    assert_logs(
        receipt,
        world.registry.address,
        event(
            "OperatorFeeExecuted",
            owner=world.alice,
            operatorId=operator,
            blockNumber=receipt.block,
            fee=RAISED,
        ),
    )
    assert world.registry.getOperatorFee(operator) == RAISED
    assert world.registry.getOperatorDeclaredFee(operator) == (False, 0, 0, 0)


@pytest.mark.parametrize("late", [-1, EXECUTE + 1], ids=["a second early", "a second late"])
def test_a_declared_fee_is_not_executed_outside_its_window(world: World, late: int) -> None:
    operator = world.operator()
    world.anvil.set_next_timestamp(declared(world, operator) + late)
    with reverts("ApprovalNotWithinTimeframe"):
        world.registry.executeOperatorFee(operator, sender=world.alice)
    assert world.registry.getOperatorDeclaredFee(operator)[0] is True


def test_a_declaration_is_executed_once(world: World) -> None:
    operator = world.operator()
    world.anvil.set_next_timestamp(declared(world, operator))
    world.registry.executeOperatorFee(operator, sender=world.alice)
    with reverts("NoFeeDeclared"):
        world.registry.executeOperatorFee(operator, sender=world.alice)


def test_executing_without_a_declaration_fails(world: World) -> None:
    with reverts("NoFeeDeclared"):
        world.registry.executeOperatorFee(world.operator(), sender=world.alice)


def _steps(current: int, target: int) -> list[int]:
    """Values from one to the other, none less than half or more than twice the one before."""
    values = []
    while current != target:
        half = -(-current // (2 * FEE_UNIT)) * FEE_UNIT
        current = max(target, half) if target < current else min(target, 2 * current)
        values.append(current)
    return values


def narrowed(world: World, *, maximum: int, minimum: int) -> None:
    """Governance's range of fees moves, in steps no larger than allowed."""
    for fee in _steps(HIGHEST, maximum):
        world.registry.updateMaximumOperatorFee(fee, sender=world.governor)
    for fee in _steps(LOWEST, minimum):
        world.registry.updateMinimumOperatorEthFee(fee, sender=world.governor)


@pytest.mark.parametrize(
    ("fee", "maximum", "minimum", "error"),
    [
        pytest.param(RAISED, OPERATOR_FEE, LOWEST, "FeeTooHigh", id="above the new maximum"),
        pytest.param(LOWEST, HIGHEST, LOWEST + FEE_UNIT, "FeeTooLow", id="below the new minimum"),
    ],
)
def test_executing_checks_window_then_todays_maximum_and_minimum(
    world: World, fee: int, maximum: int, minimum: int, error: str
) -> None:
    operator = world.operator()
    begin = declared(world, operator, fee)
    narrowed(world, maximum=maximum, minimum=minimum)
    with reverts("ApprovalNotWithinTimeframe"):
        world.registry.executeOperatorFee(operator, sender=world.alice)
    world.anvil.set_next_timestamp(begin)
    with reverts(error):
        world.registry.executeOperatorFee(operator, sender=world.alice)
    assert world.registry.getOperatorFee(operator) == OPERATOR_FEE


def test_a_declared_fee_of_zero_is_executed_below_any_minimum(world: World) -> None:
    operator = world.operator()
    world.anvil.set_next_timestamp(declared(world, operator, 0))
    world.registry.executeOperatorFee(operator, sender=world.alice)
    assert world.registry.getOperatorFee(operator) == 0


def test_the_old_fee_holds_up_to_and_including_the_block_of_execution(world: World) -> None:
    operators = world.cluster()
    begin = declared(world, operators[0])
    world.anvil.mine(5)
    world.anvil.set_next_timestamp(begin)
    world.registry.executeOperatorFee(operators[0], sender=world.alice)
    at_old_fee = 7 * OPERATOR_FEE
    assert world.registry.getOperatorEarnings(operators[0]) == at_old_fee
    world.anvil.mine(3)
    assert world.registry.getOperatorEarnings(operators[0]) == at_old_fee + 3 * RAISED


# -------------------------------------------------------------------------- cancelling and reducing


def test_cancelling_deletes_the_declaration(world: World) -> None:
    operator = world.operator()
    declared(world, operator)
    receipt = world.registry.cancelDeclaredOperatorFee(operator, sender=world.alice)
    assert_logs(
        receipt,
        world.registry.address,
        event("OperatorFeeDeclarationCancelled", owner=world.alice, operatorId=operator),
    )
    assert world.registry.getOperatorDeclaredFee(operator) == (False, 0, 0, 0)
    with reverts("NoFeeDeclared"):
        world.registry.cancelDeclaredOperatorFee(operator, sender=world.alice)


@pytest.mark.parametrize("fee", [0, LOWEST, OPERATOR_FEE - FEE_UNIT])
def test_reducing_takes_effect_at_once_and_drops_a_declaration(world: World, fee: int) -> None:
    operator = world.operator()
    declared(world, operator)
    receipt = world.registry.reduceOperatorFee(operator, fee, sender=world.alice)
    assert_logs(
        receipt,
        world.registry.address,
        event(
            "OperatorFeeExecuted",
            owner=world.alice,
            operatorId=operator,
            blockNumber=receipt.block,
            fee=fee,
        ),
    )
    assert world.registry.getOperatorFee(operator) == fee
    assert world.registry.getOperatorDeclaredFee(operator) == (False, 0, 0, 0)


def test_what_was_earned_before_a_reduction_stays_earned(world: World) -> None:
    operators = world.cluster(keys=3)
    world.anvil.mine(4)
    world.registry.reduceOperatorFee(operators[1], LOWEST, sender=world.alice)
    assert world.registry.getOperatorEarnings(operators[1]) == 5 * 3 * OPERATOR_FEE
    world.anvil.mine(2)
    earned = 5 * 3 * OPERATOR_FEE + 2 * 3 * LOWEST
    assert world.registry.getOperatorEarnings(operators[1]) == earned


@pytest.mark.parametrize(
    ("current", "fee", "error"),
    [
        pytest.param(0, LOWEST - 1, "FeeTooLow", id="below the minimum"),
        pytest.param(0, LARGEST_UINT256, "MaxPrecisionExceeded", id="not a multiple of the unit"),
        pytest.param(OPERATOR_FEE, RAISED, "FeeIncreaseNotAllowed", id="an increase"),
        pytest.param(OPERATOR_FEE, OPERATOR_FEE, "FeeIncreaseNotAllowed", id="the same"),
        pytest.param(0, 0, "FeeIncreaseNotAllowed", id="the same zero"),
    ],
)
def test_reducing_checks_in_order(world: World, current: int, fee: int, error: str) -> None:
    operator = world.operator(fee=current)
    with reverts(error):
        world.registry.reduceOperatorFee(operator, fee, sender=world.alice)


def test_an_operator_above_a_lowered_maximum_may_still_reduce(world: World) -> None:
    operator = world.operator(fee=HIGHEST)
    narrowed(world, maximum=HIGHEST // 2, minimum=LOWEST)
    world.registry.reduceOperatorFee(operator, HIGHEST - FEE_UNIT, sender=world.alice)
    assert world.registry.getOperatorFee(operator) == HIGHEST - FEE_UNIT
