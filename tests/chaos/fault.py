"""What a fault is, and what a trial of it found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import trio

from tests.chaos.judging import Judgement
from tests.chaos.world import World

NOTHING_MISSED: Final = 0.01
"""Where the operators owe every duty: one vote of a hundred is left to a machine that runs four
nodes, two beacon chains and the trial itself."""
A_FEW: Final = 0.05
"""Where a restart or a change of upstream may cost a slot."""


class Fault:
    """One thing that goes wrong, and is repaired.

    Attributes:
        name: for `--only`.
        about: what happens, in a line.
        most_missed: the bar, as a share of the duties due from its beginning to recovery. Duties
            whose block the beacon chain lost do not count.
        most_slots: slots with a missed duty, None if only the share counts.
        least_slots: that it needs, however few are asked for.
    """

    name: str
    about: str
    most_missed: float = NOTHING_MISSED
    most_slots: int | None = None
    least_slots: int = 1

    async def begin(self, world: World) -> None:
        """Make it happen; returns at once."""

    async def during(self, world: World) -> None:
        """What goes on meanwhile; cancelled at the end."""
        await trio.sleep_forever()

    async def end(self, world: World) -> None:
        """Repair it; also after `begin` or `during` failed."""

    async def check(self, world: World) -> list[str]:
        """After recovery: what else did not hold, for people."""
        return []


@dataclass(frozen=True, slots=True)
class Result:
    """What a trial found.

    Attributes:
        slashable: pairs signed by honest operators, or submitted, that were not there before.
        recovery_slots: from the repair to the first slot from which all went well.
        growth_mib: of the node that grew most, of those that ran all the time; None if none did.
        broken: what did not hold, for people; bars and expectations.
    """

    fault: str
    first_slot: int
    last_slot: int
    judgement: Judgement
    slashable: tuple[str, ...]
    recovery_slots: int
    growth_mib: float | None
    broken: tuple[str, ...] = field(default=())

    def as_json(self) -> Mapping[str, Any]:
        """For programs."""
        misses = self.judgement.misses
        return {
            "fault": self.fault,
            "slots": [self.first_slot, self.last_slot],
            "due": self.judgement.due,
            "done": self.judgement.done,
            "missed": dict(self.judgement.reasons),
            "misses": [[m.slot, m.validator, m.role, m.reason] for m in misses],
            "slashable": list(self.slashable),
            "recovery_slots": self.recovery_slots,
            "growth_mib": self.growth_mib,
            "broken": list(self.broken),
        }
