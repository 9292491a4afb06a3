"""Plans in which a validator is removed and registered again with another committee.

The old committee's view of the registry is frozen, for some operators or all, for a while or for
good, so that both committees hold shares of one key at once. Two things must keep them apart. The
new one waits until the beacon chain shows nobody attesting any more (SAF-24). And operators of both
keep one slashing record per validator, over all its shares; where all but one operator stay the
same and none lies, that alone is enough, and some plans rely on it.

A frozen committee that falls silent for two epochs and comes back is beyond what a new committee
can see. So the old committee is honest and its network calm: as long as a quorum of it is frozen,
it attests.
"""

from __future__ import annotations

from random import Random
from typing import Final

from operator_node.testing.choices import Choices
from operator_node.testing.faults import (
    SLOT_MS,
    SLOTS_PER_EPOCH,
    BeaconFault,
    BeaconTrouble,
    Crash,
    Liar,
    Lie,
    Plan,
    PlannedCluster,
    PlannedDuty,
    slot_start_ms,
)
from operator_node.wire.generations import NEVER
from operator_node.wire.ids import RunnerRole
from sdk.types import Epoch, OperatorId, Slot

FIRST_EPOCH: Final = 4
EPOCHS: Final = 6
"""One before the move, and enough for a watch that is lengthened once to end in the run."""
VALIDATOR: Final = 100
LARGEST_ID: Final = 40


def moved_plan(choices: Choices, size: int) -> Plan:
    """A plan with two committees of `size` operators for one validator."""
    random = choices.of("moving")
    ids = [OperatorId(each) for each in random.sample(range(1, LARGEST_ID + 1), 2 * size)]
    relies_on_records = random.random() < 0.4
    common = size - 1 if relies_on_records else random.choice((0, 0, 1, size // 2))
    old, new = ids[:size], ids[size - common : 2 * size - common]
    first = FIRST_EPOCH * SLOTS_PER_EPOCH
    moved_slot = first + SLOTS_PER_EPOCH + random.randrange(SLOTS_PER_EPOCH)
    moved_ms = slot_start_ms(moved_slot) + random.randrange(SLOT_MS)
    frozen = tuple(
        (each, moved_ms + slot_start_ms(random.randrange(1, EPOCHS * SLOTS_PER_EPOCH)))
        for each in sorted(random.sample(old, random.randrange(1, size + 1)))
    )
    clusters = (
        PlannedCluster(tuple(sorted(old)), (VALIDATOR,), until_ms=moved_ms, sees_removal_ms=frozen),
        PlannedCluster(
            tuple(sorted(new)), (VALIDATOR,), from_ms=moved_ms, is_watched=not relies_on_records
        ),
    )
    duties = tuple(
        PlannedDuty(Slot(slot), role, (VALIDATOR,), cluster=cluster, contested=True)
        for slot, role in _schedule(random, first)
        for cluster in (0, 1)
    )
    faults = _common_lies(choices.of("common lies"), {*old, *new}) if relies_on_records else ()
    newcomers = [each for each in new if each not in old]
    lies = [] if relies_on_records else [*Lie][1 + random.randrange(3) :: 3]
    liars = [Liar(random.choice(newcomers), frozenset(lies))] if lies and newcomers else []
    return Plan(
        seed=choices.seed,
        story="moved",
        clusters=clusters,
        first_slot=Slot(first),
        slots=EPOCHS * SLOTS_PER_EPOCH,
        boole=random.choice((Epoch(0), Epoch(FIRST_EPOCH + 2), NEVER)),
        duties=duties,
        calm_ms=0,
        crashes=() if liars else _restarts(random, sorted({*old, *new}), first),
        liars=tuple(liars),
        beacon_faults=faults,
        beyond_f=bool(faults),
    )


def _schedule(random: Random, first: int) -> list[tuple[int, RunnerRole]]:
    """An attestation in each epoch, and a proposal in some; both committees get the same."""
    schedule = [
        (epoch_start + random.randrange(SLOTS_PER_EPOCH), RunnerRole.COMMITTEE)
        for epoch_start in range(first, first + EPOCHS * SLOTS_PER_EPOCH, SLOTS_PER_EPOCH)
    ]
    proposing = first + SLOTS_PER_EPOCH * random.randrange(1, EPOCHS)
    schedule.append((proposing + random.randrange(SLOTS_PER_EPOCH), RunnerRole.PROPOSER))
    return sorted(schedule)


def _common_lies(random: Random, operators: set[OperatorId]) -> tuple[BeaconFault, ...]:
    """Sometimes all beacon nodes follow another chain for a while, beyond what consensus bears.

    Its votes surround honest ones; then only the records stand between the validator and slashing.
    """
    if random.random() < 0.5:
        return ()
    begin = slot_start_ms((FIRST_EPOCH + random.randrange(1, EPOCHS)) * SLOTS_PER_EPOCH)
    end = begin + slot_start_ms(random.randrange(1, 3) * SLOTS_PER_EPOCH)
    return tuple(BeaconFault(each, BeaconTrouble.LYING, begin, end) for each in sorted(operators))


def _restarts(random: Random, operators: list[OperatorId], first: int) -> tuple[Crash, ...]:
    """A short one of one operator at most; its record must survive."""
    if random.random() < 0.5:
        return ()
    down = slot_start_ms(first + random.randrange(EPOCHS * SLOTS_PER_EPOCH))
    return (Crash(random.choice(operators), down, down + 1_000, keeps_state=False),)
