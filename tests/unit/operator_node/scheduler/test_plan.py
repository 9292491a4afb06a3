"""From duties of validators to what a committee or a validator begins in a slot."""

from __future__ import annotations

from dataclasses import replace

import pytest

from operator_node.beacon.types import EpochDuties
from operator_node.duties.types import CommitteeDuty
from operator_node.scheduler.book import Book
from operator_node.scheduler.plan import plan_request, plan_slot, urgency
from operator_node.scheduler.types import DutyDue, Member, Request
from operator_node.session.starting import check_duty, own_duties
from operator_node.wire.generations import Generation
from operator_node.wire.ids import COMMITTEE_ROLES, BeaconRole, RunnerRole
from operator_node.wire.records import Share
from sdk.types import Epoch, Slot
from tests.unit.operator_node.scheduler.world import (
    CHAIN,
    FOUR,
    OTHERS,
    TIMING,
    attester,
    key_of,
    proposer,
    root,
    seat,
)

SLOT = Slot(9)
"""The second of epoch 1; its registrations are those of validators 9, 89, …"""
MEMBERS = (
    *(Member(key_of(each), each, FOUR) for each in (1, 2, 9)),
    Member(key_of(20), 20, OTHERS),
)
INDICES = frozenset(each.index for each in MEMBERS)


def book_of(*, seats: tuple[int, ...] = (2,), proposals: tuple[int, ...] = ()) -> Book:
    book = Book(CHAIN, epochs_per_period=8)
    duties = (attester(20, SLOT), attester(2, SLOT), attester(1, SLOT), attester(9, SLOT + 1))
    book.attesters.take(1, INDICES, EpochDuties(root("r"), duties), None)
    book.proposers.take(
        1, INDICES, EpochDuties(root("r"), tuple(proposer(each, SLOT) for each in proposals)), None
    )
    positions = tuple(seat(each, 4, 12) for each in seats)
    book.sync.take(0, INDICES, EpochDuties(b"", positions), None)
    return book


def planned(
    book: Book, generation: Generation = Generation.BOOLE, slot: Slot = SLOT
) -> dict[tuple[RunnerRole, tuple[int, ...]], DutyDue]:
    plan = plan_slot(slot, book, MEMBERS, generation=generation, timing=TIMING)
    assert list(plan) == sorted(plan, key=urgency)
    return {(each.role, tuple(p.validator_index for p in each.parts)): each for each in plan}


def test_boole_votes_and_aggregates_by_committee() -> None:
    assert set(planned(book_of())) == {
        (RunnerRole.COMMITTEE, (1, 2, 2)),
        (RunnerRole.COMMITTEE, (20,)),
        (RunnerRole.AGGREGATOR_COMMITTEE, (1, 2, 2)),
        (RunnerRole.AGGREGATOR_COMMITTEE, (20,)),
        (RunnerRole.VALIDATOR_REGISTRATION, (9,)),
    }


def test_alan_aggregates_by_validator() -> None:
    assert set(planned(book_of(), Generation.ALAN)) == {
        (RunnerRole.COMMITTEE, (1, 2, 2)),
        (RunnerRole.COMMITTEE, (20,)),
        (RunnerRole.AGGREGATOR, (1,)),
        (RunnerRole.AGGREGATOR, (2,)),
        (RunnerRole.AGGREGATOR, (20,)),
        (RunnerRole.SYNC_CONTRIBUTION, (2,)),
        (RunnerRole.VALIDATOR_REGISTRATION, (9,)),
    }


def test_parts_say_all_that_a_duty_needs() -> None:
    due = planned(book_of())[RunnerRole.COMMITTEE, (1, 2, 2)]
    vote, _, sync = due.parts
    assert vote.role == BeaconRole.ATTESTER
    assert (vote.public_key, vote.slot, vote.committee_index) == (key_of(1), SLOT, 1)
    assert (vote.committee_length, vote.committees_at_slot) == (16, 2)
    assert vote.validator_committee_index == 1
    assert (sync.role, sync.sync_committee_indices) == (BeaconRole.SYNC_COMMITTEE, (4, 12))


