"""Where the registry stands, for health, metrics and people.

Pure value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sdk.chain.follower import Point
from sdk.types import BlockNumber, OperatorId, PublicKey

STALE_S: Final = 300
"""Age of the newest block from which on the registry counts as impaired. Duties go on."""
COUNTED: Final = (
    "steps",
    "changes",
    "oddities",
    "divergences",
    "rollbacks",
    "restarts",
    "failures",
)
"""What `RegistryStatus.counts` has."""


@dataclass(frozen=True, slots=True)
class RegistryStatus:
    """Where the registry stands.

    Attributes:
        tip: newest block applied.
        tip_time_s: its time, unix seconds; 0 if there is none.
        target: block to be reached, as far as known.
        operator_id: this operator's id, None while it is not registered.
        alarms: by validator, why its share cannot be used.
        counts: so far, by the names in `COUNTED`.
    """

    tip: Point | None
    tip_time_s: int
    target: BlockNumber | None
    is_complete: bool
    operator_id: OperatorId | None
    alarms: Mapping[PublicKey, str]
    counts: Mapping[str, int]

    @property
    def is_waiting_operator(self) -> bool:
        """All is read and this operator is not registered."""
        return self.is_complete and self.operator_id is None

    def is_stale(self, now_s: float) -> bool:
        """Whether the newest block is older than it should be."""
        return now_s - self.tip_time_s > STALE_S
