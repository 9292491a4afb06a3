"""Series of numbers as lines to draw: places, ticks and labels, ready for a template.

Pure geometry; nothing here is HTML. The macro `chart` draws it: the drawing is stretched to the
room there is, so labels stand beside it, and the numbers themselves are in a table for whoever
cannot or would rather not look at lines.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

WIDTH: Final = 600
HEIGHT: Final = 200
MOST_POINTS: Final = 400
"""Of one line; more are closer together than a pixel."""
_TICKS: Final = 4
_STEPS: Final = (1, 2, 5, 10)


@dataclass(frozen=True, slots=True)
class Point:
    """A value of a series.

    Attributes:
        x: where it lies, normally a block number.
        y: the value; money in wei.
        when: what the table says of its place, such as a date.
    """

    x: int
    y: int
    when: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A line across the chart and its label."""

    place: float
    label: str


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table beside a chart."""

    x: int
    when: str
    value: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart, ready to be drawn in a box of `WIDTH` by `HEIGHT`.

    Attributes:
        title: what it shows, in a few words.
        summary: the same as a sentence with first, last, lowest and highest value.
        line: path of the line.
        area: path of the area beneath it; empty if the axis does not begin at 0, because areas are
            compared.
        ticks: lines across at equal distances, the lowest at the bottom, the highest at the top.
        marks: lines across at values that matter, such as a limit.
        begins: label of the left end.
        ends: label of the right end.
        rows: the values themselves, the newest first.
        latest: the last value.
    """

    title: str
    summary: str
    line: str
    area: str
    ticks: tuple[Tick, ...]
    marks: tuple[Tick, ...]
    begins: str
    ends: str
    rows: tuple[Row, ...]
    latest: str
    width: int = WIDTH
    height: int = HEIGHT


def chart(
    title: str,
    points: Sequence[Point],
    *,
    show: Callable[[int], str],
    steps: bool = False,
    from_zero: bool = True,
    marks: Sequence[tuple[int, str]] = (),
    until: Point | None = None,
    show_tick: Callable[[int], str] | None = None,
) -> Chart | None:
    """A chart of a series, None for one without points.

    Args:
        title: what it shows.
        points: ascending by `x`; beyond `MOST_POINTS` they are thinned, first and last kept.
        show: a value as text.
        steps: each value holds until the next one, as fees do; else they are joined.
        from_zero: the axis begins at 0, so that heights can be compared.
        marks: values that deserve a line of their own, with their names.
        until: right end of the last value if that lies behind it; only its place counts.
        show_tick: a value of the axis as text, where `show` would make two of them look equal.
    """
    kept = thinned(points)
    if not kept:
        return None
    last = kept[-1]
    right = last if until is None else Point(until.x, last.y, until.when)
    values = [each.y for each in kept] + [value for value, _ in marks]
    low, high = _range(values, from_zero=from_zero)
    across, up = _scale(kept[0].x, right.x, 0, WIDTH), _scale(low, high, HEIGHT, 0)
    places = [(across(each.x), up(each.y)) for each in kept]
    if right.x > last.x or len(kept) == 1:
        places.append((float(WIDTH), up(last.y)))
    line = _stepped(places) if steps else _joined(places)
    tick_text = show_tick or show
    lowest, highest = min(kept, key=_value), max(kept, key=_value)
    return Chart(
        title=title,
        summary=f"{title}: {show(kept[0].y)} {kept[0].when}, {show(last.y)} {right.when}; "
        f"lowest {show(lowest.y)}, highest {show(highest.y)}.",
        line=line,
        area=f"{line}V{HEIGHT}H0Z" if low <= 0 else "",
        ticks=tuple(Tick(round(up(value), 1), tick_text(value)) for value in _nice(low, high)),
        marks=tuple(Tick(round(up(value), 1), name) for value, name in marks),
        begins=kept[0].when,
        ends=right.when,
        rows=tuple(Row(each.x, each.when, show(each.y)) for each in reversed(kept)),
        latest=show(last.y),
    )


def thinned(points: Sequence[Point], most: int = MOST_POINTS) -> list[Point]:
    """At most so many of the points, evenly chosen, the first and the last among them."""
    if len(points) <= most:
        return list(points)
    last = len(points) - 1
    return [points[place * last // (most - 1)] for place in range(most)]


def _value(point: Point) -> int:
    return point.y


def _range(values: Sequence[int], *, from_zero: bool) -> tuple[int, int]:
    """Ends of the axis: round numbers around all values, never the same twice."""
    low, high = min(values), max(values)
    if from_zero:
        low, high = min(low, 0), max(high, 0)
    if low == high:
        high = low + max(1, abs(low))
    step = _step(high - low)
    return low // step * step, -(-high // step) * step


def _step(extent: int) -> int:
    """Distance of ticks: 1, 2 or 5 times a power of ten."""
    rough = max(1, extent // _TICKS)
    power: int = 10 ** (len(str(rough)) - 1)
    return next(factor * power for factor in _STEPS if factor * power >= rough)


def _nice(low: int, high: int) -> range:
    step = _step(high - low)
    return range(low, high + 1, step)


def _scale(low: int, high: int, start: int, end: int) -> Callable[[int], float]:
    extent = max(1, high - low)
    return lambda value: start + (end - start) * (value - low) / extent


def _joined(places: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{_text(x)} {_text(y)}" for x, y in places)


def _stepped(places: Sequence[tuple[float, float]]) -> str:
    parts = [f"M{_text(places[0][0])} {_text(places[0][1])}"]
    parts += [
        f"H{_text(x)}" + (f"V{_text(y)}" if y != before else "")
        for (_, before), (x, y) in pairwise(places)
    ]
    return "".join(parts)


def _text(place: float) -> str:
    return f"{place:.1f}".rstrip("0").rstrip(".")
