"""Which signatures may follow which: a named case per rule."""

from __future__ import annotations

import pytest

from operator_node.signer.rules import (
    BlockGuard,
    Guard,
    History,
    NotSafe,
    Reason,
    Safe,
    SameData,
    bounds,
    judge,
    judge_complete,
    judge_minimal,
    may_sign,
)
from operator_node.signer.trail import KEPT_ENTRIES
from sdk.errors import InvariantBroken
from sdk.types import Epoch, Slot
from tests.unit.operator_node.signer.guards import block, signed, vote


def test_vote_above_everything_is_safe() -> None:
    assert judge(signed(vote(2, 3)), vote(3, 4)) == Safe()


def test_source_may_stay_where_it_is() -> None:
    assert judge(signed(vote(2, 3)), vote(2, 4)) == Safe()


def test_block_above_everything_is_safe() -> None:
    assert judge(signed(block(5)), block(6)) == Safe()


def test_equal_target_with_other_root_is_refused() -> None:
    old = vote(2, 3, 1)
    assert judge(signed(old), vote(2, 3, 2)) == NotSafe(Reason.DOUBLE_VOTE, old)


def test_equal_target_with_other_source_is_refused_whatever_the_root() -> None:
    old = vote(2, 3)
    assert judge(signed(old), vote(1, 3)) == NotSafe(Reason.DOUBLE_VOTE, old)


def test_equal_slot_with_other_root_is_refused() -> None:
    old = block(5, 1)
    assert judge(signed(old), block(5, 2)) == NotSafe(Reason.DOUBLE_BLOCK, old)


def test_surrounding_vote_is_refused() -> None:
    old = vote(2, 3)
    assert judge(signed(old), vote(1, 4)) == NotSafe(Reason.SURROUNDING_VOTE, old)


def test_surrounded_vote_is_refused() -> None:
    old = vote(1, 9)
    assert judge(signed(old), vote(2, 8)) == NotSafe(Reason.SURROUNDED_VOTE, old)


@pytest.mark.parametrize("history", [signed(vote(0, 1)), signed(vote(9, 2)), History()])
def test_source_above_target_is_refused(history: History) -> None:
    assert judge(history, vote(9, 2)) == NotSafe(Reason.SOURCE_ABOVE_TARGET)
    assert judge_complete(history, vote(9, 2)) == NotSafe(Reason.SOURCE_ABOVE_TARGET)


def test_source_one_above_target_is_refused() -> None:
    assert judge(signed(vote(0, 1)), vote(3, 2)) == NotSafe(Reason.SOURCE_ABOVE_TARGET)


def test_identical_vote_may_be_signed_again() -> None:
    history = signed(vote(2, 3), vote(3, 4))
    assert judge(history, vote(2, 3)) == SameData()
    assert judge(history, vote(3, 4)) == SameData()


def test_identical_block_may_be_signed_again() -> None:
    assert judge(signed(block(5), block(6)), block(5)) == SameData()


@pytest.mark.parametrize("recorded", [None, 1])
@pytest.mark.parametrize("asked", [None, 2])
def test_missing_signing_roots_are_never_equal(recorded: int | None, asked: int | None) -> None:
    votes, blocks = signed(vote(2, 3, recorded)), signed(block(5, recorded))
    assert judge(votes, vote(2, 3, asked)) == NotSafe(Reason.DOUBLE_VOTE, vote(2, 3, recorded))
    assert judge(blocks, block(5, asked)) == NotSafe(Reason.DOUBLE_BLOCK, block(5, recorded))


def test_root_of_zeros_is_not_a_missing_root() -> None:
    assert judge(signed(block(5, None)), block(5, 0)) == NotSafe(
        Reason.DOUBLE_BLOCK, block(5, None)
    )
    assert judge(signed(block(5, 0)), block(5, 0)) == SameData()


