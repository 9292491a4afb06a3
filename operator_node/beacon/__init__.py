"""Beacon nodes, one or several, as one pool: answers for duties, submissions, schedule, events.

`BeaconPool` is the entrance. Each question goes to the nodes that can answer it best, each finished
object to all of them; routes and forms are found out per node. Never decides what to sign.
"""

from __future__ import annotations

from operator_node.beacon.pool import BeaconPool
from operator_node.beacon.trouble import LivenessUnavailable
from operator_node.beacon.types import (
    AttesterDuty,
    BeaconEvent,
    BlockSeenEvent,
    Candidate,
    CommitteeSubscription,
    EpochDuties,
    FinalizedEvent,
    HeadEvent,
    NodeState,
    NodeStatus,
    ProposerDuty,
    ReorgEvent,
    SlashingEvent,
    SyncDuty,
    SyncSubscription,
    ValidatorState,
    ViewChangedEvent,
)

__all__ = [
    "AttesterDuty",
    "BeaconEvent",
    "BeaconPool",
    "BlockSeenEvent",
    "Candidate",
    "CommitteeSubscription",
    "EpochDuties",
    "FinalizedEvent",
    "HeadEvent",
    "LivenessUnavailable",
    "NodeState",
    "NodeStatus",
    "ProposerDuty",
    "ReorgEvent",
    "SlashingEvent",
    "SyncDuty",
    "SyncSubscription",
    "ValidatorState",
    "ViewChangedEvent",
]
