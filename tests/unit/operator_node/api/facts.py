"""Snapshots and duties for the API's tests."""

from __future__ import annotations

from dataclasses import replace

from operator_node.api import Snapshot
from operator_node.beacon.types import NodeState as BeaconState
from operator_node.beacon.types import NodeStatus
from operator_node.duties.reasons import Reason
from operator_node.duties.types import Step
from operator_node.engine.records import DutyRecord, Heard
from operator_node.wire.ids import RunnerRole
from sdk.types import OperatorId, Slot

FOUR = tuple(OperatorId(each) for each in (1, 2, 3, 4))
BEACON = NodeStatus("10.0.0.1:5052", "Lodestar/v1", BeaconState.SYNCED, True, Slot(99), 12, "")
HEALTHY = Snapshot(
    is_started=True,
    is_working=True,
    is_stopping=False,
    fenced_by="",
    is_listening=False,
    registry_complete=True,
    registry_block=1000,
    registry_age_s=3.0,
    operator=OperatorId(1),
    beacons=(BEACON,),
    peers=3,
    co_operators=frozenset(FOUR[1:]),
    connected=frozenset(FOUR[1:]),
    validators=2,
    held=0,
    clock_error_ms=4,
)
DOWN = replace(BEACON, state=BeaconState.UNREACHABLE)
DONE = DutyRecord(
    id="COMMITTEE-1_2_3_4-e5-s160",
    role=RunnerRole.COMMITTEE,
    slot=Slot(160),
    committee=FOUR,
    validators=(17, 18),
    started_ms=4000,
    steps=((Step.STARTED, 4000), (Step.DECIDED, 4210), (Step.SUBMITTED, 4260)),
    round=1,
    leader=FOUR[1],
    sent=4,
    heard=(Heard(FOUR[1], 4, 4100, 4240),),
    reason=Reason.DONE,
    submitted=(17, 18),
)
MISSED = replace(
    DONE,
    id="PROPOSER-e5-s161-v17",
    role=RunnerRole.PROPOSER,
    slot=Slot(161),
    validators=(17,),
    reason=Reason.PRE_QUORUM_MISSING,
    submitted=(),
    detail={"operators": frozenset({OperatorId(3), OperatorId(2)})},
)
