"""Proof that signed data is slashable."""

from __future__ import annotations

import pytest

from operator_node.signer.evidence import Contradiction, find_contradictions
from operator_node.signer.rules import Guard, Reason
from tests.unit.operator_node.signer.guards import block, signed, vote


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        (vote(2, 3, 2), vote(2, 3, 1), Reason.DOUBLE_VOTE),
        (vote(2, 3, 1), vote(1, 3, 2), Reason.DOUBLE_VOTE),
        (vote(2, 3), vote(1, 4), Reason.SURROUNDED_VOTE),
        (block(7, 2), block(7, 1), Reason.DOUBLE_BLOCK),
    ],
)
def test_slashable_pair_is_found_whichever_came_first(
    one: Guard, other: Guard, reason: Reason
) -> None:
    expected = [Contradiction(reason, one, other)]
    assert list(find_contradictions(signed(one, other))) == expected
    assert list(find_contradictions(signed(other, one))) == expected
    assert expected[0].is_proven


def test_vote_with_source_above_target_is_found_alone() -> None:
    found = list(find_contradictions(signed(vote(5, 2))))
    assert found == [Contradiction(Reason.SOURCE_ABOVE_TARGET, vote(5, 2))]
    assert found[0].is_proven


def test_without_signing_roots_nothing_is_proven() -> None:
    found = list(find_contradictions(signed(vote(2, 3), vote(2, 3, None))))
    assert [item.reason for item in found] == [Reason.DOUBLE_VOTE]
    assert not found[0].is_proven


def test_honest_history_contradicts_nothing() -> None:
    history = signed(vote(0, 1), vote(0, 2), vote(1, 3), vote(3, 4), block(5), block(6))
    assert list(find_contradictions(history)) == []


def test_every_vote_inside_a_wide_one_is_named() -> None:
    found = list(find_contradictions(signed(vote(0, 9), vote(1, 4), vote(2, 6), vote(8, 10))))
    assert [item.one for item in found] == [vote(1, 4), vote(2, 6)]
    assert {item.other for item in found} == {vote(0, 9)}