def test_repeat_of_an_entry_that_another_entry_contradicts_is_refused() -> None:
    history = signed(vote(2, 3, 1), vote(2, 3, 2))
    assert judge(history, vote(2, 3, 1)) == NotSafe(Reason.DOUBLE_VOTE, vote(2, 3, 2))
    history = signed(vote(1, 9), vote(2, 8))
    assert judge(history, vote(2, 8)) == NotSafe(Reason.SURROUNDED_VOTE, vote(1, 9))
    history = signed(block(5, 1), block(5, 2))
    assert judge(history, block(5, 2)) == NotSafe(Reason.DOUBLE_BLOCK, block(5, 1))


def test_repeat_at_or_below_data_without_signing_root_is_refused() -> None:
    votes = signed(vote(2, 3), vote(3, 5, None), vote(3, 6))
    assert judge_complete(votes, vote(2, 3)) == SameData()
    assert judge(votes, vote(2, 3)) == NotSafe(Reason.TARGET_NOT_ABOVE_BOUND, vote(3, 5, None))
    assert judge(votes, vote(3, 6)) == SameData()
    blocks = signed(block(3), block(5, None), block(6))
    assert judge_complete(blocks, block(3)) == SameData()
    assert judge(blocks, block(3)) == NotSafe(Reason.SLOT_NOT_ABOVE_BOUND, block(5, None))
    assert judge(blocks, block(6)) == SameData()


def test_new_data_below_the_highest_is_refused_even_where_nothing_contradicts_it() -> None:
    votes, blocks = signed(vote(2, 3), vote(8, 9)), signed(block(3), block(9))
    assert judge_complete(votes, vote(4, 5)) == Safe()
    assert judge(votes, vote(4, 5)) == NotSafe(Reason.TARGET_NOT_ABOVE_BOUND, vote(8, 9, None))
    assert judge_complete(blocks, block(5)) == Safe()
    assert judge(blocks, block(5)) == NotSafe(Reason.SLOT_NOT_ABOVE_BOUND, block(9, None))


def test_source_below_the_highest_is_refused() -> None:
    history = signed(vote(5, 6)).raised(vote(7, 6), block(0))
    verdict = judge(history, vote(6, 7))
    assert verdict == NotSafe(Reason.SOURCE_BELOW_BOUND, vote(7, 6, None))


def test_source_and_target_bounds_are_each_the_highest_of_all() -> None:
    history = signed(vote(8, 7), vote(2, 9))
    assert history.attestations.highest == vote(8, 9, None)
    assert judge_minimal(history, vote(7, 10)) == NotSafe(
        Reason.SOURCE_BELOW_BOUND, vote(8, 9, None)
    )


def test_unknown_history_is_slashable() -> None:
    for judgement in (judge, judge_minimal, judge_complete):
        assert judgement(History(), vote(2, 3)) == NotSafe(Reason.NO_HISTORY)
        assert judgement(History(), block(2)) == NotSafe(Reason.NO_HISTORY)


def test_votes_say_nothing_about_blocks() -> None:
    assert judge(signed(vote(2, 3)), block(900)) == NotSafe(Reason.NO_HISTORY)
    assert judge(signed(block(3)), vote(8, 9)) == NotSafe(Reason.NO_HISTORY)


def test_minimal_rule_knows_no_repeats() -> None:
    assert not may_sign(judge_minimal(signed(vote(2, 3)), vote(2, 3)))
    assert not may_sign(judge_minimal(signed(block(3)), block(3)))


@pytest.mark.parametrize(
    ("guard", "reason"),
    [
        (vote(3, 4), Reason.TARGET_NOT_ABOVE_BOUND),
        (block(7), Reason.SLOT_NOT_ABOVE_BOUND),
    ],
)
def test_complete_rule_refuses_what_lies_below_its_first_entry(
    guard: Guard, reason: Reason
) -> None:
    history = signed(vote(3, 5), vote(4, 9), block(8), block(12))
    verdict = judge_complete(history, guard)
    assert isinstance(verdict, NotSafe)
    assert verdict.reason is reason


def test_complete_rule_refuses_what_lies_below_the_armed_bound() -> None:
    history = signed(vote(3, 5), vote(13, 14)).raised(vote(9, 10), block(320))
    assert judge_complete(history, vote(5, 8)) == NotSafe(
        Reason.TARGET_NOT_ABOVE_BOUND, vote(9, 10, None)
    )
    assert judge_complete(history, vote(8, 11)) == NotSafe(
        Reason.SOURCE_BELOW_BOUND, vote(9, 10, None)
    )
    assert judge_complete(history, vote(9, 11)) == Safe()
    assert judge_complete(history, block(320)) == NotSafe(
        Reason.SLOT_NOT_ABOVE_BOUND, block(320, None)
    )


