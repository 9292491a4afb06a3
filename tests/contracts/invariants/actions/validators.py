"""Owners register, remove and exit validators."""

from __future__ import annotations

from sdk.committee import shares_data_length
from sdk.events import EMPTY_SNAPSHOT
from sdk.registry import Cluster
from sdk.testing import builders
from sdk.types import Address, OperatorId, PublicKey
from tests.contracts.invariants.actions.clusters import topping_up_wei
from tests.contracts.invariants.call import Call
from tests.contracts.invariants.world import World

SIZES = (4, 4, 4, 7, 7, 10, 13)


def register(world: World, *, may_create: bool) -> Call | None:
    """One key or several, in a new cluster or one that exists."""
    rng = world.rng
    owner = rng.choice(world.cast.cluster_owners)
    own = [cluster for cluster in world.follower.clusters.values() if cluster.owner == owner]
    if own and not (may_create and rng.random() < 0.3):
        ids = rng.choice(own).operator_ids
    else:
        chosen = _operators(world, owner) if may_create else None
        if chosen is None:
            return None
        ids = chosen
    keys = [_key(world) for _ in range(rng.choice([1, 1, 1, 2, 3, 5]))]
    return registering(world, owner, ids, keys)


def registering(
    world: World,
    owner: Address,
    ids: tuple[OperatorId, ...],
    keys: list[PublicKey],
    *,
    for_blocks: int | None = None,
) -> Call:
    """A registration that pays for a number of blocks, drawn if not given."""
    rng = world.rng
    length = shares_data_length(len(ids))
    shares = [rng.randbytes(64) + bytes(length - 64) for _ in keys]
    known = world.model.cluster(owner, ids)
    struct = known.snapshot if known else EMPTY_SNAPSHOT
    cluster = known or world.model.parties(owner, ids).cluster
    amount_wei = topping_up_wei(world, cluster, new_validators=len(keys), for_blocks=for_blocks)
    if len(keys) == 1 and rng.random() < 0.7:
        return Call("registerValidator", owner, (keys[0], ids, shares[0], struct), amount_wei)
    return Call("bulkRegisterValidator", owner, (keys, ids, shares, struct), amount_wei)


def remove(world: World) -> Call | None:
    """Some or all validators of a cluster."""
    rng = world.rng
    cluster, members = _settled(world)
    if cluster is None:
        return None
    keys = rng.sample(members, rng.choice([1, 1, len(members), rng.randrange(len(members)) + 1]))
    if len(keys) == 1 and rng.random() < 0.7:
        one = (keys[0], cluster.operator_ids, cluster.snapshot)
        return Call("removeValidator", cluster.owner, one)
    several = (keys, cluster.operator_ids, cluster.snapshot)
    return Call("bulkRemoveValidator", cluster.owner, several)


def exit_(world: World) -> Call | None:
    """Ask for exits, again and again."""
    rng = world.rng
    cluster, members = _settled(world)
    if cluster is None:
        return None
    keys = rng.sample(members, rng.randrange(len(members)) + 1)
    if rng.random() < 0.5:
        return Call("exitValidator", cluster.owner, (keys[0], cluster.operator_ids))
    return Call("bulkExitValidator", cluster.owner, (keys, cluster.operator_ids))


def set_fee_recipient(world: World) -> Call:
    """Where rewards go."""
    rng = world.rng
    owner = rng.choice(world.cast.cluster_owners)
    return Call("setFeeRecipientAddress", owner, (rng.choice(world.cast.everyone),))


def _settled(world: World) -> tuple[Cluster | None, list[bytes]]:
    """A cluster with validators, and their keys."""
    clusters = [cluster for cluster in world.follower.clusters.values() if cluster.validator_count]
    if not clusters:
        return None, []
    cluster = world.rng.choice(clusters)
    members = world.follower.validators_of_cluster(cluster.cluster_id)
    return cluster, sorted(key for _, key in members)


def _operators(world: World, owner: Address) -> tuple[OperatorId, ...] | None:
    """A set of operators that mostly would take this owner; groups prefer their own."""
    rng = world.rng
    open_ids = [
        operator.operator_id
        for operator in world.follower.operators.values()
        if operator.removed_at is None
        and (world.model.admits(operator, owner) or rng.random() < 0.02)
    ]
    size = rng.choice(SIZES)
    for group in world.groups or (frozenset({world.cast.coalition}),):
        if owner in group:
            own = [i for i in open_ids if world.follower.operators[i].owner in group]
            open_ids = own if len(own) >= size or world.groups else open_ids
    if len(open_ids) < size:
        return None
    return tuple(sorted(rng.sample(open_ids, size)))


def _key(world: World) -> PublicKey:
    """A new key, or sometimes one that somebody has used before."""
    if world.next_key and world.rng.random() < 0.1:
        return builders.public_key(world.rng.randrange(world.next_key))
    world.next_key += 1
    return builders.public_key(world.next_key)
