"""Sums of multiples in a group where they are known: the integers."""

from __future__ import annotations

import random
from dataclasses import dataclass

import pytest

from sdk.crypto.multiples import additions, sum_of_multiples


@dataclass(frozen=True)
class Counted:
    """An integer that counts additions."""

    value: int
    taken: list[None]

    def __add__(self, other: Counted) -> Counted:
        self.taken.append(None)
        return Counted(self.value + other.value, self.taken)

    def __neg__(self) -> Counted:
        return Counted(-self.value, self.taken)


def scalars_of(count: int, bits: int, *, seed: int = 1) -> list[int]:
    dice = random.Random(seed)
    return [dice.choice((1, -1)) * (dice.getrandbits(bits) | 1) for _ in range(count)]


@pytest.mark.parametrize("count", [1, 2, 3, 9, 13, 14, 40, 500])
@pytest.mark.parametrize("bits", [1, 2, 7, 64, 127, 128])
def test_sum_is_the_plain_one_for_few_and_many_short_and_long_scalars(
    count: int, bits: int
) -> None:
    scalars = scalars_of(count, bits)
    points = scalars_of(count, 250, seed=2)
    assert sum_of_multiples(points, scalars) == sum(
        point * scalar for point, scalar in zip(points, scalars, strict=True)
    )


@pytest.mark.parametrize("count", [20, 100, 700])
@pytest.mark.parametrize("step", range(-3, 4))
def test_scalars_beside_a_power_of_two_are_cut_into_digits_rightly(count: int, step: int) -> None:
    """Where a digit is exactly half of its base, the next one takes a carry, or none."""
    scalars = [(1 << bit) + step for bit in range(2, 130) for _ in range(count // 20)][:count]
    points = list(range(1, len(scalars) + 1))
    assert sum_of_multiples(points, scalars) == sum(map(int.__mul__, points, scalars))


def test_digits_all_equal_to_half_of_their_base_are_summed_rightly() -> None:
    for width in range(1, 12):
        halves = sum(1 << place for place in range(width - 1, 128, width))
        scalars = [halves, -halves, halves - 1, halves + 1] * 40
        points = list(range(1, len(scalars) + 1))
        assert sum_of_multiples(points, scalars) == sum(map(int.__mul__, points, scalars))


def test_points_that_cancel_leave_nothing() -> None:
    assert sum_of_multiples([7, -7] * 50, [2**127 + 1] * 100) == 0


@pytest.mark.parametrize(("count", "bits"), [(3, 2), (9, 10), (13, 128), (100, 128), (500, 128)])
def test_estimate_is_near_what_is_taken(count: int, bits: int) -> None:
    taken: list[None] = []
    points = [Counted(number, taken) for number in range(count)]
    sum_of_multiples(points, scalars_of(count, bits))
    assert len(taken) <= 1.3 * additions(count, bits) + 3
    assert len(taken) >= 0.7 * additions(count, bits) - 3


def test_many_points_take_few_additions_each() -> None:
    """One by one, a 128-bit multiple takes 192 of them."""
    assert additions(500, 128) < 25 * 500