def test_repeat_of_what_was_pruned_is_refused() -> None:
    history = signed(*(vote(n, n + 1) for n in range(KEPT_ENTRIES + 3)))
    assert judge(history, vote(2, 3)) == NotSafe(Reason.TARGET_NOT_ABOVE_BOUND, vote(3, 4, None))
    assert judge(history, vote(3, 4)) == SameData()


def test_repeat_beside_pruned_data_is_refused() -> None:
    votes = signed(vote(0, 1, 1), vote(0, 1, 2), *(vote(n, n + 1) for n in range(1, KEPT_ENTRIES)))
    assert vote(0, 1, 2) in votes.attestations
    assert judge(votes, vote(0, 1, 2)) == NotSafe(Reason.TARGET_NOT_ABOVE_BOUND, vote(0, 1, None))
    blocks = signed(block(0, 1), block(0, 2), *(block(n) for n in range(1, KEPT_ENTRIES)))
    assert judge(blocks, block(0, 2)) == NotSafe(Reason.SLOT_NOT_ABOVE_BOUND, block(0, None))


def test_raised_bounds_never_fall() -> None:
    history = History().raised(vote(9, 10), block(320)).raised(vote(3, 4), block(128))
    assert history == History().raised(vote(9, 10), block(320))
    assert judge(history, vote(9, 10)) == NotSafe(Reason.TARGET_NOT_ABOVE_BOUND, vote(9, 10, None))
    assert judge(history, vote(8, 11)) == NotSafe(Reason.SOURCE_BELOW_BOUND, vote(9, 10, None))
    assert judge(history, vote(9, 11)) == Safe()
    assert judge(history, block(320)) == NotSafe(Reason.SLOT_NOT_ABOVE_BOUND, block(320, None))
    assert judge(history, block(321)) == Safe()


def verdict_of_bounds(guard: Guard, duty_slot: int) -> Safe | Reason:
    """In slot 100 of epoch 3."""
    verdict = bounds(
        guard, duty_slot=Slot(duty_slot), current_slot=Slot(100), current_epoch=Epoch(3)
    )
    return verdict.reason if isinstance(verdict, NotSafe) else verdict


@pytest.mark.parametrize(
    ("guard", "duty_slot", "expected"),
    [
        (vote(2, 3), 100, Safe()),
        (vote(2, 3), 101, Safe()),
        (vote(2, 3), 102, Reason.SLOT_AHEAD),
        (vote(2, 3), 64, Safe()),
        (vote(2, 4), 101, Reason.TARGET_AHEAD),
        (vote(3, 3), 100, Reason.SOURCE_NOT_BELOW_TARGET),
        (vote(0, 0), 0, Reason.SOURCE_NOT_BELOW_TARGET),
        (vote(3, 2), 100, Reason.SOURCE_NOT_BELOW_TARGET),
        (block(101), 101, Safe()),
        (block(102), 102, Reason.SLOT_AHEAD),
        (block(102), 101, Reason.SLOT_NOT_OF_DUTY),
    ],
)
def test_nothing_is_signed_for_the_future(
    guard: Guard, duty_slot: int, expected: Safe | Reason
) -> None:
    assert verdict_of_bounds(guard, duty_slot) == expected


@pytest.mark.parametrize("number", [-1, 2**64])
def test_numbers_that_are_no_uint64_are_a_bug(number: int) -> None:
    with pytest.raises(InvariantBroken, match="uint64"):
        vote(number, 5)
    with pytest.raises(InvariantBroken, match="uint64"):
        vote(5, number)
    with pytest.raises(InvariantBroken, match="uint64"):
        block(number)


def test_signing_root_of_other_length_is_a_bug() -> None:
    with pytest.raises(InvariantBroken, match="32 bytes, got 31"):
        BlockGuard(Slot(1), bytes(31))
