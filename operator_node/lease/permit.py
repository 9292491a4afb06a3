"""How long signatures may be recorded, and leave, on account of a lease.

Pure. A permit carries the fencing number and the moment at which it ends, by two clocks. One counts
the time that a machine slept; the other is the wall's, which a machine that was stopped from
outside learns from others. It is over as soon as either says so. The clocks are the same in all
processes of a machine, so that a permit can be handed to another process.

Source: docs/slashing.md, "Two instances and a lease".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from msgspec import Struct


class Moment(NamedTuple):
    """One moment by two clocks, milliseconds.

    Attributes:
        boot: since the machine booted, time asleep included; it never steps.
        wall: unix time.
    """

    boot: int
    wall: int

    def later(self, ms: int) -> Moment:
        """So much later by both."""
        return Moment(self.boot + ms, self.wall + ms)


Clocks: TypeAlias = Callable[[], Moment]


class Permit(Struct, frozen=True):
    """Signatures may be recorded and leave under this fencing number, before that moment."""

    term: int
    until: Moment

    def is_over(self, now: Moment) -> bool:
        """Whether either clock says that it ended."""
        return now.boot >= self.until.boot or now.wall >= self.until.wall