@pytest.mark.parametrize("generation", Generation)
def test_sessions_accept_every_planned_duty(generation: Generation) -> None:
    shares = dict.fromkeys(INDICES, Share.__new__(Share))
    for due in planned(book_of(proposals=(1,)), generation).values():
        if isinstance(due.duty, CommitteeDuty):
            assert due.role in COMMITTEE_ROLES
            assert own_duties(due.duty, due.role, shares) == due.duty
        else:
            assert due.role not in COMMITTEE_ROLES
            check_duty(due.duty)
        assert due.slot == due.duty.slot == SLOT


def test_start_data_and_deadline_of_every_role() -> None:
    start_ms = TIMING.start_ms(SLOT)
    book = book_of(proposals=(1,))
    boole, alan = planned(book), planned(book, Generation.ALAN)
    times = {
        role: (due.at_ms - start_ms, due.data_at_ms - start_ms, due.deadline_ms - start_ms)
        for (role, _), due in (*boole.items(), *alan.items())
    }
    long_ms = 32 * 12_000
    assert times == {
        RunnerRole.COMMITTEE: (3_999, 3_999, long_ms),
        RunnerRole.AGGREGATOR_COMMITTEE: (0, 8_000, long_ms),
        RunnerRole.AGGREGATOR: (0, 8_000, long_ms),
        RunnerRole.SYNC_CONTRIBUTION: (0, 8_000, 2 * 12_000),
        RunnerRole.PROPOSER: (0, 0, 12_000),
        RunnerRole.VALIDATOR_REGISTRATION: (0, 0, long_ms),
    }


def test_proposals_come_before_everything_else_of_their_moment() -> None:
    plan = plan_slot(
        SLOT, book_of(proposals=(20,)), MEMBERS, generation=Generation.ALAN, timing=TIMING
    )
    assert plan[0].role is RunnerRole.PROPOSER
    assert plan[0].committee == OTHERS


def test_larger_duties_of_one_moment_come_first() -> None:
    plan = plan_slot(SLOT, book_of(), MEMBERS, generation=Generation.BOOLE, timing=TIMING)
    sizes = [len(each.parts) for each in plan if each.role is RunnerRole.COMMITTEE]
    assert sizes == [3, 1]


def test_validators_without_a_share_here_have_no_duties() -> None:
    plan = plan_slot(
        SLOT, book_of(proposals=(1,)), MEMBERS[1:2], generation=Generation.ALAN, timing=TIMING
    )
    assert {part.validator_index for each in plan for part in each.parts} == {2}


def test_the_last_slot_of_a_period_belongs_to_the_next_committee() -> None:
    last = Slot(8 * 8 - 1)
    book = book_of(seats=(2,))
    book.sync.take(1, INDICES, EpochDuties(b"", (seat(9, 3),)), None)
    assert (RunnerRole.COMMITTEE, (2,)) in planned(book, slot=Slot(last - 1))
    assert (RunnerRole.COMMITTEE, (9,)) in planned(book, slot=last)


def test_registrations_come_every_ten_epochs_at_a_slot_of_the_validators_own() -> None:
    book = Book(CHAIN, epochs_per_period=8)
    slots = [
        slot
        for slot in range(400)
        if any(
            each.role is RunnerRole.VALIDATOR_REGISTRATION and each.parts[0].validator_index == 20
            for each in plan_slot(
                Slot(slot), book, MEMBERS, generation=Generation.ALAN, timing=TIMING
            )
        )
    ]
    assert slots == [20, 100, 180, 260, 340]


@pytest.mark.parametrize(
    ("role", "beacon_role"),
    [
        (RunnerRole.VALIDATOR_REGISTRATION, BeaconRole.VALIDATOR_REGISTRATION),
        (RunnerRole.VOLUNTARY_EXIT, BeaconRole.VOLUNTARY_EXIT),
    ],
)
def test_requested_duties_keep_the_slot_of_the_request(
    role: RunnerRole, beacon_role: BeaconRole
) -> None:
    due = plan_request(Request(role, key_of(2), Slot(14)), MEMBERS[1], TIMING)
    assert (due.role, due.slot, due.committee) == (role, 14, FOUR)
    assert due.at_ms == TIMING.start_ms(14)
    assert due.parts == (due.duty,)
    assert replace(due.parts[0], role=beacon_role) == due.parts[0]
    assert CHAIN.epoch_of(due.slot) == Epoch(1)
