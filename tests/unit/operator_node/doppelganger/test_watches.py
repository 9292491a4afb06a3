"""Whose signatures are withheld, and what ends that."""

from __future__ import annotations

from operator_node.doppelganger import Watches
from sdk.types import PublicKey

KEY, INDEX = PublicKey(b"\x01" * 48), 7


def met(*, is_active: bool = True, epoch: int = 10) -> Watches:
    watches = Watches()
    assert watches.meet(KEY, index=INDEX, is_active=is_active, epoch=epoch)
    return watches


def is_held(watches: Watches) -> bool:
    return watches.known[KEY].watch is not None


def judge(watches: Watches, epoch: int, *, live: bool = False) -> tuple[int, int]:
    judged = watches.judge(epoch, {INDEX: live})
    return len(judged.cleared), len(judged.seen)


def restarted(watches: Watches) -> Watches:
    return Watches(watches.known)


def test_two_silent_epochs_after_the_one_it_came_in_clear_a_validator() -> None:
    watches = met()
    assert watches.to_ask(10) == {}
    assert watches.to_ask(11) == {INDEX: KEY}
    assert [judge(watches, epoch) for epoch in (11, 12)] == [(0, 0), (1, 0)]
    assert not is_held(watches)
    assert watches.to_ask(13) == {}


def test_a_sign_of_life_begins_the_watch_anew() -> None:
    watches = met()
    found = [judge(watches, each, live=each == 12) for each in (11, 12, 13, 14)]
    assert found == [(0, 0), (0, 1), (0, 0), (1, 0)]


def test_epochs_that_nobody_judged_begin_the_watch_anew() -> None:
    watches = met()
    assert [judge(watches, each) for each in (11, 13, 14)] == [(0, 0), (0, 0), (1, 0)]


def test_an_epoch_is_judged_once() -> None:
    watches = met()
    assert [judge(watches, each) for each in (11, 11, 11)] == [(0, 0)] * 3
    assert is_held(watches)


def test_validators_that_an_answer_leaves_out_miss_the_epoch() -> None:
    watches = met()
    judge(watches, 11)
    assert watches.judge(12, {}).cleared == ()
    assert judge(watches, 13) == (0, 0)


def test_a_quorum_of_the_own_committee_clears_a_validator_that_came_before_its_activation() -> None:
    watches = met(is_active=False)
    assert watches.note_quorum(KEY, 11)
    assert not is_held(watches)


def test_a_quorum_does_not_clear_one_that_was_active_before_it_came() -> None:
    watches = met(is_active=True)
    assert not watches.note_quorum(KEY, 11)
    assert is_held(watches)


def test_signs_of_life_prove_nothing_while_the_own_committee_signs() -> None:
    watches = met(is_active=True)
    watches.note_quorum(KEY, 11)
    watches.note_quorum(KEY, 12)
    assert [judge(watches, each, live=True) for each in (11, 12)] == [(0, 0), (1, 0)]


def test_in_the_genesis_epoch_nobody_is_watched() -> None:
    for epoch in (-1, 0):
        watches = Watches()
        assert not watches.meet(KEY, index=INDEX, is_active=True, epoch=epoch)
    assert Watches().meet(KEY, index=INDEX, is_active=True, epoch=1)


def test_meeting_a_validator_again_changes_nothing() -> None:
    watches = met()
    judge(watches, 11)
    assert watches.meet(KEY, index=INDEX, is_active=True, epoch=12)
    assert judge(watches, 12) == (1, 0)
    assert not watches.meet(KEY, index=INDEX, is_active=True, epoch=20)


def test_a_watch_goes_on_after_a_restart() -> None:
    watches = met()
    judge(watches, 11)
    again = restarted(watches)
    assert again.meet(KEY, index=INDEX, is_active=True, epoch=12)
    assert judge(again, 12) == (1, 0)


def test_whoever_signed_here_two_epochs_ago_is_not_watched_after_a_restart() -> None:
    watches = met(is_active=False)
    watches.note_quorum(KEY, 11)
    assert not restarted(watches).meet(KEY, index=INDEX, is_active=True, epoch=13)


def test_whoever_did_not_is_watched_until_its_committee_signs() -> None:
    watches = met(is_active=False)
    watches.note_quorum(KEY, 11)
    again = restarted(watches)
    assert again.meet(KEY, index=INDEX, is_active=True, epoch=14)
    assert again.note_quorum(KEY, 14)


def test_a_reactivated_validator_is_watched_like_a_new_one() -> None:
    watches = met(is_active=False)
    watches.note_quorum(KEY, 11)
    assert watches.meet_again(KEY, is_active=True, epoch=12)
    assert not watches.note_quorum(KEY, 12)
    assert [judge(watches, each) for each in (13, 14)] == [(0, 0), (1, 0)]


def test_one_that_came_back_is_new() -> None:
    watches = met(is_active=False)
    watches.note_quorum(KEY, 11)
    watches.forget(KEY)
    assert watches.meet(KEY, index=INDEX, is_active=True, epoch=12)
    assert not watches.note_quorum(KEY, 12)


def test_strangers_are_not_watched() -> None:
    watches = Watches()
    assert not watches.note_quorum(KEY, 11)
    assert not watches.meet_again(KEY, is_active=True, epoch=11)
    watches.forget(KEY)
    assert watches.known == {}


def test_few_quorums_are_remembered() -> None:
    watches = met(is_active=False)
    for epoch in range(11, 31):
        watches.note_quorum(KEY, epoch)
        watches.note_quorum(KEY, epoch)
    assert watches.known[KEY].quorums == (28, 29, 30)


def test_where_nobody_tells_a_watch_ends_after_its_epochs() -> None:
    watches = Watches()
    assert watches.meet(KEY, index=7, is_active=True, epoch=10)
    assert watches.sit_out(11) == ()
    assert watches.sit_out(11) == ()  # once per epoch
    assert watches.sit_out(12) == (KEY,)
    assert watches.known[KEY].watch is None


def test_an_epoch_that_was_sat_out_counts_with_one_that_was_silent() -> None:
    watches = Watches()
    watches.meet(KEY, index=7, is_active=True, epoch=10)
    watches.judge(11, {7: False})
    assert watches.sit_out(12) == (KEY,)


def test_whoever_was_seen_elsewhere_is_not_cleared_by_not_looking() -> None:
    watches = Watches()
    watches.meet(KEY, index=7, is_active=True, epoch=10)
    assert watches.judge(11, {7: True}).seen == (KEY,)
    assert [watches.sit_out(epoch) for epoch in range(12, 20)] == [()] * 8
    watches.judge(20, {7: False})
    assert watches.judge(21, {7: False}).cleared == (KEY,)


def test_gaps_begin_a_watch_anew_where_nobody_tells_too() -> None:
    watches = Watches()
    watches.meet(KEY, index=7, is_active=True, epoch=10)
    watches.sit_out(11)
    assert watches.sit_out(14) == ()
    assert watches.sit_out(15) == (KEY,)
