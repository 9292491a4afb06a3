"""What is begun when, and never twice."""

from __future__ import annotations

from operator_node.duties.types import CommitteeDuty
from operator_node.scheduler.agenda import KEPT_SLOTS, Agenda
from operator_node.scheduler.plan import plan_request
from operator_node.scheduler.types import DutyDue, Member, Request
from operator_node.wire.ids import BeaconRole, RunnerRole
from operator_node.wire.values import ValidatorDuty
from sdk.types import Slot
from tests.unit.operator_node.scheduler.world import FOUR, TIMING, key_of

START_MS = TIMING.start_ms(9)
DUE_MS = START_MS + TIMING.attestation_due_ms(9)


def committee(*indices: int, slot: int = 9, role: BeaconRole = BeaconRole.ATTESTER) -> DutyDue:
    parts = tuple(ValidatorDuty(role, key_of(each), Slot(slot), each) for each in indices)
    at_ms = TIMING.start_ms(slot) + TIMING.attestation_due_ms(slot)
    return DutyDue(
        RunnerRole.COMMITTEE,
        Slot(slot),
        FOUR,
        at_ms,
        at_ms,
        TIMING.deadline_ms(RunnerRole.COMMITTEE, slot),
        CommitteeDuty(Slot(slot), parts),
    )


def registration(index: int, slot: int = 9) -> DutyDue:
    request = Request(RunnerRole.VALIDATOR_REGISTRATION, key_of(index), Slot(slot))
    return plan_request(request, Member(key_of(index), index, FOUR), TIMING)


def parts(found: tuple[DutyDue, ...]) -> list[tuple[int, ...]]:
    return [tuple(part.validator_index for part in each.parts) for each in found]


def test_nothing_starts_before_its_time() -> None:
    agenda = Agenda(TIMING)
    early = agenda.look([committee(1), registration(2)], START_MS - 1)
    assert early.now == ()
    assert early.next_ms == START_MS
    at_start = agenda.look([committee(1), registration(2)], START_MS)
    assert parts(at_start.now) == [(2,)]
    assert at_start.next_ms == DUE_MS


def test_a_duty_is_begun_once() -> None:
    agenda = Agenda(TIMING)
    assert parts(agenda.look([committee(1)], DUE_MS).now) == [(1,)]
    again = agenda.look([committee(1, 2)], DUE_MS + 1)
    assert (again.now, again.next_ms) == ((), None)


def test_nothing_starts_after_its_end() -> None:
    agenda = Agenda(TIMING)
    assert agenda.look([registration(1)], registration(1).deadline_ms).now == ()
    assert parts(agenda.look([registration(1)], registration(1).deadline_ms - 1).now) == [(1,)]


def test_whoever_attested_is_not_sent_to_a_second_slot_of_the_epoch() -> None:
    agenda = Agenda(TIMING)
    agenda.look([committee(1, slot=9)], DUE_MS)
    later_ms = DUE_MS + 3 * 12_000
    assert parts(agenda.look([committee(1, 2, slot=12)], later_ms).now) == [(2,)]
    only_once = agenda.look([committee(1, slot=13)], later_ms + 12_000)
    assert only_once.now == ()
    assert parts(agenda.look([committee(1, slot=17)], later_ms + 8 * 12_000).now) == [(1,)]


def test_sync_committee_members_sign_in_every_slot() -> None:
    agenda = Agenda(TIMING)
    for slot in (9, 10):
        due = committee(1, slot=slot, role=BeaconRole.SYNC_COMMITTEE)
        assert parts(agenda.look([due], due.at_ms).now) == [(1,)]


def test_a_validator_has_two_registrations_in_an_epoch_at_most() -> None:
    agenda = Agenda(TIMING)
    found = [agenda.look([registration(1, slot)], DUE_MS + 48_000).now for slot in (9, 10, 11)]
    assert [len(each) for each in found] == [1, 1, 0]
    assert len(agenda.look([registration(2, 11)], DUE_MS + 48_000).now) == 1


def test_a_head_event_starts_committees_300_ms_later() -> None:
    agenda = Agenda(TIMING)
    agenda.note_head(Slot(9), START_MS + 1_000)
    agenda.note_head(Slot(9), START_MS + 2_000)
    assert agenda.look([committee(1)], START_MS + 1_000).next_ms == START_MS + 1_300
    begun = agenda.look([committee(1)], START_MS + 1_300).now
    assert [(each.at_ms, each.data_at_ms) for each in begun] == [(START_MS + 1_300,) * 2]


def test_heads_of_other_slots_start_nothing() -> None:
    agenda = Agenda(TIMING)
    agenda.note_head(Slot(8), START_MS + 100)
    assert agenda.look([committee(1)], START_MS + 500).next_ms == DUE_MS


def test_a_block_without_a_head_gets_the_grace() -> None:
    agenda = Agenda(TIMING)
    agenda.note_block(Slot(9), START_MS + 3_000)
    assert agenda.look([committee(1)], DUE_MS).next_ms == DUE_MS + 400
    assert parts(agenda.look([committee(1)], DUE_MS + 400).now) == [(1,)]


def test_a_head_hurries_nothing_but_committees() -> None:
    agenda = Agenda(TIMING)
    agenda.note_head(Slot(9), START_MS)
    assert agenda.look([registration(1)], START_MS - 5).next_ms == START_MS


def test_facts_of_slots_long_past_are_forgotten() -> None:
    agenda = Agenda(TIMING)
    agenda.note_head(Slot(9), START_MS)
    agenda.look([committee(1)], DUE_MS)
    agenda.turn_to(Slot(9 + KEPT_SLOTS))
    assert agenda.look([committee(1)], DUE_MS).now == ()
    agenda.turn_to(Slot(16 + KEPT_SLOTS))
    forgotten = agenda.look([committee(1)], START_MS + 300)
    assert (forgotten.now, forgotten.next_ms) == ((), DUE_MS)
    assert parts(agenda.look([committee(1)], DUE_MS).now) == [(1,)]
