"""One fault after the other on one network, each judged once the network is well again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import trio

from deploy.devnet.ending import why_it_ended
from deploy.devnet.network import FIRST_SLOT, SETTLE_SLOTS
from deploy.devnet.process import ProcessEnded
from sdk.errors import PhalanxError
from tests.chaos.fault import Fault, Result
from tests.chaos.judging import Judgement, judge_duties
from tests.chaos.watching import Evidence, memory_of, records_of, trouble_of, until_well
from tests.chaos.world import World

PATIENCE_SLOTS: Final = 48
"""Until the network is well again: a restart with an emptied store is watched for two epochs."""
MOST_GROWTH_MIB: Final = 24.0
"""Of a node during one fault. Caches of the first epochs take less than half of it; a queue that
nothing bounds would take it in seconds of a flood."""
SHOWN: Final = 5


async def try_faults(world: World, faults: Sequence[Fault], *, slots: int) -> list[Result]:
    """All of them, in order, from the first slot on whose duties operators can do."""
    evidence = Evidence(world)
    await world.until_slot(FIRST_SLOT)
    return [
        await _try(world, fault, evidence, slots=max(slots, fault.least_slots)) for fault in faults
    ]


async def _try(world: World, fault: Fault, evidence: Evidence, *, slots: int) -> Result:
    broken = await _repair(world)
    first = world.slot + 1
    await world.until_slot(first)
    world.say(f"slot {first}: {fault.name}: {fault.about}")
    before, seen = memory_of(node.child for node in world.live_nodes()), evidence.seen
    broken += await _live_through(world, fault, slots, evidence)
    ended = world.slot
    left = await until_well(world, patience_slots=PATIENCE_SLOTS)
    broken += [f"not well after {PATIENCE_SLOTS} slots: {each}" for each in left]
    well_at = world.slot
    last = well_at + 1
    await world.until_slot(last + SETTLE_SLOTS)
    growth = before.growth_mib(memory_of(node.child for node in world.live_nodes()))
    judgement, problems = await _judged(world, first, last)
    broken += problems
    broken += await _checked(world, fault)
    broken += _ended_unasked(world)
    broken += bars_broken(fault, judgement, growth)
    late = judgement.last_slot_with_own_miss()
    recovery = max(0, well_at - ended, 0 if late is None else late + 1 - ended)
    evidence.listen()
    pairs = tuple(await trio.to_thread.run_sync(evidence.fresh_pairs))
    heard, submitted = (now - then for now, then in zip(evidence.seen, seen, strict=True))
    if not (heard and submitted):
        broken.append(f"{heard} signatures were heard and {submitted} submitted: nothing is proven")
    world.say(
        f"slot {world.slot}: {fault.name} is over: {dict(judgement.reasons) or 'no miss'}; "
        f"{heard} signatures heard, {submitted} votes and blocks submitted"
    )
    return Result(fault.name, first, last, judgement, pairs, recovery, growth, tuple(broken))


async def _live_through(world: World, fault: Fault, slots: int, evidence: Evidence) -> list[str]:
    """The fault from its beginning to its repair; why it could not be had, for people."""
    found = []
    try:
        await fault.begin(world)
        async with trio.open_nursery() as nursery:
            end = world.slot + slots
            nursery.start_soon(_cancel_at, world, end, nursery.cancel_scope, evidence)
            await fault.during(world)
    except* PhalanxError as group:
        found.append(f"the fault could not be had: {why_it_ended(group)}")
    finally:
        with trio.CancelScope(shield=True):
            try:
                await fault.end(world)
            except PhalanxError as problem:
                found.append(f"it could not be repaired: {problem}")
    return found


async def _judged(world: World, first_slot: int, last_slot: int) -> tuple[Judgement, list[str]]:
    """What became of the duties; why nobody knows, for people."""
    try:
        report = await world.observer.report(first_slot, last_slot)
    except PhalanxError as problem:
        return Judgement(0, ()), [f"the duties could not be judged: {problem}"]
    return judge_duties(report, await records_of(world, first_slot, last_slot)), []


async def _checked(world: World, fault: Fault) -> list[str]:
    try:
        return await fault.check(world)
    except PhalanxError as problem:
        return [f"its outcome could not be looked at: {problem}"]


async def _cancel_at(world: World, slot: int, scope: trio.CancelScope, evidence: Evidence) -> None:
    while world.slot < slot:
        await world.until_slot(world.slot + 1)
        evidence.listen()
    scope.cancel()


async def _repair(world: World) -> list[str]:
    """Make the network well before the next fault, whatever the last one left; says what it took.

    Nodes that a fault left behind are started anew: that they had to be was told by that fault.
    """
    for node in world.live_nodes():
        if not node.child.is_running:
            node.child.start()
    if not await until_well(world, patience_slots=PATIENCE_SLOTS):
        return []
    for node in world.live_nodes():
        if await trouble_of(node):
            await node.child.stop()
            node.child.start()
    left = await until_well(world, patience_slots=PATIENCE_SLOTS)
    return [f"began although {each}" for each in left]


def _ended_unasked(world: World) -> list[str]:
    found = []
    for node in world.live_nodes():
        try:
            node.child.check()
        except ProcessEnded as problem:
            found.append(problem.message)
    return found


def bars_broken(fault: Fault, judgement: Judgement, growth_mib: float | None) -> list[str]:
    """What is beyond the fault's bars, for people."""
    found = []
    if judgement.missed_share > fault.most_missed:
        found.append(
            f"missed {judgement.missed_share:.1%} of {judgement.due} duties, "
            f"may miss {fault.most_missed:.1%}"
        )
    slots = {each.slot for each in judgement.misses if each.counts}
    if fault.most_slots is not None and len(slots) > fault.most_slots:
        found.append(f"missed duties in {len(slots)} slots, may in {fault.most_slots}")
    unexplained = judgement.unexplained
    found += [
        f"nobody says why: the {each.role} of validator {each.validator}, slot {each.slot}: "
        f"{each.reason}"
        for each in unexplained[:SHOWN]
    ]
    if len(unexplained) > SHOWN:
        found.append(f"and {len(unexplained) - SHOWN} more without a reason")
    if growth_mib is not None and growth_mib > MOST_GROWTH_MIB:
        found.append(f"a node grew by {growth_mib:.0f} MiB, may by {MOST_GROWTH_MIB:.0f}")
    return found
