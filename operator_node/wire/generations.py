"""The two protocol generations that are in force around a fork, and what differs between them.

Pure. A generation is a value chosen from a message's slot (`ForkEpochs.generation_at`), never a
global switch: around activation both are spoken at once. Source: docs/protocol.md, "Generations".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from sdk.types import Epoch

NEVER: Final = Epoch(2**64 - 1)
"""Epoch of a fork that is not scheduled."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Container limits of one generation, in items and bytes."""

    partial_signatures: int
    message_data_bytes: int
    consensus_data_bytes: int
    """Gossip bound of an encoded consensus message."""
    partials_data_bytes: int
    """Gossip bound of an encoded partial-signatures message."""
    envelope_bytes: int
    """Gossip bound of a whole message."""


class Generation(Enum):
    """Alan is live; Boole is specified and waits for its epoch."""

    ALAN = "alan"
    BOOLE = "boole"

    limits: Limits
    """What this generation's containers hold at most."""

    __hash__ = object.__hash__  # members are single; Enum hashes their names anew at each look-up


# The gossip bounds of Alan are the Go node's; those of Boole follow from the container limits.
# Attributes, because a look-up by member takes as long as the rest of decoding an envelope.
Generation.ALAN.limits = Limits(1512, 722_412, 740_506, 151_220, 9_589_483)
Generation.BOOLE.limits = Limits(5048, 726_932, 740_506, 726_932, 9_594_003)

ALAN: Final = Generation.ALAN
BOOLE: Final = Generation.BOOLE
"""The members once more, where every message passes: to look one up costs as much as two calls."""


@dataclass(frozen=True, slots=True)
class ForkEpochs:
    """When the generations begin on one network."""

    slots_per_epoch: int
    boole: Epoch = NEVER

    def generation_at(self, slot: int) -> Generation:
        """The generation that a message of this slot is written in."""
        return BOOLE if slot // self.slots_per_epoch >= self.boole else ALAN
