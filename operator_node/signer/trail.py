"""What one key signed of one kind, kept in order and within a bound.

Pure, immutable. A trail holds the latest entries in full, and of everything older, or armed
without ever being signed, only a bound. It knows nothing of slashing; `rules` does.

Merging is a join: the order of merges, and merging twice, make no difference. So records can be
moved between machines in any number of steps without losing strictness.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import Any, Final, Generic, Protocol, Self, TypeVar

from msgspec import Struct

KEPT_ENTRIES: Final = 1000
"""Entries kept in full per key and kind (docs/slashing.md): more than four days of attestations,
far beyond any duty that could be asked for twice, in some 100 kB."""


class Entry(Protocol):
    """Something signed. Also how a bound is written: then without a signing root."""

    @property
    def order(self) -> tuple[Any, ...]:
        """First the epoch or slot it is for; equal only for equal entries."""
        ...

    @property
    def signing_root(self) -> bytes | None:
        """32 bytes, None if what was signed is not known exactly."""
        ...

    def covering(self, other: Self) -> Self:
        """The lowest bound at or above both."""
        ...


E = TypeVar("E", bound=Entry)


class Trail(Struct, Generic[E], frozen=True):
    """Entries of one key and kind.

    Made by its own methods only, which keep `highest` true.

    Attributes:
        entries: distinct, ascending by `order`, at most `KEPT_ENTRIES`, the highest ones.
        highest: covers all else; None as long as nothing is known about the key.
        pruned: covers every entry that is no longer kept.
        armed: what may have been signed unseen, raised when a share is added.
    """

    entries: tuple[E, ...] = ()
    highest: E | None = None
    pruned: E | None = None
    armed: E | None = None

    @classmethod
    def of(cls, entries: Iterable[E]) -> Trail[E]:
        """A trail of these entries, in any order."""
        distinct = sorted(set(entries), key=_order)
        kept, pruned = _prune(tuple(distinct), None)
        return Trail(kept, cover_all(distinct), pruned)

    def __contains__(self, entry: E) -> bool:
        place = bisect_left(self.entries, entry.order, key=_order)
        return place < len(self.entries) and self.entries[place] == entry

    def span(self, time: int) -> slice:
        """Where the entries for this epoch or slot are."""
        start = bisect_left(self.entries, time, key=_time)
        return slice(start, bisect_right(self.entries, time, lo=start, key=_time))

    @property
    def floor(self) -> E | None:
        """Covers what is not among the entries: at or below, anything may have been signed."""
        return cover(self.pruned, self.armed)

    @property
    def unknown_to(self) -> E | None:
        """Covers the floor and every entry without signing root, which may be another's floor."""
        return cover_all(
            (self.floor, *(entry for entry in self.entries if entry.signing_root is None))
        )

    @property
    def known_from(self) -> E | None:
        """What was signed above this is all among the entries."""
        return cover(self.floor, self.entries[0]) if self.entries else self.floor

    def recording(self, entry: E) -> Trail[E]:
        """With one more entry."""
        entries = self.entries
        if not entries or entries[-1].order < entry.order:
            # Two copies of a full trail where unpacking makes three: the price of every signature.
            entries = entries + (entry,)  # noqa: RUF005
        elif entry in self:
            return self
        else:
            place = bisect_left(entries, entry.order, key=_order)
            entries = (*entries[:place], entry, *entries[place:])
        kept, pruned = _prune(entries, self.pruned)
        return Trail(kept, cover(self.highest, entry), pruned, self.armed)

    def merged(self, other: Trail[E]) -> Trail[E]:
        """What both know together; never below either."""
        if self.highest is None or other.highest is None:
            return self if other.highest is None else other
        entries = sorted({*self.entries, *other.entries}, key=_order)
        kept, pruned = _prune(tuple(entries), cover(self.pruned, other.pruned))
        highest = cover(self.highest, other.highest)
        return Trail(kept, highest, pruned, cover(self.armed, other.armed))

    def raised(self, bound: E) -> Trail[E]:
        """As if `bound` had been signed unseen; never falls."""
        return self.armed_at(bound if self.armed is None else bound.covering(self.armed))

    def armed_at(self, bound: E) -> Trail[E]:
        """With this armed bound in place of the old one; what was signed keeps its own bounds."""
        armed = bound.covering(bound)
        highest = cover_all((armed, self.pruned, *self.entries))
        return Trail(self.entries, highest, self.pruned, armed)


def cover(first: E | None, second: E | None) -> E | None:
    """The lowest bound at or above both; None is below everything."""
    if first is None:
        return None if second is None else second.covering(second)
    return first.covering(first if second is None else second)


def cover_all(items: Iterable[E | None]) -> E | None:
    """The lowest bound at or above all of them."""
    bound: E | None = None
    for item in items:
        bound = cover(bound, item)
    return bound


def _prune(entries: tuple[E, ...], pruned: E | None) -> tuple[tuple[E, ...], E | None]:
    if len(entries) <= KEPT_ENTRIES:
        return entries, pruned
    return entries[-KEPT_ENTRIES:], cover_all((pruned, *entries[:-KEPT_ENTRIES]))


def _order(entry: Entry) -> tuple[Any, ...]:
    return entry.order


def _time(entry: Entry) -> int:
    time: int = entry.order[0]
    return time
