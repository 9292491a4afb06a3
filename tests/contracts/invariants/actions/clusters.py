"""Owners fund, drain and revive their clusters; liquidators and provers visit them."""

from __future__ import annotations

from sdk.registry import Cluster, ledger, runway
from sdk.types import Address
from sdk.units import WEI_PER_GWEI
from tests.contracts.invariants.call import Call
from tests.contracts.invariants.world import World

FAR_FUTURE = 2**64 - 1


def deposit(world: World) -> Call | None:
    """Anyone pays in: a little, the strangers' minimum, or enough for a while."""
    cluster = _any(world)
    if cluster is None:
        return None
    rng = world.rng
    least_wei = world.follower.network.parameters.minimum_collateral_wei
    sender = cluster.owner if rng.random() < 0.6 else rng.choice(world.cast.everyone)
    amount_wei = rng.choice([0, 1, least_wei, least_wei - 1, topping_up_wei(world, cluster)])
    arguments = (cluster.owner, cluster.operator_ids, cluster.snapshot)
    return Call("deposit", sender, arguments, max(0, amount_wei))


def withdraw(world: World) -> Call | None:
    """The owner takes out what it may, to the wei, or one wei too much."""
    cluster = _any(world)
    if cluster is None:
        return None
    rng = world.rng
    parties = world.parties(cluster)
    most_wei = runway.withdrawable_wei(parties, at=world.block)
    held_wei = ledger.settle_cluster(parties, at=world.block).snapshot.balance_wei
    amount_wei = rng.choice(
        [0, most_wei, most_wei + 1, held_wei, held_wei + 1, rng.randrange(most_wei + 1)]
    )
    arguments = (cluster.operator_ids, amount_wei, cluster.snapshot)
    return Call("withdraw", cluster.owner, arguments)


def liquidate(world: World) -> Call | None:
    """Mostly a cluster that is due; sometimes a healthy one, by its owner or in vain."""
    rng = world.rng
    due = liquidatable(world)
    cluster = rng.choice(due) if due and rng.random() < 0.8 else _any(world)
    if cluster is None:
        return None
    if cluster not in due and rng.random() < 0.7:
        return None
    sender = rng.choice(
        [world.cast.liquidator, world.cast.coalition, cluster.owner, world.cast.refuser]
    )
    return Call("liquidate", sender, (cluster.owner, cluster.operator_ids, cluster.snapshot))


def reactivate(world: World) -> Call | None:
    """The owner revives a cluster, with as little as possible or a little less."""
    dead = [cluster for cluster in world.follower.clusters.values() if not cluster.snapshot.active]
    cluster = world.rng.choice(dead) if dead else _any(world)
    if cluster is None:
        return None
    amount_wei = topping_up_wei(world, cluster)
    return Call("reactivate", cluster.owner, (cluster.operator_ids, cluster.snapshot), amount_wei)


def prove(world: World) -> Call | None:
    """Somebody proves effective balances, with or without paying for what they will cost."""
    rng = world.rng
    settled = [cluster for cluster in world.follower.clusters.values() if cluster.validator_count]
    if not settled:
        return None
    cluster = rng.choice(settled)
    members = sorted(key for _, key in world.follower.validators_of_cluster(cluster.cluster_id))
    keys = rng.sample(members, min(len(members), rng.choice([1, 1, 2, 4])))
    slot = rng.choices(
        [world.chain.timestamp_s + rng.randrange(12), rng.randrange(1, world.chain.timestamp_s)],
        [9, 1],
    )[0]
    proofs = [proof(key, rng.choice(_balances_gwei(world))) for key in keys]
    sender = rng.choice([world.cast.prover, cluster.owner, world.cast.coalition])
    value_wei = rng.choice([0, 0, 1, topping_up_wei(world, cluster), 64 * 10**16])
    return proving(cluster, sender, slot=slot, proofs=proofs, value_wei=value_wei)


def proving(
    cluster: Cluster,
    sender: Address,
    *,
    slot: int,
    proofs: list[tuple[object, ...]],
    value_wei: int = 0,
) -> Call:
    """A call of `proveEffectiveBalances` for a verifier that believes everything."""
    arguments = (
        cluster.owner,
        cluster.operator_ids,
        cluster.snapshot,
        slot,
        bytes(32),
        (),
        tuple(proofs),
    )
    return Call("proveEffectiveBalances", sender, arguments, value_wei)


def proof(key: bytes, balance_gwei: int) -> tuple[object, ...]:
    """A claim about one validator, without branches."""
    return (key, 7, bytes(32), balance_gwei, False, 0, 0, FAR_FUTURE, FAR_FUTURE, ())


def liquidatable(world: World) -> list[Cluster]:
    """Clusters that anyone may liquidate now."""
    return [
        cluster
        for cluster in world.follower.clusters.values()
        if ledger.is_liquidatable(world.parties(cluster), at=world.block)
    ]


def topping_up_wei(
    world: World, cluster: Cluster, *, new_validators: int = 0, for_blocks: int | None = None
) -> int:
    """A payment that keeps the cluster safe for a number of blocks, or just fails to."""
    rng = world.rng
    period = world.follower.network.parameters.liquidation_period_blocks
    drawn = rng.choice([0, 0, 1, rng.randrange(100), rng.randrange(period), 3 * period])
    needed_wei = runway.deposit_needed_wei(
        world.parties(cluster),
        for_blocks=drawn if for_blocks is None else for_blocks,
        at=world.block,
        new_validators=new_validators if cluster.snapshot.active else 0,
    )
    (off,) = rng.choices([0, -1, -100_000, rng.randrange(10**12)], [8, 1, 1, 2])
    return max(0, needed_wei + (off if for_blocks is None else 0))


def _any(world: World) -> Cluster | None:
    clusters = list(world.follower.clusters.values())
    return world.rng.choice(clusters) if clusters else None


def _balances_gwei(world: World) -> list[int]:
    rng = world.rng
    return [
        32 * WEI_PER_GWEI,
        33 * WEI_PER_GWEI,
        64 * WEI_PER_GWEI,
        2048 * WEI_PER_GWEI,
        rng.randrange(32, 2049) * WEI_PER_GWEI,
        rng.randrange(2049 * WEI_PER_GWEI),
        rng.choice([0, 2**64 - 1, 32 * WEI_PER_GWEI - 1]),
    ]
