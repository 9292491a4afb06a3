"""I19: a world in which one group owns clusters and their operators, proves and liquidates.

Two groups share the registry and nothing else: the coalition's clusters use the coalition's
operators, honest owners' clusters use honest operators. A liquidator of neither group is
diligent. Whatever the coalition does, it must never get more than it gave.
"""

from __future__ import annotations

from sdk.registry import runway
from sdk.testing import builders
from sdk.types import Address, OperatorId
from sdk.units import WEI_PER_GWEI
from tests.contracts.invariants.actions import FEWEST_OPERATORS, choose_sensibly, operators
from tests.contracts.invariants.actions.clusters import proof, proving
from tests.contracts.invariants.actions.validators import registering
from tests.contracts.invariants.books import UNIT_WEI
from tests.contracts.invariants.call import Call
from tests.contracts.invariants.violation import Violation
from tests.contracts.invariants.world import Step, World
from tests.contracts.registry_in_evm import RICH_WEI

FIRST_BY_OWNER = {"deposit", "liquidate", "proveEffectiveBalances"}
"""Calls whose first argument is the cluster's owner."""
OWN_CLUSTER = {
    "registerValidator",
    "bulkRegisterValidator",
    "reactivate",
    "withdraw",
    "removeValidator",
    "bulkRemoveValidator",
    "exitValidator",
    "bulkExitValidator",
}
UNHELPFUL = {
    "setOperatorsPrivateUnchecked",
    "setOperatorsWhitelistingContract",
    "setOperatorsWhitelists",
    "updateValidatorsPerOperatorLimit",
}
"""Calls that only keep the groups from doing much."""
HUGE_GWEI = 2048 * WEI_PER_GWEI


def i19_no_profitable_coalition(world: World, step: Step) -> None:
    """While one liquidator acts on every cluster within 100 blocks of its becoming liquidatable, no
    coalition of owners, operators and provers ever withdraws more than it paid in, whatever keys it
    registers, proves, moves or removes. Checked stronger: what it could still take counts, too.
    """
    group = coalition(world)
    gained_wei = sum(world.chain.balance_wei(member) - RICH_WEI for member in group)
    credits = sum(
        step.books.operator(operator.operator_id).credit_at(step.block)
        for operator in world.follower.operators.values()
        if operator.owner in group and operator.removed_at is None
    )
    values_wei = step.books.values_wei(step.block)
    kept_wei = sum(
        max(0, value_wei)
        for cluster, value_wei in zip(step.books.clusters, values_wei, strict=True)
        if cluster.owner in group
    )
    profit_wei = gained_wei + kept_wei + credits * UNIT_WEI
    if profit_wei > 0:
        raise Violation(
            "i19", f"the coalition is {profit_wei} wei better off, {gained_wei} of it out"
        )


def coalition(world: World) -> frozenset[Address]:
    """Who acts together."""
    cast = world.cast
    return frozenset({cast.coalition, *cast.owners[2:], *cast.operators[:2], cast.prover})


def choose_apart(world: World) -> Call:
    """A sensible call that keeps the two groups apart; at first the 64-fold attempt."""
    world.groups = (coalition(world), frozenset({*world.cast.owners[:2], world.cast.operators[2]}))
    if len(world.follower.operators) < FEWEST_OPERATORS:
        return _founder(world)
    attempt = _sixty_four_fold(world)
    while attempt is None:
        call = choose_sensibly(world)
        if _is_apart(world, call):
            return call
    return attempt


def _founder(world: World) -> Call:
    """Operators of the coalition, and four honest ones."""
    call = operators.register(world)
    number = len(world.follower.operators)
    owner = world.cast.operators[2] if number < 4 else world.cast.coalition
    key, fee, _ = call.arguments
    return Call(call.function, owner, (key, fee, False))


def _sixty_four_fold(world: World) -> Call | None:
    """Register somebody's 2,048 ETH key with the least deposit, prove it when the balance is almost
    due, collect as one's own operators. Tried once, at the head of a world.
    """
    cast = world.cast
    ids = tuple(
        operator.operator_id
        for operator in world.follower.operators.values()
        if operator.owner == cast.coalition
    )[:4]
    cluster = world.model.cluster(cast.coalition, ids)
    if cluster is None and world.next_key == 0:
        world.next_key += 1
        return registering(world, cast.coalition, _ids(ids), [builders.public_key(1)], for_blocks=0)
    if cluster is None or world.attempted:
        return None
    world.attempted = True
    wait = runway.runway_blocks(world.parties(cluster), at=world.block)
    world.advance(min(wait or 0, 10**6), base_fee_wei=world.chain.base_fee_wei)
    proofs = [proof(builders.public_key(1), HUGE_GWEI)]
    return proving(cluster, cast.coalition, slot=world.chain.timestamp_s, proofs=proofs)


def _is_apart(world: World, call: Call) -> bool:
    """Whether the call leaves the groups apart: everybody touches only its own group's clusters."""
    group = coalition(world)
    known = {
        *group,
        *world.cast.owners[:2],
        world.cast.operators[2],
        world.cast.governance,
        world.cast.heir,
        world.cast.stranger,
    }
    is_member = call.sender in group
    if call.sender not in known or call.function in UNHELPFUL:
        return False
    if call.function == "removeOperator" and world.rng.random() < 0.7:
        return False
    if call.function in FIRST_BY_OWNER:
        return bool((call.arguments[0] in group) == is_member)
    if call.function in OWN_CLUSTER:
        ids = (
            call.arguments[0] if call.function in ("reactivate", "withdraw") else call.arguments[1]
        )
        return all((_owner(world, number) in group) == is_member for number in ids)
    if call.function == "registerOperator":
        return is_member or call.sender == world.cast.operators[2]
    return True


def _owner(world: World, number: int) -> Address | None:
    operator = world.follower.operators.get(OperatorId(number))
    return operator.owner if operator else None


def _ids(ids: tuple[int, ...]) -> tuple[OperatorId, ...]:
    return tuple(OperatorId(number) for number in ids)
