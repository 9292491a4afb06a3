"""Duties that events of the registry ask for: registrations of a new recipient, voluntary exits.

Pure. Source: docs/protocol.md, "Validator registration" and "Voluntary exit".
"""

from __future__ import annotations

from typing import Final

from operator_node.scheduler.timing import LIVES_SLOTS
from operator_node.scheduler.types import Request
from operator_node.wire.ids import RunnerRole
from sdk.types import Slot

REQUESTED_PER_SLOT: Final = 32
"""One transaction may change the recipient of thousands of validators; their registrations take
this many of each slot (DUT-10)."""
MOST_REQUESTS: Final = 20_000
"""Some megabytes; more own validators than a node is made for."""


class Requests:
    """Requests until they are begun or too old.

    Attributes:
        dropped: how many were lost because there were too many at once.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._open: dict[Request, int] = {}
        """With the number of the block that asked."""
        self._begun: set[Request] = set()
        self._paced_slot = -1
        self._paced = 0

    def add(self, request: Request, *, block_number: int) -> None:
        """A block asks for a duty; asking again, as after a re-org, begins nothing twice."""
        if request in self._begun:
            return
        self._open[request] = block_number
        if len(self._open) > MOST_REQUESTS:
            del self._open[next(iter(self._open))]
            self.dropped += 1

    def roll_back(self, block_number: int) -> None:
        """Blocks above this one vanished; what they asked for needs to be asked for again."""
        self._open = {each: block for each, block in self._open.items() if block <= block_number}

    def due(self, slot: Slot) -> tuple[Request, ...]:
        """Those of this slot and earlier ones: exits, then the oldest registrations, paced."""
        self._open = {each: at for each, at in self._open.items() if not _is_over(each, slot)}
        self._begun = {each for each in self._begun if not _is_over(each, slot)}
        room = REQUESTED_PER_SLOT - (self._paced if slot == self._paced_slot else 0)
        waiting = sorted((each for each in self._open if each.slot <= slot), key=_order)
        return tuple(waiting[: max(room, 0)])

    def note_begun(self, request: Request, slot: Slot) -> None:
        """It is under way, in this slot."""
        if request not in self._open:
            return
        del self._open[request]
        self._begun.add(request)
        self._paced = self._paced + 1 if slot == self._paced_slot else 1
        self._paced_slot = slot


def _is_over(request: Request, slot: Slot) -> bool:
    return slot >= request.slot + LIVES_SLOTS[request.role]


def _order(request: Request) -> tuple[bool, int]:
    return request.role is not RunnerRole.VOLUNTARY_EXIT, request.slot
