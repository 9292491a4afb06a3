"""Who leads a round, and how long a round lasts.

Pure: milliseconds are plain numbers counted from an anchor; whoever has the clock turns them into
times. The rounds of slot-anchored roles end for every operator at the same moment, whenever it
began; anchoring the proposer's rounds to the slot as well would cut its first round short.

Source: docs/protocol.md, "Leader" and "Timing".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache, partial
from typing import Final

from operator_node.qbft.types import Leader
from operator_node.wire.committee import Committee
from operator_node.wire.generations import Generation
from operator_node.wire.ids import RunnerRole
from sdk.errors import UsageError
from sdk.types import OperatorId

QUICK_ROUNDS: Final = 8
"""Rounds 1 to 8 are quick: a leader that is merely absent costs little."""
QUICK_MS: Final = 2_000
SLOW_MS: Final = 120_000
"""From round 9 on something is broken at large; messages must not add to it."""
EXPIRIES_KEPT: Final = 128
"""Five roles with at most twelve rounds, on one network."""
_SLOTS_PER_LEADER_EPOCH: Final = 32
"""Boole shifts the first leader every 32 heights, whatever the chain's preset."""


class Anchor(Enum):
    """What an expiry is counted from."""

    SLOT_START = auto()
    ROUND_START = auto()


@dataclass(frozen=True, slots=True)
class Expiry:
    """When a round is over: `ms` milliseconds after the anchor."""

    anchor: Anchor
    ms: int


def leader_alan(committee: Committee, height: int, round_: int) -> OperatorId:
    """Who proposes: members take turns by id, from a first one that follows the height."""
    return committee.operators[(height + round_ - 1) % len(committee.operators)]


def leader_boole(committee: Committee, height: int, round_: int) -> OperatorId:
    """Who proposes: as in Alan, and the first one shifts once more every 32 heights.

    Without the shift a committee whose size divides 32 would have the same first leader at the
    same position of every epoch.
    """
    shifted = height + round_ - 1 + height // _SLOTS_PER_LEADER_EPOCH
    return committee.operators[shifted % len(committee.operators)]


def leader_of(committee: Committee, generation: Generation) -> Leader:
    """The generation's rule for one committee."""
    rule = leader_alan if generation is Generation.ALAN else leader_boole
    return partial(rule, committee)


@lru_cache(EXPIRIES_KEPT)
def expiry(role: int, round_: int, slot_ms: int) -> Expiry:
    """When a round of a role's consensus is over.

    Args:
        role: a `RunnerRole` that has consensus.
        round_: from 1.
        slot_ms: length of a slot, milliseconds.

    Raises:
        UsageError: the role has no consensus.
    """
    match role:
        case RunnerRole.COMMITTEE:
            return Expiry(Anchor.SLOT_START, slot_ms // 3 + _rounds_ms(round_))
        case RunnerRole.AGGREGATOR | RunnerRole.SYNC_CONTRIBUTION | RunnerRole.AGGREGATOR_COMMITTEE:
            return Expiry(Anchor.SLOT_START, 2 * slot_ms // 3 + _rounds_ms(round_))
        case RunnerRole.PROPOSER:
            return Expiry(Anchor.ROUND_START, QUICK_MS if round_ <= QUICK_ROUNDS else SLOW_MS)
    raise UsageError(f"role {role} has no consensus and so no rounds")


def _rounds_ms(rounds: int) -> int:
    """How long the first `rounds` rounds take together."""
    quick = min(rounds, QUICK_ROUNDS)
    return QUICK_MS * quick + SLOW_MS * (rounds - quick)
