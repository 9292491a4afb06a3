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
WORDS = {
    "happy": """\
Operator 4 leads and proposes as soon as it has attestation data. Three prepares make a quorum,
three commits decide; everybody signs, recovers the validators' signatures and submits. Operator 2
begins last and finds all it needs in its waiting room.
""",
    "round change": """\
Operator 4 leads and says nothing. Round 1 ends for everybody six seconds into the slot; three
round changes let operator 1 propose in round 2. The silent one hears the decision all the same.
""",
    "byzantine leader": """\
Operator 4 leads and proposes one value to operator 1, and takes it itself, and another to operators
2 and 3. Neither gets a quorum of prepares, nobody commits, and round 2 settles it under operator 1.
""",
    "late joiner": """\
Operator 2 stands still for the whole slot. The others do not need it. When it is back, it begins
the duty at once, finds its rounds over one after the other, and is told the decision as soon as it
asks for a round. It signs; but the others' partial signatures were sent once and are gone, so that
this operator can only say what it lacked.
""",
}
