"""When validators count as silent."""

from __future__ import annotations

import pytest

from sdk.client.silence import Silence
from sdk.errors import InputError

SLOTS = 32
START = Silence(first_epoch=101, needed=3)


def hear_nothing(silence: Silence, *, epoch: int, slot: int) -> Silence:
    return silence.unheard(epoch, head_slot=slot, slots_per_epoch=SLOTS)


def test_three_epochs_in_a_row_are_silence() -> None:
    silence = START
    for epoch in (101, 102, 103):
        assert not silence.is_proven
        silence = hear_nothing(silence, epoch=epoch, slot=(epoch + 1) * SLOTS + 16)
    assert silence.is_proven
    assert silence.quiet == (101, 102, 103)


def test_epoch_counts_only_after_half_of_the_next_one() -> None:
    early = hear_nothing(START, epoch=101, slot=102 * SLOTS + 15)
    assert early.quiet == ()
    assert hear_nothing(early, epoch=101, slot=102 * SLOTS + 16).quiet == (101,)


@pytest.mark.parametrize("slot", [101 * SLOTS + 20, 103 * SLOTS + 20])
def test_epoch_that_is_not_the_one_before_the_heads_does_not_count(slot: int) -> None:
    assert hear_nothing(START, epoch=101, slot=slot).quiet == ()


def test_epoch_of_the_removal_does_not_count() -> None:
    assert hear_nothing(START, epoch=100, slot=101 * SLOTS + 20).quiet == ()
    assert START.epochs_to_ask(101) == (101,)
    assert START.epochs_to_ask(102) == (101, 102)
    assert START.epochs_to_ask(100) == ()


def test_asking_twice_counts_once() -> None:
    once = hear_nothing(START, epoch=101, slot=102 * SLOTS + 16)
    assert hear_nothing(once, epoch=101, slot=102 * SLOTS + 31) == once


def test_epoch_nobody_asked_about_breaks_the_row() -> None:
    silence = hear_nothing(START, epoch=101, slot=102 * SLOTS + 16)
    silence = hear_nothing(silence, epoch=103, slot=104 * SLOTS + 16)
    assert silence.quiet == (103,)


def test_sign_of_life_begins_anew_after_its_epoch() -> None:
    silence = hear_nothing(START, epoch=101, slot=102 * SLOTS + 16).heard(102)
    assert (silence.first_epoch, silence.quiet) == (103, ())
    assert hear_nothing(silence, epoch=102, slot=103 * SLOTS + 16).quiet == ()


def test_late_sign_of_life_takes_a_counted_epoch_back() -> None:
    silence = hear_nothing(START, epoch=101, slot=102 * SLOTS + 16).heard(101)
    assert (silence.first_epoch, silence.quiet) == (102, ())


def test_one_epoch_proves_nothing() -> None:
    with pytest.raises(InputError) as caught:
        Silence(first_epoch=0, needed=1)
    assert caught.value.code == "quiet_epochs"
