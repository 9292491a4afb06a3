"""From a seed to a plan: which cluster, which duties, and what goes wrong.

Pure; all chance comes from `Choices`. Every plan has at least one fault. Unless it is a plan beyond
f, at most f operators of each committee are faulty; what the network, the pauses and the honest
operators' beacon nodes do before the calm comes on top of that.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Final

from operator_node.testing.choices import Choices
from operator_node.testing.faults import (
    SLOT_MS,
    SLOTS_PER_EPOCH,
    BeaconFault,
    BeaconTrouble,
    Crash,
    Links,
    Muffle,
    Partition,
    Plan,
    PlannedCluster,
    slot_start_ms,
)
from operator_node.testing.faulty import (
    with_blind_leader,
    with_faulty_operators,
    with_liars,
    with_sneaks,
)
from operator_node.testing.moving import moved_plan
from operator_node.testing.schedules import SLOTS, contest, draw_duties, put_on_false_chain
from operator_node.wire.generations import NEVER
from sdk.types import Epoch, OperatorId, Slot

FIRST_EPOCH: Final = 4
"""Late enough for a source and a target behind it, and for a fork before the run."""
LARGEST_ID: Final = 40
HARMLESS_CLOCK_ERROR_MS: Final = 24
"""Two clocks then differ by less than the 50 ms that peers grant (TIM-3)."""

_STORIES: Final = {
    "ordinary": 50,
    "calm": 12,
    "sneak": 12,
    "contested": 8,
    "blind": 7,
    "beyond f": 5,
    "amnesia": 5,
    "false chain": 3,
    "moved": 3,
}
"""What a plan is about, and how often. Ordinary ones are about everything at once.

