"""The textbook runs, as plans made by hand; their transcripts are reviewed as prose."""

from __future__ import annotations

from dataclasses import replace

from operator_node.testing.faults import (
    SLOT_MS,
    Crash,
    Liar,
    Lie,
    Links,
    Plan,
    PlannedCluster,
    PlannedDuty,
    slot_start_ms,
)
from operator_node.wire.generations import NEVER
from operator_node.wire.ids import RunnerRole
from sdk.types import OperatorId, Slot

SLOT = Slot(35)
"""Led by operator 4 in round 1 and by operator 1 in round 2, in Alan."""
OPERATORS = tuple(OperatorId(each) for each in (1, 2, 3, 4))
LEADER = OPERATORS[3]
VALIDATORS = (100, 101)

HAPPY = Plan(
    seed=1,
    story="happy",
    clusters=(PlannedCluster(OPERATORS, VALIDATORS),),
    first_slot=SLOT,
    slots=1,
    boole=NEVER,
    duties=(PlannedDuty(SLOT, RunnerRole.COMMITTEE, VALIDATORS, sync=(101,)),),
    calm_ms=0,
    links=Links(fastest_ms=10, slowest_ms=10),
)
ROUND_CHANGE = replace(HAPPY, story="round change", liars=(Liar(LEADER, frozenset({Lie.ABSENT})),))
BYZANTINE_LEADER = replace(
    HAPPY, story="byzantine leader", liars=(Liar(LEADER, frozenset({Lie.TWO_PROPOSALS})),)
)
LATE_JOINER = replace(
    HAPPY,
    story="late joiner",
    calm_ms=slot_start_ms(SLOT + 1),
    crashes=(
        Crash(OPERATORS[1], slot_start_ms(SLOT), slot_start_ms(SLOT) + SLOT_MS, keeps_state=True),
    ),
)

RUNS = {plan.story: plan for plan in (HAPPY, ROUND_CHANGE, BYZANTINE_LEADER, LATE_JOINER)}
