"""Series of numbers as lines."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as some

from indexer.explorer.charts import (
    HEIGHT,
    MOST_POINTS,
    WIDTH,
    Chart,
    Point,
    chart,
    thinned,
)


def drawn(points: list[Point], **more: object) -> Chart:
    made = chart("Fee", points, show=str, **more)  # type: ignore[arg-type]
    assert made is not None
    return made


def at(x: int, y: int) -> Point:
    return Point(x, y, f"day {x}")


def test_nothing_is_no_chart() -> None:
    assert chart("Fee", [], show=str) is None


def test_values_are_joined_from_corner_to_corner() -> None:
    made = drawn([at(100, 0), at(150, 5), at(200, 10)])
    assert made.line == "M0 200L300 100L600 0"
    assert made.area == "M0 200L300 100L600 0V200H0Z"
    assert [each.label for each in made.ticks] == ["0", "2", "4", "6", "8", "10"]
    assert (made.ticks[0].place, made.ticks[-1].place) == (HEIGHT, 0)


def test_a_fee_holds_until_the_next_one_and_the_last_until_now() -> None:
    made = drawn([at(0, 10), at(50, 20)], steps=True, until=at(100, 0))
    assert made.line == "M0 100H300V0H600"
    assert (made.begins, made.ends) == ("day 0", "day 100")


def test_a_single_value_is_a_line_all_the_way() -> None:
    assert drawn([at(7, 10)]).line == f"M0 0L{WIDTH} 0"
    assert drawn([at(7, 10)], steps=True).line == f"M0 0H{WIDTH}"


def test_a_series_of_zeros_lies_on_the_ground() -> None:
    assert drawn([at(0, 0), at(1, 0)]).line == "M0 200L600 200"


def test_a_limit_has_a_line_of_its_own_inside_the_chart() -> None:
    made = drawn([at(0, 3), at(1, 4)], marks=[(8, "limit")])
    assert [(each.label, each.place) for each in made.marks] == [("limit", 0)]


def test_whoever_cannot_see_it_is_told_first_last_lowest_and_highest() -> None:
    made = drawn([at(1, 5), at(2, 1), at(3, 9), at(4, 7)])
    assert made.summary == "Fee: 5 day 1, 7 day 4; lowest 1, highest 9."
    assert [(row.x, row.value) for row in made.rows] == [(4, "7"), (3, "9"), (2, "1"), (1, "5")]


def test_an_axis_above_0_has_no_area_and_its_own_labels() -> None:
    made = drawn([at(0, 2_140), at(9, 2_134)], from_zero=False, show_tick=lambda value: f"{value}!")
    assert made.area == ""
    assert made.ticks[0].label == "2134!"
    assert made.latest == "2134"
    assert drawn([at(0, 5), at(9, 4)]).area.endswith("H0Z")


def test_too_many_points_are_thinned_with_their_ends_kept() -> None:
    points = [at(x, x) for x in range(10_000)]
    kept = thinned(points)
    assert len(kept) == MOST_POINTS
    assert (kept[0], kept[-1]) == (points[0], points[-1])


@given(
    some.lists(
        some.tuples(some.integers(0, 10**8), some.integers(-(10**30), 10**30)),
        min_size=1,
        max_size=30,
        unique_by=lambda pair: pair[0],
    ),
    some.booleans(),
    some.booleans(),
)
def test_every_line_stays_inside_its_box(
    pairs: list[tuple[int, int]], steps: bool, from_zero: bool
) -> None:
    made = drawn([at(*pair) for pair in sorted(pairs)], steps=steps, from_zero=from_zero)
    numbers = [float(each) for each in re.findall(r"-?[0-9.]+", made.line)]
    assert all(0 <= each <= WIDTH for each in numbers)
    heights = [float(each) for each in re.findall(r"V(-?[0-9.]+)", made.line)]
    assert all(0 <= each <= HEIGHT for each in heights)
    assert 2 <= len(made.ticks) <= 10
    gaps = {
        round(made.ticks[i].place - made.ticks[i + 1].place) for i in range(len(made.ticks) - 1)
    }
    assert max(gaps) - min(gaps) <= 1
