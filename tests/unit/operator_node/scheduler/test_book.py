"""Pages of duties: what is asked for again after a re-org or for newcomers, and what is kept."""

from __future__ import annotations

import pytest

from operator_node.beacon.types import AttesterDuty, EpochDuties
from operator_node.scheduler.book import MOST_ASKED_UNDER_ONE_ROOT, Book, Pages
from tests.unit.operator_node.scheduler.world import (
    CHAIN,
    FULU_CHAIN,
    attester,
    head,
    proposer,
    root,
)

A, B = root("a"), root("b")
ALL = frozenset({1, 2, 3})


def answer(dependent_root: bytes, *duties: AttesterDuty) -> EpochDuties[AttesterDuty]:
    return EpochDuties(dependent_root, duties)


def filled(expected: bytes | None = A) -> Pages[AttesterDuty]:
    pages: Pages[AttesterDuty] = Pages()
    pages.take(5, ALL, answer(A, *(attester(each, 40 + each) for each in sorted(ALL))), expected)
    return pages


def slots(pages: Pages[AttesterDuty]) -> dict[int, int]:
    return {each.validator_index: each.slot for each in pages.duties(5)}


def test_a_page_that_was_never_asked_for_misses_everybody() -> None:
    pages: Pages[AttesterDuty] = Pages()
    assert pages.missing(5, ALL, None) == ALL
    assert not pages.has(5)


@pytest.mark.parametrize("expected", [None, A])
def test_an_answered_page_stands(expected: bytes | None) -> None:
    pages = filled()
    assert pages.has(5)
    assert pages.missing(5, ALL, expected) == frozenset()
    assert pages.missing(5, frozenset({1, 2}), expected) == frozenset()


def test_new_validators_are_asked_for_alone() -> None:
    pages = filled()
    assert pages.missing(5, ALL | {9}, A) == {9}
    assert pages.take(5, frozenset({9}), answer(A, attester(9, 47)), A)
    assert slots(pages) == {1: 41, 2: 42, 3: 43, 9: 47}
    assert pages.missing(5, ALL | {9}, A) == frozenset()


def test_validators_without_a_duty_are_not_asked_for_again() -> None:
    pages = filled()
    assert not pages.take(5, frozenset({9}), answer(A), A)
    assert pages.missing(5, ALL | {9}, A) == frozenset()


def test_another_root_makes_the_whole_page_missing_while_it_stays_in_use() -> None:
    pages = filled()
    assert pages.missing(5, ALL, B) == ALL
    assert slots(pages) == {1: 41, 2: 42, 3: 43}
    assert pages.take(5, ALL, answer(B, attester(1, 46)), B)
    assert slots(pages) == {1: 46}
    assert pages.missing(5, ALL, B) == frozenset()


def test_other_pages_are_not_affected() -> None:
    pages = filled()
    pages.take(6, ALL, answer(B, attester(1, 50)), B)
    assert pages.missing(6, ALL, B) == frozenset()


def test_an_answer_for_new_validators_under_another_root_makes_the_others_missing() -> None:
    pages = filled()
    pages.take(5, frozenset({9}), answer(B, attester(9, 47)), None)
    assert slots(pages) == {1: 41, 2: 42, 3: 43, 9: 47}
    assert pages.missing(5, ALL | {9}, None) == ALL


def test_an_answer_that_changes_nothing_says_so() -> None:
    pages = filled()
    duties = [attester(each, 40 + each) for each in (3, 2, 1)]
    assert not pages.take(5, ALL, answer(B, *duties), B)


def test_a_node_that_never_names_the_expected_root_is_not_asked_for_ever() -> None:
    pages = filled(expected=None)
    asked = 0
    while pages.missing(5, ALL, B):
        pages.take(5, ALL, answer(A, attester(1, 41)), B)
        asked += 1
    assert asked == MOST_ASKED_UNDER_ONE_ROOT
    assert pages.missing(5, ALL, root("c")) == ALL


def test_duties_of_validators_that_were_not_asked_for_are_left_out() -> None:
    pages: Pages[AttesterDuty] = Pages()
    pages.take(5, frozenset({1}), answer(A, attester(1, 41), attester(2, 42)), A)
    assert slots(pages) == {1: 41}


def test_old_pages_are_forgotten() -> None:
    book = Book(CHAIN, epochs_per_period=8)
    for epoch in (3, 4, 5):
        book.attesters.take(epoch, ALL, answer(A), None)
    book.turn_to(5)
    assert [book.attesters.has(epoch) for epoch in (3, 4, 5)] == [False, True, True]


def test_the_head_names_the_block_behind_attesters_of_its_epoch_and_the_next() -> None:
    book = Book(CHAIN, epochs_per_period=8)
    assert book.attester_root(3) is None
    book.turn_head(head(24, previous="p", current="c"), now_slot=24)
    found = [book.attester_root(epoch) for epoch in (2, 3, 4, 5)]
    assert found == [None, root("p"), root("c"), None]


def test_proposers_are_fixed_by_the_block_before_their_epoch() -> None:
    book = Book(CHAIN, epochs_per_period=8)
    assert book.proposer_root(3) is None
    book.turn_head(head(24, block="h", previous="p", current="c"), now_slot=24)
    found = [book.proposer_root(epoch) for epoch in (2, 3, 4, 5)]
    assert found == [None, root("c"), root("h"), None]


def test_from_fulu_on_proposers_are_fixed_an_epoch_earlier() -> None:
    book = Book(FULU_CHAIN, epochs_per_period=8)
    book.turn_head(head(24, block="h", previous="p", current="c"), now_slot=24)
    assert [book.proposer_root(epoch) for epoch in (3, 4)] == [root("p"), root("c")]
    assert book.fixes_proposers_early(4)
    assert not Book(CHAIN, epochs_per_period=8).fixes_proposers_early(4)


def test_heads_of_lagging_nodes_and_of_the_far_future_are_passed_over() -> None:
    book = Book(CHAIN, epochs_per_period=8)
    newest = head(24, block="h")
    book.turn_head(newest, now_slot=24)
    book.turn_head(head(23), now_slot=24)
    book.turn_head(head(26), now_slot=24)
    assert book.head == newest
    other = head(24, block="other")
    book.turn_head(other, now_slot=24)
    assert book.head == other


def test_own_proposals_of_a_slot_are_found() -> None:
    book = Book(CHAIN, epochs_per_period=8)
    duties = (proposer(1, 9), proposer(2, 9), proposer(1, 10))
    book.proposers.take(1, ALL, EpochDuties(A, duties), None)
    assert book.own_proposals(9, {1, 3}) == (proposer(1, 9),)
