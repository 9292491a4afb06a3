"""Operators come and go, change their fees and their lists, and take their earnings."""

from __future__ import annotations

from sdk.events import operator_public_key_bytes
from sdk.registry import Operator, ledger
from sdk.types import Address, OperatorId
from sdk.units import FEE_UNIT_WEI, units_to_wei
from tests.contracts.invariants.call import Call
from tests.contracts.invariants.world import World


def register(world: World) -> Call:
    """A new operator, at a fee between the lowest and the world's highest."""
    rng = world.rng
    number = len(world.follower.operators) + 1
    lowest = world.follower.network.parameters.minimum_operator_fee_wei // FEE_UNIT_WEI
    highest = world.follower.network.parameters.maximum_operator_fee_wei // FEE_UNIT_WEI
    chosen = rng.choice([0, lowest, world.traits.fee_units, highest, rng.randrange(highest + 1)])
    fee = 0 if chosen == 0 else min(max(chosen, lowest), highest)
    owner = world.cast.operator_owners[number % len(world.cast.operator_owners)]
    key = operator_public_key_bytes(f"operator key {number} {rng.randrange(10**9)}")
    return Call("registerOperator", owner, (key, units_to_wei(fee), rng.random() < 0.2))


def remove(world: World) -> Call | None:
    """An operator leaves for ever; rarely, or nobody would be left."""
    live = sum(operator.removed_at is None for operator in world.follower.operators.values())
    if live < 8 or world.rng.random() < 0.4:
        return None
    return _on_one(world, "removeOperator")


def declare_fee(world: World) -> Call | None:
    """Up to the limit, one unit above it, or down."""
    operator = _operator(world)
    rng = world.rng
    parameters = world.follower.network.parameters
    limit = 10_000 + parameters.fee_increase_limit_per_10000
    highest = -(-operator.fee_units * limit // 10_000)
    lowest = parameters.minimum_operator_fee_wei // FEE_UNIT_WEI
    most = parameters.maximum_operator_fee_wei // FEE_UNIT_WEI
    fee = rng.choice([0, lowest, highest, highest, min(highest, most), highest + 1, most, most + 1])
    return Call("declareOperatorFee", operator.owner, (operator.operator_id, units_to_wei(fee)))


def execute_fee(world: World) -> Call | None:
    """Mostly one that was declared. Its window may have to be waited for."""
    operators = world.follower.operators.values()
    declared = [operator for operator in operators if operator.declared_fee is not None]
    if not declared:
        return None if world.rng.random() < 0.9 else _on_one(world, "executeOperatorFee")
    operator = world.rng.choice(declared)
    return Call("executeOperatorFee", operator.owner, (operator.operator_id,))


def execute_in_window(world: World) -> Call | None:
    """A declared fee whose time has come, if there is one."""
    now_s = world.chain.timestamp_s
    for operator in world.follower.operators.values():
        declared = operator.declared_fee
        if declared is None or declared.begin_s is None or declared.end_s is None:
            continue
        if declared.begin_s <= now_s <= declared.end_s:
            return Call("executeOperatorFee", operator.owner, (operator.operator_id,))
    return None


def cancel_fee(world: World) -> Call | None:
    """Take a declaration back."""
    return _on_one(world, "cancelDeclaredOperatorFee")


def reduce_fee(world: World) -> Call | None:
    """At once, by a little or to the lowest; to zero rarely, because that is final."""
    operator = _operator(world)
    rng = world.rng
    lowest = world.follower.network.parameters.minimum_operator_fee_wei // FEE_UNIT_WEI
    less = rng.randrange(operator.fee_units + 1)
    fee = rng.choices(
        [lowest, less, operator.fee_units, max(0, operator.fee_units - 1), 0], [2, 2, 1, 4, 1]
    )[0]
    return Call("reduceOperatorFee", operator.owner, (operator.operator_id, units_to_wei(fee)))


def withdraw(world: World) -> Call | None:
    """All of the earnings, a part, or a unit more than there is."""
    operator = _operator(world)
    rng = world.rng
    all_of_it = rng.choice(["withdrawAllOperatorEarnings", "withdrawAllVersionOperatorEarnings"])
    if rng.random() < 0.5:
        return Call(all_of_it, operator.owner, (operator.operator_id,))
    credit = ledger.settle_operator(operator, at=world.block).credit_units
    units = rng.choice([0, credit, credit + 1, rng.randrange(credit + 1)])
    arguments = (operator.operator_id, units_to_wei(units))
    return Call("withdrawOperatorEarnings", operator.owner, arguments)


def set_privacy(world: World) -> Call | None:
    """Open to all, or closed."""
    rng = world.rng
    names = ["setOperatorsPrivateUnchecked", "setOperatorsPublicUnchecked"]
    owner, ids = _own(world)
    return Call(rng.choices(names, [1, 2])[0], owner, (ids,))


def set_contract(world: World) -> Call | None:
    """Let a contract decide, or no longer."""
    rng = world.rng
    owner, ids = _own(world)
    if rng.random() < 0.3:
        return Call("removeOperatorsWhitelistingContract", owner, (ids,))
    contracts = sorted(world.surroundings.contracts)
    lists = sorted(world.surroundings.allow_lists)
    contract = rng.choice([*lists, *lists, *lists, rng.choice(contracts), world.cast.stranger])
    return Call("setOperatorsWhitelistingContract", owner, (ids, contract))


def set_lists(world: World) -> Call | None:
    """Admit owners one by one, or no longer."""
    rng = world.rng
    owner, ids = _own(world)
    names = ["setOperatorsWhitelists", "removeOperatorsWhitelists"]
    addresses = rng.sample(world.cast.cluster_owners, rng.choice([1, 1, 2, 3]))
    if rng.random() < 0.05:
        addresses.append(rng.choice([*sorted(world.surroundings.allow_lists), Address(bytes(20))]))
    return Call(rng.choices(names, [2, 1])[0], owner, (sorted(ids), addresses))


def _operator(world: World) -> Operator:
    operators = list(world.follower.operators.values())
    live = [operator for operator in operators if operator.removed_at is None]
    return world.rng.choice(live if live and world.rng.random() < 0.97 else operators)


def _on_one(world: World, function: str) -> Call:
    operator = _operator(world)
    return Call(function, operator.owner, (operator.operator_id,))


def _own(world: World) -> tuple[Address, list[OperatorId]]:
    """An operator owner and some of its operators."""
    rng = world.rng
    owner = _operator(world).owner
    own = [
        operator.operator_id
        for operator in world.follower.operators.values()
        if operator.owner == owner and operator.removed_at is None
    ]
    return owner, rng.sample(own, min(len(own), rng.choice([1, 1, 2, 3])))
