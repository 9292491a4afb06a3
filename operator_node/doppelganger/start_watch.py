"""How long a node that has just started only listens, for a twin that is already at work.

Pure, and read by whoever has the clock. A slot counts once it is over, if it began after the start,
an own committee had a duty in it, and a co-operator could be heard. Nothing is waited for longer
than the limit: an operator that has no duties, or nobody to hear, must begin some time.

Source: docs/slashing.md, "Twins".
"""

from __future__ import annotations

from typing import Final

WATCHED_SLOTS: Final = 2
"""By default: an instance that works says something in each slot with duties."""


class StartWatch:
    """The watch of one start.

    Attributes:
        slots: with duties, that are listened through; 0 for no watch.
    """

    def __init__(self, slots: int, *, now: int, longest_slots: int) -> None:
        """Begins now.

        Args:
            slots: see above.
            now: the running slot, which is heard in part and does not count.
            longest_slots: after so many the watch is over in any case; never before `slots` are.
        """
        self.slots = slots
        self._start = now
        self._end = now + max(longest_slots, slots)
        self._heard: set[int] = set()

    def note_duty(self, slot: int) -> None:
        """A duty of the slot is due, and its co-operators can be heard."""
        self._follow(slot + 1)  # a duty of the slot before may still be due
        if slot > self._start and len(self._heard) < self.slots:
            self._heard.add(slot)

    def is_over(self, now: int) -> bool:
        """Whether the node may speak in this slot; stays so."""
        self._follow(now)
        return now > self._end or sum(slot < now for slot in self._heard) >= self.slots

    def _follow(self, now: int) -> None:
        """The clock was set back since the start: the watch begins anew, from now on."""
        if now < self._start:
            self._end -= self._start - now
            self._start = now
            self._heard.clear()
