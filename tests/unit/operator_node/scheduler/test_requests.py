"""Registrations and exits that the registry asks for."""

from __future__ import annotations

from operator_node.scheduler.requests import MOST_REQUESTS, REQUESTED_PER_SLOT, Requests
from operator_node.scheduler.types import Request
from operator_node.wire.ids import RunnerRole
from sdk.types import Slot
from tests.unit.operator_node.scheduler.world import key_of

REGISTRATION, EXIT = RunnerRole.VALIDATOR_REGISTRATION, RunnerRole.VOLUNTARY_EXIT


def registration(index: int, slot: int = 10) -> Request:
    return Request(REGISTRATION, key_of(index), Slot(slot))


def made(*asked: Request) -> Requests:
    requests = Requests()
    for each in asked:
        requests.add(each, block_number=100)
    return requests


def test_a_request_is_due_from_its_slot_until_its_life_is_over() -> None:
    requests = made(registration(1))
    assert requests.due(Slot(9)) == ()
    assert requests.due(Slot(10)) == requests.due(Slot(41)) == (registration(1),)
    assert requests.due(Slot(42)) == ()
    assert requests.due(Slot(10)) == ()


def test_exits_live_a_day_and_come_first() -> None:
    leaving = Request(EXIT, key_of(2), Slot(10))
    requests = made(registration(1, 4), leaving)
    assert requests.due(Slot(11)) == (leaving, registration(1, 4))
    assert requests.due(Slot(7_209)) == (leaving,)


def test_what_was_begun_is_not_begun_again_when_the_registry_repeats_itself() -> None:
    requests = made(registration(1), registration(1))
    assert requests.due(Slot(10)) == (registration(1),)
    requests.note_begun(registration(1), Slot(10))
    requests.add(registration(1), block_number=101)
    assert requests.due(Slot(11)) == ()
    requests.note_begun(registration(7), Slot(10))
    assert requests.due(Slot(11)) == ()


def test_what_a_vanished_block_asked_for_is_forgotten() -> None:
    requests = made(registration(1))
    requests.add(registration(2), block_number=101)
    requests.roll_back(100)
    assert requests.due(Slot(10)) == (registration(1),)
    requests.add(registration(2), block_number=102)
    requests.roll_back(101)
    assert requests.due(Slot(10)) == (registration(1),)


def test_a_burst_is_spread_over_slots() -> None:
    requests = made(*(registration(each) for each in range(REQUESTED_PER_SLOT + 8)))
    first = requests.due(Slot(10))
    assert len(first) == REQUESTED_PER_SLOT
    for each in first:
        requests.note_begun(each, Slot(10))
    assert requests.due(Slot(10)) == ()
    assert len(requests.due(Slot(11))) == 8


def test_requests_are_bounded_and_the_oldest_give_way() -> None:
    requests = made(*(registration(each) for each in range(MOST_REQUESTS + 1)))
    assert requests.dropped == 1
    assert registration(0) not in requests.due(Slot(10))
