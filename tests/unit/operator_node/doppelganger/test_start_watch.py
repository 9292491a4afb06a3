"""How long a node listens before it speaks."""

from __future__ import annotations

from operator_node.doppelganger import StartWatch

NOW, EPOCH = 100, 32


def watch(slots: int = 2) -> StartWatch:
    return StartWatch(slots, now=NOW, longest_slots=EPOCH)


def test_two_slots_with_duties_are_heard_to_their_end() -> None:
    it = watch()
    for slot in (101, 101, 104):
        assert not it.is_over(slot)
        it.note_duty(slot)
    assert not it.is_over(104)
    assert it.is_over(105)


def test_the_slot_of_the_start_was_heard_in_part_only() -> None:
    it = watch(1)
    it.note_duty(NOW)
    assert not it.is_over(NOW + 1)


def test_who_hears_nothing_begins_after_an_epoch() -> None:
    it = watch()
    it.note_duty(101)
    assert not it.is_over(NOW + EPOCH)
    assert it.is_over(NOW + EPOCH + 1)


def test_a_longer_watch_may_take_longer_than_an_epoch() -> None:
    it = watch(40)
    assert not it.is_over(NOW + 40)
    assert it.is_over(NOW + 41)


def test_no_watch_is_over_at_once() -> None:
    assert watch(0).is_over(NOW)


def test_a_clock_that_was_ahead_at_the_start_does_not_make_the_watch_longer() -> None:
    it = watch(1)
    it.note_duty(NOW - 600)
    assert not it.is_over(NOW - 600)
    it.note_duty(NOW - 599)
    assert it.is_over(NOW - 598)
    assert not watch(1).is_over(NOW - 600)


def test_the_limit_counts_from_the_clock_that_was_set_right() -> None:
    it = watch()
    assert not it.is_over(NOW - 600)
    assert not it.is_over(NOW - 600 + EPOCH)
    assert it.is_over(NOW - 600 + EPOCH + 1)
