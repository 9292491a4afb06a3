"""Agreement of a committee on one value per height: QBFT, without clock, network or keys.

`Heights` is the entrance: feed it starts, values, messages and expired timers, and carry out the
outputs it returns. `Instance` is one height of it.
"""

from __future__ import annotations

from operator_node.qbft.heights import EARLY_FAULTS, INSTANCES_KEPT, Heights
from operator_node.qbft.instance import Instance
from operator_node.qbft.rounds import (
    Anchor,
    Expiry,
    expiry,
    leader_alan,
    leader_boole,
    leader_of,
)
from operator_node.qbft.types import (
    CUT_OFF_ROUND,
    Broadcast,
    CheckValue,
    Decide,
    Leader,
    Output,
    Setup,
    Spread,
    StartTimer,
    State,
    Verdict,
)

__all__ = [
    "CUT_OFF_ROUND",
    "EARLY_FAULTS",
    "INSTANCES_KEPT",
    "Anchor",
    "Broadcast",
    "CheckValue",
    "Decide",
    "Expiry",
    "Heights",
    "Instance",
    "Leader",
    "Output",
    "Setup",
    "Spread",
    "StartTimer",
    "State",
    "Verdict",
    "expiry",
    "leader_alan",
    "leader_boole",
    "leader_of",
]
