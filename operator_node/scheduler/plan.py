"""From a slot's duties to what is due when: one duty for all of a committee, one each for what a
validator does alone.

Pure; whether a duty was begun already, and whether a head event lets a committee start earlier, is
for `agenda`. Every member of a committee makes the same duties of the same answers, in one order.

Source: docs/protocol.md, "Generations" and "Duties"; consensus-specs, altair/validator.md (the slot
before a sync committee period already belongs to its committee).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain as joined

from operator_node.beacon.types import AttesterDuty, SyncDuty
from operator_node.duties.registration import is_due
from operator_node.duties.types import CommitteeDuty
from operator_node.scheduler.book import Book
from operator_node.scheduler.timing import Timing
from operator_node.scheduler.types import DutyDue, Member, Request
from operator_node.wire.committee import Committee
from operator_node.wire.generations import Generation
from operator_node.wire.ids import BeaconRole, RunnerRole
from operator_node.wire.values import ValidatorDuty
from sdk.types import Slot

_ALONE = {
    BeaconRole.AGGREGATOR: RunnerRole.AGGREGATOR,
    BeaconRole.SYNC_CONTRIBUTION: RunnerRole.SYNC_CONTRIBUTION,
    BeaconRole.PROPOSER: RunnerRole.PROPOSER,
    BeaconRole.VALIDATOR_REGISTRATION: RunnerRole.VALIDATOR_REGISTRATION,
    BeaconRole.VOLUNTARY_EXIT: RunnerRole.VOLUNTARY_EXIT,
}
_REQUESTED = {
    RunnerRole.VALIDATOR_REGISTRATION: BeaconRole.VALIDATOR_REGISTRATION,
    RunnerRole.VOLUNTARY_EXIT: BeaconRole.VOLUNTARY_EXIT,
}


def plan_slot(
    slot: Slot, book: Book, members: Sequence[Member], *, generation: Generation, timing: Timing
) -> tuple[DutyDue, ...]:
    """Everything that own validators have to do in a slot, as far as is known.

    Args:
        slot: from 0.
        book: duties of the slot's epoch.
        members: own validators with duties in that epoch, by index.
        generation: of the slot.
        timing: of the chain.
    """
    chain = timing.chain
    epoch = chain.epoch_of(slot)
    by_index = {each.index: each for each in members}
    attesters = sorted(
        (
            each
            for each in book.attesters.duties(epoch)
            if each.slot == slot and each.validator_index in by_index
        ),
        key=lambda each: each.validator_index,
    )
    period = book.period_of(chain.epoch_of(slot + 1))
    seated = sorted(
        (each for each in book.sync.duties(period) if each.validator_index in by_index),
        key=lambda each: each.validator_index,
    )
    votes = joined(
        (_of_attester(each, BeaconRole.ATTESTER) for each in attesters),
        (_of_seat(each, slot, BeaconRole.SYNC_COMMITTEE) for each in seated),
    )
    aggregation = joined(
        (_of_attester(each, BeaconRole.AGGREGATOR) for each in attesters),
        (_of_seat(each, slot, BeaconRole.SYNC_CONTRIBUTION) for each in seated),
    )
    planned = _together(RunnerRole.COMMITTEE, slot, votes, by_index, timing)
    if generation is Generation.BOOLE:
        planned += _together(RunnerRole.AGGREGATOR_COMMITTEE, slot, aggregation, by_index, timing)
    else:
        planned += [_alone(each, by_index[each.validator_index], timing) for each in aggregation]
    proposers = [by_index[each.validator_index] for each in book.own_proposals(slot, by_index)]
    registered = [
        each for each in members if is_due(each.index, slot, slots_per_epoch=chain.slots_per_epoch)
    ]
    for role, who in (
        (BeaconRole.PROPOSER, proposers),
        (BeaconRole.VALIDATOR_REGISTRATION, registered),
    ):
        planned += [_alone(_plain(each, slot, role), each, timing) for each in who]
    return tuple(sorted(planned, key=urgency))


def plan_request(request: Request, member: Member, timing: Timing) -> DutyDue:
    """The duty that an event of the registry asked for."""
    return _alone(_plain(member, request.slot, _REQUESTED[request.role]), member, timing)


def urgency(due: DutyDue) -> tuple[int, bool, int, int]:
    """Order of work: by start, proposals first, then by deadline, and many before few (DUT-8)."""
    return due.at_ms, due.role is not RunnerRole.PROPOSER, due.deadline_ms, -len(due.parts)


def _together(
    role: RunnerRole,
    slot: Slot,
    parts: Iterable[ValidatorDuty],
    by_index: dict[int, Member],
    timing: Timing,
) -> list[DutyDue]:
    by_committee: dict[Committee, list[ValidatorDuty]] = {}
    for part in parts:
        by_committee.setdefault(by_index[part.validator_index].committee, []).append(part)
    return [
        _due(role, committee, CommitteeDuty(slot, tuple(its)), timing)
        for committee, its in by_committee.items()
    ]


def _alone(duty: ValidatorDuty, member: Member, timing: Timing) -> DutyDue:
    return _due(_ALONE[BeaconRole(duty.role)], member.committee, duty, timing)


def _due(
    role: RunnerRole, committee: Committee, duty: CommitteeDuty | ValidatorDuty, timing: Timing
) -> DutyDue:
    slot = duty.slot
    wait_ms = timing.committee_start_ms(slot) if role is RunnerRole.COMMITTEE else 0
    start_ms = timing.start_ms(slot)
    return DutyDue(
        role=role,
        slot=slot,
        committee=committee,
        at_ms=start_ms + wait_ms,
        data_at_ms=start_ms + max(wait_ms, timing.data_ms(role, slot)),
        deadline_ms=timing.deadline_ms(role, slot),
        duty=duty,
    )


def _of_attester(duty: AttesterDuty, role: BeaconRole) -> ValidatorDuty:
    return ValidatorDuty(
        role=role,
        public_key=duty.public_key,
        slot=duty.slot,
        validator_index=duty.validator_index,
        committee_index=duty.committee_index,
        committee_length=duty.committee_length,
        committees_at_slot=duty.committees_at_slot,
        validator_committee_index=duty.validator_committee_index,
    )


def _of_seat(duty: SyncDuty, slot: Slot, role: BeaconRole) -> ValidatorDuty:
    return ValidatorDuty(
        role=role,
        public_key=duty.public_key,
        slot=slot,
        validator_index=duty.validator_index,
        sync_committee_indices=duty.positions,
    )


def _plain(member: Member, slot: Slot, role: BeaconRole) -> ValidatorDuty:
    return ValidatorDuty(role=role, public_key=member.key, slot=slot, validator_index=member.index)
