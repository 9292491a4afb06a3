"""How long a node that began anew keeps silent in a duty that it may have been in before.

Pure. Nothing of consensus is stored: which votes were sent is unknown after a restart, so that no
vote may be sent in a round in which one may have been sent already.

Source: docs/protocol.md, "After a restart".
"""

from __future__ import annotations

from typing import Final

from operator_node.qbft import CUT_OFF_ROUND
from operator_node.qbft.rounds import Anchor, expiry
from operator_node.validation.timing import estimated_round
from operator_node.wire.ids import RunnerRole

CLOCK_STEP_MS: Final = 1_000
"""Time stands still for a process that is killed and the clock may be corrected meanwhile; votes
of slots that begin this soon after the start count as possible."""
_ROUNDS_LATER: Final = 2
"""By the clock it is round k: a vote for k + 1 may have been sent, none for a later round."""


def silent_until(role: RunnerRole, *, since_slot_ms: int, slot_ms: int) -> int:
    """The first round in which a node that starts now may vote; 0 for all rounds.

    Args:
        role: one with consensus.
        since_slot_ms: from the begin of the duty's slot to the start of this process; negative if
            the slot began later.
        slot_ms: length of a slot.
    """
    if since_slot_ms < -CLOCK_STEP_MS:
        return 0
    return _round_at(role, since_slot_ms, slot_ms) + _ROUNDS_LATER


def _round_at(role: RunnerRole, since_slot_ms: int, slot_ms: int) -> int:
    """The highest round that the clock allows."""
    if expiry(role, 1, slot_ms).anchor is Anchor.ROUND_START:
        # When the rounds began is unknown; not before the slot.
        return min(estimated_round(since_slot_ms), CUT_OFF_ROUND)
    for round_number in range(1, CUT_OFF_ROUND):
        if since_slot_ms < expiry(role, round_number, slot_ms).ms:
            return round_number
    return CUT_OFF_ROUND
