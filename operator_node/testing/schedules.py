"""Which duties a plan has: about one a slot, of every kind that its generations know.

Pure; all chance is handed in.

Source: docs/protocol.md, "Timing" (when duties start).
"""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Final

from operator_node.testing.faults import (
    FOREVER_MS,
    SLOTS_PER_EPOCH,
    BeaconFault,
    BeaconTrouble,
    Plan,
    PlannedDuty,
    slot_start_ms,
)
from operator_node.wire.ids import RunnerRole
from sdk.types import Epoch, Slot

SLOTS: Final = 4
"""Of a run, except of those with moves."""
_BOOLE_ROLES: Final = (
    RunnerRole.PROPOSER,
    RunnerRole.AGGREGATOR_COMMITTEE,
    RunnerRole.AGGREGATOR_COMMITTEE,
    RunnerRole.VALIDATOR_REGISTRATION,
    RunnerRole.VOLUNTARY_EXIT,
)
_ALAN_ROLES: Final = (
    RunnerRole.PROPOSER,
    RunnerRole.AGGREGATOR,
    RunnerRole.SYNC_CONTRIBUTION,
    RunnerRole.VALIDATOR_REGISTRATION,
    RunnerRole.VOLUNTARY_EXIT,
)


def draw_duties(
    random: Random, first: int, boole: Epoch, validators: tuple[int, ...]
) -> tuple[PlannedDuty, ...]:
    """About one duty a slot; each validator attests, and aggregates, once an epoch at most."""
    seated = tuple(each for each in validators if random.random() < 0.3)
    duties: list[PlannedDuty] = []
    attests = {each: first + random.randrange(SLOTS) for each in validators}
    for number in range(first, first + SLOTS):
        slot = Slot(number)
        attesters = tuple(each for each in validators if attests[each] == slot)
        if attesters or (seated and random.random() < 0.3):
            duties.append(PlannedDuty(slot, RunnerRole.COMMITTEE, attesters, seated))
            if random.random() < 0.85:
                continue
        is_boole = slot // SLOTS_PER_EPOCH >= boole
        one = random.choice(attesters or validators)
        # Peers accept two of these from a validator in an epoch; one is what honest schedules have.
        had = {duty.role for duty in duties if one in duty.validators}
        roles = [each for each in (_BOOLE_ROLES if is_boole else _ALAN_ROLES) if each not in had]
        role = random.choice(roles or (RunnerRole.PROPOSER,))
        if role is RunnerRole.AGGREGATOR_COMMITTEE:
            duties.append(PlannedDuty(slot, role, attesters or (one,), seated))
        else:
            duties.append(PlannedDuty(slot, role, (one,)))
    return tuple(duties)


def contest(duties: tuple[PlannedDuty, ...], first: int, random: Random) -> tuple[PlannedDuty, ...]:
    """Give attesters a second slot in the same epoch, as after a re-org of the schedule."""
    by_slot = {duty.slot: duty for duty in duties if duty.role is RunnerRole.COMMITTEE}
    attesting = [duty for duty in by_slot.values() if duty.validators]
    for duty in attesting[:1]:
        epoch = duty.slot // SLOTS_PER_EPOCH
        others = [
            Slot(slot)
            for slot in range(first, first + SLOTS)
            if slot != duty.slot and slot // SLOTS_PER_EPOCH == epoch
        ]
        for slot in others and [random.choice(others)]:
            other = by_slot.get(slot) or PlannedDuty(slot, RunnerRole.COMMITTEE, ())
            both = tuple(sorted({*other.validators, *duty.validators}))
            by_slot[slot] = replace(other, validators=both, contested=True)
            by_slot[duty.slot] = replace(duty, contested=True)
    rest = [duty for duty in duties if duty.role is not RunnerRole.COMMITTEE]
    return tuple(sorted((*by_slot.values(), *rest), key=lambda duty: (duty.slot, duty.role)))


def put_on_false_chain(plan: Plan) -> Plan:
    """Every validator attests in the last slot of one epoch and the last slot of the run."""
    cluster = plan.clusters[0]
    last = Slot(plan.first_slot + plan.slots - 1)
    boundary = last // SLOTS_PER_EPOCH * SLOTS_PER_EPOCH
    votes = [
        PlannedDuty(slot, RunnerRole.COMMITTEE, cluster.validators)
        for slot in (Slot(boundary - 1), last)
    ]
    rest = [duty for duty in plan.duties if duty.role is not RunnerRole.COMMITTEE]
    faults = tuple(
        BeaconFault(each, BeaconTrouble.LYING, slot_start_ms(boundary), FOREVER_MS)
        for each in cluster.operators
    )
    duties = sorted((*votes, *rest), key=lambda duty: (duty.slot, duty.role))
    return replace(plan, duties=tuple(duties), beacon_faults=faults)
