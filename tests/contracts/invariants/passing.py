"""How time passes between two calls, and what happens to the registry without a call."""

from __future__ import annotations

from collections import deque

from sdk.registry import runway
from tests.contracts.invariants.actions.clusters import liquidatable
from tests.contracts.invariants.cast import DILIGENCE_BLOCKS
from tests.contracts.invariants.world import SECONDS_PER_BLOCK, World

FORCED = 0.01
"""Share of steps before which ether is forced upon the registry."""
AIMED = 0.08
"""Share of steps before which time passes to an edge: of a fee's window, of a cluster's runway."""
_NOW, _SOON, _LATER = 45, 35, 20


def pass_time(world: World, trail: deque[str]) -> None:
    """Some blocks, or none; in a diligent world never past what the liquidator may miss."""
    rng = world.rng
    if rng.random() < FORCED and not world.traits.is_diligent:
        amount_wei = rng.choice([1, 99_999, 10**15])
        trail.append(f"{amount_wei} wei are forced upon the registry")
        world.force_ether(amount_wei)
    most_blocks = min(world.traits.longest_jump, world.chain.longest_jump)
    (longest,) = rng.choices([0, 6, most_blocks], [_NOW, _SOON, _LATER])
    blocks = rng.randrange(longest + 1)
    seconds = blocks * SECONDS_PER_BLOCK
    edges = _edges(world) if rng.random() < AIMED else []
    if edges:
        blocks, seconds = rng.choice(edges)
    if world.traits.is_diligent:
        most = world.blocks_until_due() + rng.randrange(DILIGENCE_BLOCKS)
        if liquidatable(world):
            most = 0
        if blocks > most:
            blocks, seconds = most, most * SECONDS_PER_BLOCK
    base_fee_wei = rng.choice([0, 7, 10**9, 30 * 10**9, 10**12, rng.randrange(10**11)])
    world.advance(blocks, base_fee_wei=base_fee_wei, seconds=seconds)


def _edges(world: World) -> list[tuple[int, int]]:
    """Blocks and seconds to the edges of fee windows, or to those of runways."""
    return _fee_edges(world) if world.rng.random() < 0.5 else _runway_edges(world)


def _fee_edges(world: World) -> list[tuple[int, int]]:
    edges = []
    for operator in world.follower.operators.values():
        declared = operator.declared_fee
        if declared is None or declared.begin_s is None or declared.end_s is None:
            continue
        for moment_s in (
            declared.begin_s - 1,
            declared.begin_s,
            declared.end_s,
            declared.end_s + 1,
        ):
            seconds = moment_s - world.chain.timestamp_s
            if seconds > 0:
                blocks = min(max(1, seconds // SECONDS_PER_BLOCK), world.chain.longest_jump)
                edges.append((blocks, seconds))
    return edges


def _runway_edges(world: World) -> list[tuple[int, int]]:
    edges = []
    for cluster in world.follower.clusters.values():
        wait = runway.runway_blocks(world.parties(cluster), at=world.block)
        if wait is not None and wait < world.chain.longest_jump:
            edges += [(wait, wait * SECONDS_PER_BLOCK), (wait + 1, (wait + 1) * SECONDS_PER_BLOCK)]
    return edges
