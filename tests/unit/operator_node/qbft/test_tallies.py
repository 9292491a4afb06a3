from __future__ import annotations

from itertools import combinations

import pytest

from operator_node.qbft.tallies import (
    MESSAGES_PER_ROUND,
    ROUNDS_KEPT,
    UNPREPARED_DATA_BYTES,
    Tally,
    add_first,
    aggregate,
    has_quorum,
    largest_disjoint,
    lean,
    signers_of,
)
from operator_node.wire.committee import Committee
from operator_node.wire.messages import Received, SignedMessage
from tests.unit.operator_node.qbft.acting import (
    OTHER,
    OTHER_ROOT,
    ROOT,
    VALUE,
    change,
    commit,
    holds,
    prepare,
    prepares,
)

COMMITTEE = Committee.of(range(1, 5))


def test_first_message_of_a_signer_counts_and_later_ones_do_not() -> None:
    tally: Tally = {}
    assert add_first(tally, prepare(1))
    assert not add_first(tally, prepare(1, OTHER_ROOT))
    assert add_first(tally, prepare(2))
    assert tally == {1: [prepare(1), prepare(2)]}


def test_a_signer_counts_once_in_every_round() -> None:
    tally: Tally = {}
    assert add_first(tally, prepare(1))
    assert add_first(tally, prepare(1, round_=2))


def test_signer_sets_are_the_same_in_any_order() -> None:
    tally: Tally = {}
    assert add_first(tally, commit(1, 2, 3))
    assert not add_first(tally, commit(3, 1, 2))
    assert add_first(tally, commit(1, 2, 4))
    assert add_first(tally, commit(1))


def test_one_round_holds_no_more_signer_sets_than_honest_members_make() -> None:
    tally: Tally = {}
    kept = [add_first(tally, commit(*chosen)) for chosen in combinations(range(1, 8), 5)]
    assert kept == [True] * MESSAGES_PER_ROUND + [False] * (21 - MESSAGES_PER_ROUND)


def test_the_number_of_rounds_is_bounded() -> None:
    tally: Tally = {}
    for round_ in range(1, ROUNDS_KEPT + 1):
        assert add_first(tally, commit(1, round_=round_))
    assert not add_first(tally, commit(1, round_=ROUNDS_KEPT + 1))
    assert add_first(tally, commit(2, round_=1))


def test_a_quorum_is_counted_by_signers_not_by_messages() -> None:
    assert not has_quorum([prepare(1), prepare(2)], COMMITTEE)
    assert not has_quorum([prepare(1), prepare(2), prepare(2, OTHER_ROOT)], COMMITTEE)
    assert has_quorum([prepare(1), prepare(2), prepare(3)], COMMITTEE)
    assert has_quorum([commit(1, 2, 3)], COMMITTEE)
    assert signers_of([commit(1, 2), commit(2, 4)]) == {1, 2, 4}


def test_disjoint_commits_leave_out_other_roots() -> None:
    commits = [commit(1), commit(2, value=OTHER), commit(3)]
    assert largest_disjoint(commits, ROOT) == [commit(1), commit(3)]


@pytest.mark.parametrize(
    ("commits", "best"),
    [
        ([commit(1), commit(1, 2, 3), commit(4)], [commit(1, 2, 3), commit(4)]),
        ([commit(4), commit(1, 2, 3)], [commit(4), commit(1, 2, 3)]),
        ([commit(1, 2, 3), commit(1, 2, 3, 4)], [commit(1, 2, 3, 4)]),
        ([commit(1), commit(2), commit(1, 2)], [commit(1), commit(2)]),
        ([], []),
    ],
)
def test_disjoint_commits_have_the_most_signers(
    commits: list[Received], best: list[Received]
) -> None:
    found = largest_disjoint(commits, ROOT)
    assert sorted(each.signed.signers for each in found) == sorted(
        each.signed.signers for each in best
    )


def test_an_aggregate_is_the_same_message_with_signatures_by_ascending_operator() -> None:
    commits = [commit(4), commit(1, 3)]
    whole = aggregate(commits, VALUE)
    assert whole.signers == (1, 3, 4)
    assert whole.message == commits[0].signed.message
    assert whole.full_data == VALUE
    assert holds(whole)


def with_data(received: Received, full_data: bytes) -> Received:
    signed = received.signed
    return Received(
        SignedMessage(signed.signatures, signed.signers, signed.message, full_data), received.body
    )


def test_long_data_of_an_unprepared_round_change_is_not_kept() -> None:
    long = with_data(change(1), bytes(UNPREPARED_DATA_BYTES + 1))
    assert lean(long, {}) == change(1)
    short = with_data(change(1), bytes(UNPREPARED_DATA_BYTES))
    assert lean(short, {}) is short


def test_prepared_round_changes_share_one_copy_of_their_value() -> None:
    first = change(1, value=bytes([7]) * 1000, prepared_by=prepares([1, 2, 3]))
    second = change(2, value=bytes(bytearray([7]) * 1000), prepared_by=prepares([1, 2, 3]))
    other = change(3, value=OTHER)
    tally: Tally = {2: [other, first]}
    assert lean(second, tally) == second
    assert lean(second, tally).signed.full_data is first.signed.full_data
    assert lean(other, {2: [first]}) is other
