"""What governance may set: who, bounds, steps, events (contracts.md, sections 10 and 18)."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from sdk.toolchain.deploy import DEFAULT_PARAMETERS
from tests.contracts.behaviour.abi import assert_logs, event, reverts
from tests.contracts.behaviour.world import FEE_UNIT, World

DAY, HOUR = 86_400, 3_600
ETHER = 10**18
OUT = "ParameterOutOfBounds"
MAX_FEE = (2**30 - 1) * FEE_UNIT


@dataclass(frozen=True)
class Setter:
    """One parameter: how it is set, reported and read, and what is refused.

    Attributes:
        initial: name in the initializer.
        lowest: lowest value taken; `highest` likewise.
        below: error of the value `unit` under `lowest`, None if there is none.
        above: error of the value `unit` over `highest`.
        unit: values are whole multiples; others are refused first.
    """

    function: str
    event: str
    view: str
    initial: str
    lowest: int
    highest: int
    below: str | None
    above: str
    unit: int = 1
    field_of_view: int | None = None

    @property
    def default(self) -> int:
        return DEFAULT_PARAMETERS[self.initial]

    def read(self, registry: object) -> int:
        value = getattr(registry, self.view)()
        return int(value if self.field_of_view is None else value[self.field_of_view])


SETTERS = [
    Setter(
        function="updateOperatorFeeIncreaseLimit",
        event="OperatorFeeIncreaseLimitUpdated",
        view="getOperatorFeeIncreaseLimit",
        initial="operatorFeeIncreaseLimit",
        lowest=0,
        highest=10_000,
        below=None,
        above="InvalidOperatorFeeIncreaseLimit",
    ),
    Setter(
        function="updateDeclareOperatorFeePeriod",
        event="DeclareOperatorFeePeriodUpdated",
        view="getOperatorFeePeriods",
        initial="declareOperatorFeePeriod",
        lowest=DAY,
        highest=30 * DAY,
        below=OUT,
        above=OUT,
        field_of_view=0,
    ),
    Setter(
        function="updateExecuteOperatorFeePeriod",
        event="ExecuteOperatorFeePeriodUpdated",
        view="getOperatorFeePeriods",
        initial="executeOperatorFeePeriod",
        lowest=HOUR,
        highest=30 * DAY,
        below=OUT,
        above=OUT,
        field_of_view=1,
    ),
    Setter(
        function="updateLiquidationThresholdPeriod",
        event="LiquidationThresholdPeriodUpdated",
        view="getLiquidationThresholdPeriod",
        initial="liquidationThresholdPeriod",
        lowest=21_480,
        highest=432_000,
        below="NewBlockPeriodIsBelowMinimum",
        above=OUT,
    ),
    Setter(
        function="updateMinimumLiquidationCollateral",
        event="MinimumLiquidationCollateralUpdated",
        view="getMinimumLiquidationCollateral",
        initial="minimumLiquidationCollateral",
        lowest=FEE_UNIT,
        highest=ETHER // 20,
        below=OUT,
        above=OUT,
        unit=FEE_UNIT,
    ),
    Setter(
        function="updateMaximumOperatorFee",
        event="OperatorMaximumFeeUpdated",
        view="getMaximumOperatorFee",
        initial="maximumOperatorFee",
        lowest=DEFAULT_PARAMETERS["minimumOperatorFee"],
        highest=MAX_FEE,
        below="InvalidOperatorFeeRange",
        above="MaxValueExceeded",
        unit=FEE_UNIT,
    ),
    Setter(
        function="updateMinimumOperatorEthFee",
        event="MinimumOperatorEthFeeUpdated",
        view="getMinimumOperatorEthFee",
        initial="minimumOperatorFee",
        lowest=0,
        highest=DEFAULT_PARAMETERS["maximumOperatorFee"],
        below=None,
        above="InvalidOperatorFeeRange",
        unit=FEE_UNIT,
    ),
    Setter(
        function="updateValidatorsPerOperatorLimit",
        event="ValidatorsPerOperatorLimitUpdated",
        view="getValidatorsPerOperatorLimit",
        initial="validatorsPerOperatorLimit",
        lowest=1,
        highest=65_535,
        below=OUT,
        above=OUT,
    ),
    Setter(
        function="updateNetworkFee",
        event="NetworkFeeUpdated",
        view="getNetworkFee",
        initial="networkFee",
        lowest=0,
        highest=38_000_000_000,
        below=None,
        above=OUT,
        unit=FEE_UNIT,
    ),
]


@pytest.fixture(params=SETTERS, ids=lambda setter: setter.function)
def setter(request: pytest.FixtureRequest) -> Setter:
    """Each parameter in turn."""
    return request.param  # type: ignore[no-any-return]


def invalid(setter: Setter) -> list[int]:
    """Values that break a bound, a step or the precision."""
    values = [setter.highest + setter.unit, setter.highest + 1, 2 * setter.default + setter.unit]
    return values if setter.below is None else [*values, setter.lowest - setter.unit]


def logged(setter: Setter, old: int, new: int) -> tuple[tuple[bytes, ...], bytes]:
    """The setter's event; only the network fee's carries the old value."""
    return event(setter.event, *([old] if setter.function == "updateNetworkFee" else []), new)


def test_a_parameter_is_set_and_reported(world: World, setter: Setter) -> None:
    assert setter.read(world.registry) == setter.default
    value = setter.default - setter.unit
    receipt = world.registry.transact(setter.function, value, sender=world.governor)
    assert_logs(receipt, world.registry.address, logged(setter, setter.default, value))
    assert setter.read(world.registry) == value


def test_setting_one_parameter_leaves_the_others_alone(world: World, setter: Setter) -> None:
    others = [other for other in SETTERS if other is not setter]
    before = [other.read(world.registry) for other in others]
    world.registry.transact(setter.function, setter.default - setter.unit, sender=world.governor)
    assert [other.read(world.registry) for other in others] == before


def test_the_value_of_today_may_be_set_again(world: World, setter: Setter) -> None:
    receipt = world.registry.transact(setter.function, setter.default, sender=world.governor)
    assert_logs(receipt, world.registry.address, logged(setter, setter.default, setter.default))


def test_only_the_owner_sets_a_parameter_whatever_the_value(world: World, setter: Setter) -> None:
    world.registry.transferOwnership(world.bob, sender=world.governor)
    for value in [setter.default, *invalid(setter)]:
        for sender in (world.stranger, world.bob):
            with reverts("CallerNotOwner"):
                world.registry.transact(setter.function, value, sender=sender)


def test_a_parameter_doubles_at_most(world: World, setter: Setter) -> None:
    # Half of the maximum, so that twice the value is inside the bounds.
    start = setter.highest // 2 // setter.unit * setter.unit - setter.unit
    registry = world.another(**{setter.initial: start})
    with reverts(OUT):
        registry.transact(setter.function, 2 * start + setter.unit, sender=world.governor)
    registry.transact(setter.function, 2 * start, sender=world.governor)
    assert setter.read(registry) == 2 * start


def test_a_parameter_halves_at_most(world: World, setter: Setter) -> None:
    start = max(2 * setter.lowest + 2 * setter.unit, 20 * setter.unit)
    registry = world.another(**{setter.initial: start})
    with reverts(OUT):
        registry.transact(setter.function, start // 2 - setter.unit, sender=world.governor)
    registry.transact(setter.function, start // 2, sender=world.governor)
    assert setter.read(registry) == start // 2


def test_the_highest_value_is_taken_and_none_above(world: World, setter: Setter) -> None:
    start = setter.highest - setter.unit
    registry = world.another(**{setter.initial: start})
    with reverts(setter.above):
        registry.transact(setter.function, setter.highest + setter.unit, sender=world.governor)
    registry.transact(setter.function, setter.highest, sender=world.governor)
    assert setter.read(registry) == setter.highest


def test_the_lowest_value_is_taken_and_none_below(world: World, setter: Setter) -> None:
    registry = world.another(**{setter.initial: setter.lowest})
    if setter.below is not None:
        with reverts(setter.below):
            registry.transact(setter.function, setter.lowest - setter.unit, sender=world.governor)
    registry.transact(setter.function, setter.lowest, sender=world.governor)
    assert setter.read(registry) == setter.lowest


def test_a_bound_is_named_before_the_step(world: World, setter: Setter) -> None:
    above = max(setter.highest, 2 * setter.default) + setter.unit
    with reverts(setter.above):
        world.registry.transact(setter.function, above, sender=world.governor)
    if setter.below is not None and setter.lowest > setter.unit:
        with reverts(setter.below):
            world.registry.transact(
                setter.function, setter.lowest - setter.unit, sender=world.governor
            )


@pytest.mark.parametrize("name", ["operatorFeeIncreaseLimit", "minimumOperatorFee", "networkFee"])
def test_a_parameter_at_zero_may_take_any_value(world: World, name: str) -> None:
    setter = next(setter for setter in SETTERS if setter.initial == name)
    registry = world.another(**{name: 0})
    registry.transact(setter.function, setter.highest, sender=world.governor)
    assert setter.read(registry) == setter.highest


@pytest.mark.parametrize(
    "setter", [one for one in SETTERS if one.unit != 1], ids=lambda one: one.function
)
def test_an_amount_must_be_a_multiple_of_the_unit_before_anything_else(
    world: World, setter: Setter
) -> None:
    for value in (setter.default + 1, setter.highest + 1, 1, 2**256 - 1):
        with reverts("MaxPrecisionExceeded"):
            world.registry.transact(setter.function, value, sender=world.governor)


@pytest.mark.parametrize(
    "setter", [one for one in SETTERS if one.unit != 1], ids=lambda one: one.function
)
def test_the_largest_amount_is_out_of_bounds_and_does_not_wrap(
    world: World, setter: Setter
) -> None:
    with reverts(setter.above):
        world.registry.transact(
            setter.function, 2**256 // FEE_UNIT * FEE_UNIT, sender=world.governor
        )


def test_half_of_an_odd_number_of_units_is_rounded_down(world: World) -> None:
    registry = world.another(networkFee=35_509 * FEE_UNIT)
    with reverts(OUT):
        registry.updateNetworkFee(17_753 * FEE_UNIT, sender=world.governor)
    registry.updateNetworkFee(17_754 * FEE_UNIT, sender=world.governor)


def test_minimum_and_maximum_fee_may_meet_but_not_cross(world: World) -> None:
    registry = world.another(minimumOperatorFee=50 * FEE_UNIT, maximumOperatorFee=60 * FEE_UNIT)
    registry.updateMinimumOperatorEthFee(60 * FEE_UNIT, sender=world.governor)
    with reverts("InvalidOperatorFeeRange"):
        registry.updateMaximumOperatorFee(59 * FEE_UNIT, sender=world.governor)
    with reverts("InvalidOperatorFeeRange"):
        registry.updateMinimumOperatorEthFee(61 * FEE_UNIT, sender=world.governor)
    assert registry.getMinimumOperatorEthFee() == registry.getMaximumOperatorFee() == 60 * FEE_UNIT


def test_operators_keep_their_fee_when_the_range_moves(world: World) -> None:
    operator = world.operator(fee=1_000_000_000)
    world.registry.updateMinimumOperatorEthFee(2_000_000_000, sender=world.governor)
    assert world.registry.getOperatorFee(operator) == 1_000_000_000


def test_operators_above_a_lowered_validator_limit_keep_their_validators(world: World) -> None:
    registry = world.registry
    for limit in (1_500, 750, 375, 188, 94, 47, 24, 12, 6, 3):
        registry.updateValidatorsPerOperatorLimit(limit, sender=world.governor)
    operators = world.cluster(keys=3)
    registry.updateValidatorsPerOperatorLimit(2, sender=world.governor)
    assert registry.getOperatorById(operators[0])[2] == 3
    with reverts("ExceedValidatorLimitWithData", operators[0]):
        world.register(world.carol, operators)
