"""What happened in a run, line by line, as a story that a reader can follow.

A transcript begins with the plan, and goes on with one line per event: the time in the slot, who,
what. It is the same for the same seed, byte for byte, so a recorded one shows every change of
behaviour as a difference to review.
"""

from __future__ import annotations

from operator_node.testing.clock import Timeline
from operator_node.testing.faults import SLOT_MS, Plan, slot_start_ms

ROOT_DIGITS = 6
"""Of a root: enough to tell the few of one run apart."""


class Transcript:
    """Lines of one run. Whoever writes asks `transcript is not None` first: most runs have none."""

    def __init__(self, timeline: Timeline, plan: Plan) -> None:
        self._timeline = timeline
        self._first = plan.first_slot
        self.lines: list[str] = [*plan.describe(), ""]

    def note(self, who: str, what: str) -> None:
        """Something happened now; what has no words is left out."""
        if not what:
            return
        now = self._timeline.now_ms
        slot = max(self._first, now // SLOT_MS)
        since = now - slot_start_ms(slot)
        self.lines.append(f"slot {slot} {since / 1000:+8.3f} s  {who:<6} {what}")

    def text(self) -> str:
        """All lines."""
        return "\n".join(self.lines) + "\n"


def short(root: bytes) -> str:
    """A root in a few digits."""
    return root.hex()[:ROOT_DIGITS]
