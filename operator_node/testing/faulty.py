"""Who is faulty in a plan, and how: liars first of all, never more than f of them.

Pure; all chance is handed in.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Final

from operator_node.qbft.rounds import leader_of
from operator_node.testing.faults import (
    FOREVER_MS,
    SLOTS_PER_EPOCH,
    BeaconFault,
    BeaconTrouble,
    Crash,
    Liar,
    Lie,
    Muffle,
    Plan,
    PlannedDuty,
    slot_start_ms,
)
from operator_node.validation.timing import CUT_OFF_ROUND
from operator_node.wire.committee import Committee
from operator_node.wire.generations import ForkEpochs
from sdk.types import OperatorId

HARMFUL_CLOCK_ERROR_MS: Final = 900
_SNEAKS: Final = (
    frozenset({Lie.FALSE_CHANGES, Lie.MUTE_COMMITS}),
    frozenset({Lie.MUTE_COMMITS}),
)
_SNEAK_MS: Final = 14_000
"""Into the fifth round of a committee's duty, the second of an aggregation."""
_SCHEMES: Final[tuple[tuple[tuple[Lie, ...], int], ...]] = (
    ((Lie.TWO_PROPOSALS, Lie.TWO_VOTES), 20),
    ((Lie.FALSE_CHANGES, Lie.MUTE_COMMITS), 20),
    ((Lie.FALSE_CHANGES, Lie.TWO_PROPOSALS, Lie.TWO_VOTES), 10),
    ((Lie.FALSE_CHANGES,), 6),
    ((Lie.BAD_VALUES,), 8),
    ((Lie.BAD_PARTIALS,), 8),
    ((Lie.NO_PARTIALS,), 4),
    ((Lie.ABSENT,), 6),
    ((Lie.REPLAYS,), 8),
    ((Lie.EDGES,), 4),
    ((Lie.SELECTIVE, Lie.BAD_PARTIALS), 4),
    ((), 8),
)
"""Habits that make sense together, and how often; the last stands for any three."""


def with_faulty_operators(plan: Plan, random: Random) -> Plan:
    """Choose who is faulty, and how. Liars are never more than f."""
    operators = plan.clusters[0].operators
    f = (len(operators) - 1) // 3
    if plan.story == "false chain":
        return plan
    if plan.beyond_f:
        faulty = random.sample(operators, random.randrange(f + 1, len(operators)))
    else:
        faulty = random.sample(operators, random.choice((0, f, f, random.randrange(f + 1))))
    for at, operator in enumerate(faulty):
        kind = random.choices(
            ("liar", "restart", "beacon", "clock"), (70 if at < f else 0, 14, 10, 6)
        )[0]
        plan = _faulty(plan, random, operator, kind)
    return plan


def with_liars(plan: Plan, random: Random) -> Plan:
    """As many liars as the committee bears, and nobody else who is faulty."""
    operators = plan.clusters[0].operators
    for operator in random.sample(operators, Committee(operators).f):
        plan = _faulty(plan, random, operator, "liar")
    return plan


def with_blind_leader(plan: Plan, random: Random) -> Plan:
    """Only a leader, and further ones up to f, are faulty; they see the chain, and nobody else."""
    duty = _consensual(plan, random)
    liars, _ = _leader_and_others(plan, duty, random.choice((1, 2)), random)
    return replace(
        plan,
        liars=tuple(Liar(each, frozenset({Lie.BAD_VALUES})) for each in liars),
        crashes=(),
        beacon_faults=(),
        clock_errors_ms=(),
        calm_ms=max(plan.calm_ms, slot_start_ms(duty.slot + 1)),
    )


def _consensual(plan: Plan, random: Random) -> PlannedDuty:
    """A duty with consensus, if there is one."""
    duties = [duty for duty in plan.duties if duty.role in CUT_OFF_ROUND]
    return random.choice(duties or plan.duties)


def _leader_and_others(
    plan: Plan, duty: PlannedDuty, round_: int, random: Random
) -> tuple[list[OperatorId], list[OperatorId]]:
    """The leader of a round and f - 1 more, and the rest of the committee."""
    operators = plan.clusters[0].operators
    committee = Committee(operators)
    forks = ForkEpochs(SLOTS_PER_EPOCH, plan.boole)
    leader = leader_of(committee, forks.generation_at(duty.slot))(duty.slot, round_)
    others = [each for each in operators if each != leader]
    random.shuffle(others)
    return [leader, *others[: committee.f - 1]], others[committee.f - 1 :]


def with_sneaks(plan: Plan, random: Random) -> Plan:
    """Only the leader of round 2, and further ones up to f, are faulty; one honest is muffled."""
    duty = _consensual(plan, random)
    sneaks, others = _leader_and_others(plan, duty, 2, random)
    lies = random.choice(_SNEAKS)
    begins = slot_start_ms(duty.slot)
    muffle = Muffle(random.choice(others), begins, begins + _SNEAK_MS)
    return replace(
        plan,
        liars=tuple(Liar(each, lies) for each in sneaks),
        crashes=(),
        beacon_faults=(),
        clock_errors_ms=(),
        partitions=(),
        links=replace(plan.links, slowest_ms=60, loss=0.0),
        muffles=(muffle,),
        calm_ms=max(plan.calm_ms, muffle.until_ms),
    )


def _faulty(plan: Plan, random: Random, operator: OperatorId, kind: str) -> Plan:
    start = slot_start_ms(plan.first_slot)
    if kind == "liar":
        schemes, weights = zip(*_SCHEMES, strict=True)
        lies = random.choices(schemes, weights)[0] or random.sample(list(Lie), 3)
        return replace(plan, liars=(*plan.liars, Liar(operator, frozenset(lies))))
    if kind == "restart":
        down = random.randrange(start, slot_start_ms(plan.first_slot + plan.slots))
        up = down + random.choice((200, 1_500, 5_000, 30_000))
        return replace(plan, crashes=(*plan.crashes, Crash(operator, down, up, keeps_state=False)))
    if kind == "beacon":
        fault = BeaconFault(operator, BeaconTrouble.LYING, 0, FOREVER_MS)
        return replace(plan, beacon_faults=(*plan.beacon_faults, fault))
    error = random.randrange(-HARMFUL_CLOCK_ERROR_MS, HARMFUL_CLOCK_ERROR_MS)
    return replace(plan, clock_errors_ms=(*plan.clock_errors_ms, (operator, error)))
