"""Who has duties, and whose state is asked for when."""

from __future__ import annotations

from dataclasses import replace

import pytest

from operator_node.scheduler.roster import REFRESH_MS, Roster, is_active
from sdk.types import Epoch, PublicKey
from tests.unit.operator_node.scheduler.world import FakeRegistry, key_of, state_of

ONE, TWO, NEW = key_of(1), key_of(2), key_of(9)


def roster(epoch: int = 3) -> Roster:
    made = Roster()
    states = {ONE: state_of(1), TWO: state_of(2, activation_epoch=Epoch(5))}
    made.take((ONE, TWO, NEW), states, epoch=epoch, now_ms=0, own=True)
    return made


def wanted(made: Roster, *, epoch: int = 3, now_ms: int = 1) -> set[PublicKey]:
    return set(made.wanted((ONE, TWO, NEW), epoch=epoch, now_ms=now_ms))


@pytest.mark.parametrize(
    ("epoch", "status", "active"),
    [
        (2, "pending_queued", False),
        (3, "active_ongoing", True),
        (6, "active_exiting", True),
        (7, "exited_unslashed", False),
        (5, "active_slashed", False),
    ],
)
def test_validators_have_duties_from_activation_to_exit_unless_slashed(
    epoch: int, status: str, active: bool
) -> None:
    state = state_of(1, status=status, activation_epoch=Epoch(3), exit_epoch=Epoch(7))
    assert is_active(state, epoch) is active


def test_unknown_validators_are_asked_for_at_once() -> None:
    assert set(Roster().wanted((ONE, TWO), epoch=0, now_ms=0)) == {ONE, TWO}


def test_those_that_wait_are_asked_for_once_an_epoch() -> None:
    assert wanted(roster()) == set()
    assert wanted(roster(), epoch=4) == {TWO, NEW}


def test_all_are_asked_for_every_twelve_minutes() -> None:
    assert wanted(roster(), now_ms=REFRESH_MS - 1) == set()
    assert wanted(roster(), now_ms=REFRESH_MS) == {ONE, TWO, NEW}


def test_who_is_to_leave_is_asked_for_until_it_does() -> None:
    made = roster()
    made.expect_exit(ONE)
    assert wanted(made) == {ONE}
    made.take((ONE,), {ONE: state_of(1)}, epoch=3, now_ms=1)
    assert wanted(made) == set()
    assert ONE in wanted(made, epoch=4)
    made.take((ONE,), {ONE: state_of(1, exit_epoch=Epoch(9))}, epoch=4, now_ms=1)
    assert ONE not in wanted(made, epoch=5)


def test_only_what_matters_for_duties_is_a_change() -> None:
    made = roster()
    richer = {ONE: state_of(1, effective_balance_gwei=31, status="active_exiting")}
    assert not made.take((ONE,), richer, epoch=3, now_ms=1)
    assert made.take((ONE,), {ONE: state_of(1, status="active_slashed")}, epoch=3, now_ms=1)
    assert made.take((ONE,), {}, epoch=3, now_ms=1)
    assert made.state(ONE) is None


def test_members_are_active_own_validators_of_clusters_that_are_not_liquidated() -> None:
    registry = FakeRegistry()
    registry.hold(1, 2, 9)
    made = roster()
    assert [each.index for each in made.members(registry.own(), 3)] == [1]
    assert [each.index for each in made.members(registry.own(), 5)] == [1, 2]
    registry.holdings[ONE] = replace(registry.holdings[ONE], active=False)
    assert [each.index for each in made.members(registry.own(), 5)] == [2]


def test_active_indices_follow_changes() -> None:
    made = roster()
    assert [made.active_indices(epoch) for epoch in (3, 5)] == [{1}, {1, 2}]
    assert made.active_indices(3) is made.active_indices(3)
    made.take((ONE,), {}, epoch=3, now_ms=1)
    assert made.active_indices(5) == {2}
    made.keep(())
    assert made.active_indices(5) == frozenset()
    assert wanted(made) == {ONE, TWO, NEW}


def test_indices_are_cached_for_few_epochs() -> None:
    made = roster()
    first = made.active_indices(0)
    for epoch in range(1, 9):
        made.active_indices(epoch)
    assert made.active_indices(0) == first


def test_who_becomes_own_is_asked_for_again_before_it_has_duties() -> None:
    registry = FakeRegistry()
    registry.hold(1)
    made = Roster()
    made.take((ONE,), {ONE: state_of(1)}, epoch=3, now_ms=0)
    assert made.members(registry.own(), 3) == ()
    assert made.wanted_own(registry.own(), epoch=3, now_ms=1) == (ONE,)
    assert made.take((ONE,), {ONE: state_of(1)}, epoch=3, now_ms=1, own=True)
    assert [each.index for each in made.members(registry.own(), 3)] == [1]
    assert made.wanted_own(registry.own(), epoch=3, now_ms=2) == ()


def test_who_left_in_between_is_asked_for_again() -> None:
    registry = FakeRegistry()
    registry.hold(1)
    made = roster()
    made.wanted_own((), epoch=3, now_ms=1)
    assert made.wanted_own(registry.own(), epoch=3, now_ms=1) == (ONE,)
    made = roster()
    made.forget(ONE)
    assert made.wanted_own(registry.own(), epoch=3, now_ms=1) == (ONE,)
    assert made.members(registry.own(), 3) == ()
