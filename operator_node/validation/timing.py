"""When a message may arrive: how early, how late, and in which round at most.

Pure. Times are milliseconds, counted from genesis where they are points in time; whoever calls
reads the clock.

Source: docs/protocol.md, "Gossip validation" (numbers) and "Timing".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from operator_node.qbft.rounds import QUICK_MS, QUICK_ROUNDS, SLOW_MS
from operator_node.wire.ids import RunnerRole

CLOCK_TOLERANCE_MS: Final = 50
"""How far the clocks of two healthy nodes may differ."""
TRANSPORT_MARGIN_MS: Final = 3_000
"""What a message may need from its sender to us, on top of its duty's life."""
LONG_LIFE_SLOTS: Final = 34
"""An attestation counts for an epoch; two slots more for its inclusion."""
SHORT_LIFE_SLOTS: Final = 3
"""A block, or a sync committee contribution, is worthless soon after its slot."""
LIFE_SLOTS: Final[Mapping[int, int]] = {
    RunnerRole.COMMITTEE: LONG_LIFE_SLOTS,
    RunnerRole.AGGREGATOR: LONG_LIFE_SLOTS,
    RunnerRole.AGGREGATOR_COMMITTEE: LONG_LIFE_SLOTS,
    RunnerRole.PROPOSER: SHORT_LIFE_SLOTS,
    RunnerRole.SYNC_CONTRIBUTION: SHORT_LIFE_SLOTS,
}
"""How long after its slot began a role's duty lives. What the other roles sign is good for ever."""
REGISTRATION_SLOTS: Final = LONG_LIFE_SLOTS
"""Registrations are made anew in every epoch: nobody waits for an older one."""
EXIT_SLOTS: Final = 7_200
"""A day. An exit keeps the slot of its request, however late the request is final here, and
operators may ask their committee for it again."""
PASSED_ON_SLOTS: Final[Mapping[int, int]] = {
    **LIFE_SLOTS,
    RunnerRole.VALIDATOR_REGISTRATION: REGISTRATION_SLOTS,
    RunnerRole.VOLUNTARY_EXIT: EXIT_SLOTS,
}
"""How long after its slot began a role's messages are passed on. Without an end, anybody could play
recorded registrations of years again, through honest peers."""

ROUNDS_AHEAD: Final = 1
"""Others may have left a round just before us."""

LONG_CUT_OFF_ROUND: Final = 12
"""The last round that an instance takes part in."""
SHORT_CUT_OFF_ROUND: Final = 6
"""12 s of quick rounds: nobody needs that block or contribution later."""
CUT_OFF_ROUND: Final[Mapping[int, int]] = {
    RunnerRole.COMMITTEE: LONG_CUT_OFF_ROUND,
    RunnerRole.AGGREGATOR: LONG_CUT_OFF_ROUND,
    RunnerRole.AGGREGATOR_COMMITTEE: LONG_CUT_OFF_ROUND,
    RunnerRole.PROPOSER: SHORT_CUT_OFF_ROUND,
    RunnerRole.SYNC_CONTRIBUTION: SHORT_CUT_OFF_ROUND,
}
"""The highest round accepted per role. Roles that are missing have no consensus."""


def is_early(since_slot_start_ms: int) -> bool:
    """Whether a message came before its slot, by more than clocks differ."""
    return since_slot_start_ms < -CLOCK_TOLERANCE_MS


def is_late(role: int, since_slot_start_ms: int, *, slot_ms: int) -> bool:
    """Whether a message of a known role came when its duty was over, or long forgotten."""
    latest_ms = PASSED_ON_SLOTS[role] * slot_ms + TRANSPORT_MARGIN_MS + CLOCK_TOLERANCE_MS
    return since_slot_start_ms > latest_ms


def estimated_round(since_slot_start_ms: int) -> int:
    """The round that an instance started with its slot is in; 1 before the slot begins.

    Duties start later than their slot, so honest members are in this round or in a lower one.
    """
    if since_slot_start_ms < 0:
        return 1
    quick = since_slot_start_ms // QUICK_MS
    if quick < QUICK_ROUNDS:
        return 1 + quick
    slow_ms = since_slot_start_ms - QUICK_ROUNDS * QUICK_MS
    return 1 + QUICK_ROUNDS + slow_ms // SLOW_MS
