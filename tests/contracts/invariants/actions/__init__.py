"""What the actors do: mostly sensible calls, at the edges of what is allowed, and spoiled ones."""

from __future__ import annotations

from collections.abc import Callable

from tests.contracts.invariants.actions import clusters, governance, operators, validators
from tests.contracts.invariants.actions.spoil import spoil
from tests.contracts.invariants.call import Call
from tests.contracts.invariants.world import World

Action = Callable[[World], Call | None]
SPOILED = 0.15
"""Share of calls in which one thing is made wrong."""
IN_WINDOW = 0.2
"""Share of calls that execute a declared fee if one may be executed now."""
FEWEST_OPERATORS = 14
MOST_OPERATORS, MOST_CLUSTERS, MOST_VALIDATORS = 36, 40, 160
"""A world this large shows every interaction and can still be read whole after every step."""


def choose(world: World) -> Call:
    """The next call: the world's founders first, then whatever the seed says."""
    if len(world.follower.operators) < FEWEST_OPERATORS:
        call = operators.register(world)
    else:
        call = choose_sensibly(world)
    return spoil(world, call) if world.rng.random() < SPOILED else call


def choose_sensibly(world: World) -> Call:
    """A call that somebody might mean, successful or not."""
    if world.rng.random() < IN_WINDOW and (call := operators.execute_in_window(world)) is not None:
        return call
    while True:
        (action,) = world.rng.choices(_ACTIONS, _WEIGHTS)
        call = action(world)
        if call is not None:
            return call


def _register_operator(world: World) -> Call | None:
    live = sum(operator.removed_at is None for operator in world.follower.operators.values())
    is_crowded = len(world.follower.operators) >= MOST_OPERATORS and live >= FEWEST_OPERATORS // 2
    return None if is_crowded else operators.register(world)


def _register_validator(world: World) -> Call | None:
    if len(world.follower.validators) >= MOST_VALIDATORS:
        return None
    return validators.register(world, may_create=len(world.follower.clusters) < MOST_CLUSTERS)


_TABLE: list[tuple[Action, int]] = [
    (_register_validator, 18),
    (validators.remove, 7),
    (validators.exit_, 2),
    (validators.set_fee_recipient, 1),
    (clusters.deposit, 6),
    (clusters.withdraw, 8),
    (clusters.liquidate, 9),
    (clusters.reactivate, 8),
    (clusters.prove, 16),
    (_register_operator, 2),
    (operators.remove, 1),
    (operators.declare_fee, 4),
    (operators.execute_fee, 4),
    (operators.cancel_fee, 1),
    (operators.reduce_fee, 2),
    (operators.withdraw, 6),
    (operators.set_privacy, 2),
    (operators.set_contract, 2),
    (operators.set_lists, 3),
    (governance.update, 5),
    (governance.update_fee, 2),
    (governance.withdraw_earnings, 2),
    (governance.hand_over, 1),
    (governance.cover_debt, 1),
]
_ACTIONS = [action for action, _ in _TABLE]
_WEIGHTS = [weight for _, weight in _TABLE]
