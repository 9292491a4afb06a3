"""Invariants that say what must always be possible, tried out on a copy of the chain.

A snapshot is taken, calls are made, and all is undone. The model is not asked: the calls must
succeed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sdk.events import ClusterSnapshot, Event
from sdk.registry import Cluster, ledger, runway
from sdk.types import Address
from sdk.units import units_to_wei
from tests.contracts.invariants.actions.clusters import liquidatable
from tests.contracts.invariants.call import Call
from tests.contracts.invariants.violation import Violation, require
from tests.contracts.invariants.world import SECONDS_PER_BLOCK, World, struct_of

CLUSTERS_TRIED = 4
OPERATORS_TRIED = 4
SETTLEMENTS = 4
UNIT_WEI = 100_000


def i08_liquidation_liveness(world: World) -> None:
    """For every active cluster with validators and a liquidatable balance, liquidate succeeds,
    whatever operators did.
    """
    active = [cluster for cluster in world.follower.clusters.values() if _burns(cluster)]
    for cluster in _some(world, active):
        with on_a_copy(world):
            block = runway.liquidation_block(world.parties(cluster), at=world.block)
            if block is None or block - world.block > world.chain.longest_jump:
                continue
            pass_blocks(world, block - world.block)
            _liquidate(world, cluster, world.cast.liquidator, "i08")
    with on_a_copy(world):
        for cluster in liquidatable(world):
            _liquidate(world, cluster, world.cast.liquidator, "i08")


def i09_owner_liveness(world: World) -> None:
    """An owner can always remove all validators and withdraw what is left, and self-liquidate;
    governance cannot prevent it.
    """
    for cluster in _some(world, list(world.follower.clusters.values())):
        members = world.follower.validators_of_cluster(cluster.cluster_id)
        keys = sorted(key for _, key in members)
        with on_a_copy(world):
            struct = cluster.snapshot
            if keys:
                struct = must(
                    world,
                    "i09",
                    Call(
                        "bulkRemoveValidator", cluster.owner, (keys, cluster.operator_ids, struct)
                    ),
                )
            if _can_receive(world, cluster.owner) and _holds(world, struct.balance_wei):
                arguments = (cluster.operator_ids, struct.balance_wei, struct)
                after = must(world, "i09", Call("withdraw", cluster.owner, arguments))
                require(after.balance_wei == 0, "i09", "something stays behind")
        if cluster.snapshot.active and _can_receive(world, cluster.owner):
            with on_a_copy(world):
                _liquidate(world, cluster, cluster.owner, "i09")


def i10_operator_liveness(world: World) -> None:
    """An operator can always withdraw its credit if the registry holds the ETH."""
    live = [
        operator
        for operator in world.follower.operators.values()
        if operator.removed_at is None and _can_receive(world, operator.owner)
    ]
    for operator in world.rng.sample(live, min(OPERATORS_TRIED, len(live))):
        credit = ledger.settle_operator(operator, at=world.block).credit_units
        if not credit or not _holds(world, units_to_wei(credit)):
            continue
        with on_a_copy(world):
            before_wei = world.chain.balance_wei(world.registry.address)
            call = Call("withdrawAllOperatorEarnings", operator.owner, (operator.operator_id,))
            _succeed(world, "i10", call)
            paid_wei = before_wei - world.chain.balance_wei(world.registry.address)
            require(paid_wei == units_to_wei(credit), "i10", f"{paid_wei} wei paid")
        with on_a_copy(world):
            _succeed(world, "i10", Call("removeOperator", operator.owner, (operator.operator_id,)))


def i13_path_independence(world: World) -> None:
    """Settling at every block or once gives cluster balances that differ by at most one unit per
    settlement, never in the cluster's favour by more than rounding.
    """
    candidates = [
        (cluster, wait)
        for cluster in world.follower.clusters.values()
        if _burns(cluster)
        and (wait := runway.runway_blocks(world.parties(cluster), at=world.block)) is not None
        and wait >= SETTLEMENTS
    ]
    if not candidates:
        return
    cluster, wait = world.rng.choice(candidates)
    blocks = world.rng.randrange(SETTLEMENTS, min(wait, 10**5) + 1)
    stops = [*sorted(world.rng.sample(range(1, blocks), SETTLEMENTS - 1)), blocks]
    with on_a_copy(world):
        pass_blocks(world, blocks)
        once = _settle(world, cluster, cluster.snapshot)
    if once is None:
        return  # not within the reserve of rounding; a cluster at its last block
    with on_a_copy(world):
        struct: ClusterSnapshot | None = cluster.snapshot
        passed = 0
        for stop in stops:
            pass_blocks(world, stop - passed)
            passed = stop
            assert struct is not None
            for operator_id in cluster.operator_ids:
                _settle_operator(world, operator_id)
            struct = _settle(world, cluster, struct)
            if struct is None:
                return
    assert struct is not None
    difference_wei = once.balance_wei - struct.balance_wei
    require(
        0 <= difference_wei <= UNIT_WEI * SETTLEMENTS,
        "i13",
        f"settling {SETTLEMENTS} times instead of once costs {difference_wei} wei",
    )
    same = (once.index, once.network_fee_index) == (struct.index, struct.network_fee_index)
    require(same, "i13", "the indexes depend on the path")


@contextmanager
def on_a_copy(world: World) -> Iterator[None]:
    """Undo whatever the block does to the chain."""
    point = world.chain.snapshot()
    try:
        yield
    finally:
        world.chain.revert(point)


def pass_blocks(world: World, blocks: int) -> None:
    """Let blocks pass on a copy; the model stays behind."""
    world.chain.advance(
        blocks=blocks,
        seconds=blocks * SECONDS_PER_BLOCK,
        base_fee_wei=world.chain.base_fee_wei,
    )


def must(world: World, invariant: str, call: Call) -> ClusterSnapshot:
    """Struct after a call that has to succeed."""
    struct = struct_of(_succeed(world, invariant, call))
    assert struct is not None
    return struct


def _succeed(world: World, invariant: str, call: Call) -> tuple[Event, ...]:
    outcome = world.send(call)
    if not outcome.succeeded:
        why = world.registry.abi.failure(outcome)
        raise Violation(invariant, f"fails with {why} at block {world.chain.block}: {call}")
    return world.events(outcome)


def _liquidate(world: World, cluster: Cluster, sender: Address, invariant: str) -> None:
    """Liquidate; only a registry that does not hold the reward may fail to pay it."""
    arguments = (cluster.owner, cluster.operator_ids, cluster.snapshot)
    outcome = world.send(Call("liquidate", sender, arguments))
    if outcome.succeeded:
        return
    why = world.registry.abi.failure(outcome)
    is_insolvent = world.follower.network.uncovered_debt_units or not world.history.is_healthy
    if why.name == "ETHTransferFailed" and is_insolvent:
        return
    raise Violation(
        invariant,
        f"liquidate by 0x{sender.hex()} fails with {why} at block {world.chain.block}: {cluster}",
    )


def _settle(world: World, cluster: Cluster, struct: ClusterSnapshot) -> ClusterSnapshot | None:
    """The cluster's struct after a withdrawal of nothing; None if nothing may be withdrawn."""
    call = Call("withdraw", cluster.owner, (cluster.operator_ids, 0, struct))
    outcome = world.send(call)
    return struct_of(world.events(outcome)) if outcome.succeeded else None


def _settle_operator(world: World, operator_id: int) -> None:
    """Settle an operator by taking one unit of its earnings, if it has any."""
    operator = world.follower.operators[operator_id]  # type: ignore[index]
    world.send(Call("withdrawOperatorEarnings", operator.owner, (operator_id, UNIT_WEI)))


def _burns(cluster: Cluster) -> bool:
    return cluster.snapshot.active and cluster.validator_count > 0


def _some(world: World, clusters: Sequence[Cluster]) -> list[Cluster]:
    return world.rng.sample(clusters, min(CLUSTERS_TRIED, len(clusters)))


def _can_receive(world: World, account: Address) -> bool:
    return account not in world.surroundings.refusing


def _holds(world: World, amount_wei: int) -> bool:
    return amount_wei <= world.chain.balance_wei(world.registry.address)
