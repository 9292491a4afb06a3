"""What a key signed, in order and within a bound."""

from __future__ import annotations

import pytest

from operator_node.signer.rules import AttestationGuard
from operator_node.signer.trail import KEPT_ENTRIES, Trail
from tests.unit.operator_node.signer.guards import vote


def trail(*votes: AttestationGuard) -> Trail[AttestationGuard]:
    made: Trail[AttestationGuard] = Trail()
    for entry in votes:
        made = made.recording(entry)
    return made


def test_entries_are_in_order_however_they_came() -> None:
    votes = [vote(1, 4), vote(2, 3), vote(1, 3), vote(1, 3, None), vote(0, 1)]
    expected = (vote(0, 1), vote(1, 3, None), vote(1, 3), vote(2, 3), vote(1, 4))
    assert trail(*votes).entries == expected
    assert trail(*votes) == trail(*reversed(votes)) == Trail.of(votes)


def test_recording_twice_changes_nothing() -> None:
    once = trail(vote(1, 2), vote(2, 3))
    assert once.recording(vote(1, 2)) is once


def test_contains_exactly_what_was_recorded() -> None:
    made = trail(vote(1, 2), vote(2, 3))
    assert vote(1, 2) in made
    assert vote(1, 2, 9) not in made
    assert vote(9, 10) not in made
    assert vote(0, 1) not in made


def test_empty_trail_knows_no_bound() -> None:
    empty: Trail[AttestationGuard] = Trail()
    assert (empty.highest, empty.floor) == (None, None)
    assert Trail.of([]) == empty
    assert empty.merged(empty) == empty


@pytest.mark.parametrize("extra", [0, 1, 5])
def test_only_the_highest_entries_are_kept_and_the_rest_leaves_a_bound(extra: int) -> None:
    votes = [vote(n, n + 1) for n in range(KEPT_ENTRIES + extra)]
    made = trail(*votes)
    assert made.entries == tuple(votes[extra:])
    assert made.highest == vote(KEPT_ENTRIES + extra - 1, KEPT_ENTRIES + extra, None)
    assert made.pruned == (vote(extra - 1, extra, None) if extra else None)
    assert made == Trail.of(votes)
    assert made == trail(*votes[::2]).merged(trail(*votes[1::2]))


def test_old_entry_of_a_full_trail_goes_into_the_bound_at_once() -> None:
    full = trail(*(vote(n, n + 1) for n in range(5, KEPT_ENTRIES + 5)))
    late = full.recording(vote(9, 2))
    assert late.entries == full.entries
    assert late.pruned == vote(9, 2, None)


def test_pruned_source_may_exceed_all_that_is_kept() -> None:
    odd = trail(vote(5000, 1), *(vote(n, n + 1) for n in range(1, KEPT_ENTRIES + 1)))
    assert odd.floor == vote(5000, 1, None)
    assert odd.highest == vote(5000, KEPT_ENTRIES + 1, None)


def test_merging_keeps_both_sides_and_the_higher_bounds() -> None:
    one = trail(vote(1, 2), vote(3, 4)).raised(vote(2, 9))
    other = trail(vote(1, 2), vote(2, 3)).raised(vote(5, 6))
    both = one.merged(other)
    assert both.entries == (vote(1, 2), vote(2, 3), vote(3, 4))
    assert both.armed == vote(5, 9, None)
    assert both.highest == vote(5, 9, None)


def test_another_armed_bound_leaves_what_was_signed() -> None:
    made = trail(vote(3, 4)).raised(vote(9, 10)).armed_at(vote(1, 10))
    assert made.armed == vote(1, 10, None)
    assert made.highest == vote(3, 10, None)


def test_another_armed_bound_leaves_what_was_pruned() -> None:
    made = trail(vote(5000, 1), *(vote(n, n + 1) for n in range(1, KEPT_ENTRIES + 1)))
    assert made.raised(vote(6000, 7000)).armed_at(vote(0, 0)).highest == made.highest


def test_span_is_where_the_entries_of_one_epoch_are() -> None:
    made = trail(vote(1, 2), vote(0, 4), vote(1, 4), vote(2, 5))
    assert made.entries[made.span(4)] == (vote(0, 4), vote(1, 4))
    assert made.span(3) == slice(1, 1)
    assert made.span(9) == slice(4, 4)