- calm: f liars and nothing else, so that all that they cannot prevent is owed.
- sneak: the leader of round 2 lies about what was prepared, after one operator alone decided.
- contested: validators attest in two slots of an epoch, as after a re-org of the schedule.
- blind: honest operators have no beacon nodes for a while, and a liar has values to offer.
- beyond f: more than f operators are faulty.
- amnesia: nearly everybody restarts without state in the middle of a duty.
- false chain: from an epoch on, all beacon nodes show another chain, with an older source.
- moved: see `moving`.
"""


def draw_plan(choices: Choices, size: int) -> Plan:
    """The plan of a seed for committees of `size` operators.

    Args:
        choices: of the seed.
        size: 4, 7, 10 or 13.
    """
    stories = choices.of("story")
    story = stories.choices(tuple(_STORIES), tuple(_STORIES.values()))[0]
    if story == "moved":
        return moved_plan(choices, size)
    plan = _quiet_plan(choices, size, story)
    if story in ("beyond f", "amnesia", "false chain"):
        plan = replace(plan, beyond_f=True)
    if story == "contested":
        plan = replace(plan, duties=contest(plan.duties, plan.first_slot, stories))
    if story == "false chain":
        plan = put_on_false_chain(plan)
    if story == "calm":
        return with_liars(replace(plan, calm_ms=0), choices.of("operators"))
    plan = _with_network_faults(plan, choices.of("network"))
    plan = with_faulty_operators(plan, choices.of("operators"))
    if story == "sneak":
        plan = with_sneaks(plan, choices.of("sneak"))
    if story == "blind":
        plan = with_blind_leader(plan, choices.of("blind"))
    if story == "amnesia":
        plan = replace(plan, crashes=_all_forget(plan, choices.of("amnesia")))
    plan = _with_honest_troubles(plan, choices.of("troubles"))
    return plan if _has_fault(plan) else replace(plan, links=replace(plan.links, loss=0.05))


def _quiet_plan(choices: Choices, size: int, story: str) -> Plan:
    random = choices.of("shape")
    operators = tuple(
        OperatorId(each) for each in sorted(random.sample(range(1, LARGEST_ID + 1), size))
    )
    epoch = FIRST_EPOCH + random.randrange(2)
    crossing = random.random() < 0.2
    if crossing or story == "false chain":
        first = epoch * SLOTS_PER_EPOCH - random.randrange(1, SLOTS)
        boole = Epoch(epoch)
    else:
        first = epoch * SLOTS_PER_EPOCH + random.randrange(SLOTS_PER_EPOCH)
        boole = Epoch(0) if random.random() < 0.5 else NEVER
    validators = tuple(range(100, 101 + random.choice((0, 0, 1, 1, 2))))
    duties = draw_duties(choices.of("duties"), first, boole, validators)
    last = slot_start_ms(first + SLOTS)
    return Plan(
        seed=choices.seed,
        story=story,
        clusters=(PlannedCluster(operators, validators),),
        first_slot=Slot(first),
        slots=SLOTS,
        boole=boole,
        duties=duties,
        calm_ms=random.randrange(slot_start_ms(first), last + SLOT_MS),
        work_ms=random.choice((0, 0, 5, 40)),
        compare_roots=random.random() < 0.5,
    )


def _with_network_faults(plan: Plan, random: Random) -> Plan:
    links = Links(
        fastest_ms=1,
        slowest_ms=random.choice((20, 60, 60, 300, 900)),
        straggling=random.choice((0.0, 0.05, 0.2)),
        straggler_ms=random.choice((500, 3000)),
        loss=random.choice((0.0, 0.0, 0.03, 0.1, 0.3)),
        unrecovered=random.choice((0.0, 0.1, 0.5)),
        duplicates=random.choice((0.0, 0.0, 0.05)),
    )
    operators = plan.clusters[0].operators
    start = slot_start_ms(plan.first_slot)
    partitions: list[Partition] = []
    while random.random() < 0.25 and len(partitions) < 3:
        side = frozenset(random.sample(operators, random.randrange(1, len(operators) // 2 + 1)))
        begins = random.randrange(start, max(start + 1, plan.calm_ms))
        ends = min(plan.calm_ms, begins + random.choice((500, 2_000, 6_000, 20_000)))
        partitions.append(Partition(side, begins, ends))
    muffles = []
    for duty in plan.duties:
        begins = slot_start_ms(duty.slot)
        if random.random() < 0.2 and begins < plan.calm_ms:
            ends = min(plan.calm_ms, begins + random.choice((5_000, 9_000, 13_000, 25_000)))
            muffles.append(Muffle(random.choice(operators), begins, ends))
    return replace(plan, links=links, partitions=tuple(partitions), muffles=tuple(muffles))


def _all_forget(plan: Plan, random: Random) -> tuple[Crash, ...]:
    """Restarts of nearly everybody within the slot of a duty, which then is done once more."""
    crashes = []
    for operator in plan.clusters[0].operators:
        duty = random.choice(plan.duties[: 1 + random.randrange(2)])
        down = slot_start_ms(duty.slot) + random.randrange(1_000, 7_000)
        if random.random() < 0.9:
            crashes.append(Crash(operator, down, down + 500, keeps_state=False))
    return tuple(crashes)


def _with_honest_troubles(plan: Plan, random: Random) -> Plan:
    """What hits operators that are honest, before the calm."""
    start = slot_start_ms(plan.first_slot)
    wrong_clocks = {operator for operator, _ in plan.clock_errors_ms}
    crashed = {crash.operator for crash in plan.crashes}
    honest = [
        each
        for each in plan.clusters[0].operators
        if each not in {liar.operator for liar in plan.liars}
    ]
    clocks = tuple(
        (each, random.randrange(-HARMLESS_CLOCK_ERROR_MS, HARMLESS_CLOCK_ERROR_MS))
        for each in honest
        if each not in wrong_clocks and random.random() < 0.3
    )
    crashes: list[Crash] = []
    faults: list[BeaconFault] = []
    for operator in honest:
        blind = plan.story == "blind"
        if plan.calm_ms > start and (blind or random.random() < 0.15):
            trouble = (
                BeaconTrouble.ABSENT
                if blind
                else random.choice([each for each in BeaconTrouble if each != "lying"])
            )
            faults.append(BeaconFault(operator, trouble, start - SLOT_MS, plan.calm_ms))
        if plan.calm_ms > start + 1 and operator not in crashed and random.random() < 0.08:
            down = random.randrange(start, plan.calm_ms)
            crashes.append(Crash(operator, down, plan.calm_ms, keeps_state=True))
    return replace(
        plan,
        clock_errors_ms=plan.clock_errors_ms + clocks,
        crashes=plan.crashes + tuple(crashes),
        beacon_faults=plan.beacon_faults + tuple(faults),
    )


def _has_fault(plan: Plan) -> bool:
    links = plan.links
    return bool(
        plan.partitions
        or plan.crashes
        or plan.beacon_faults
        or plan.liars
        or plan.clock_errors_ms
        or links.loss
        or links.straggling
        or links.duplicates
    )
