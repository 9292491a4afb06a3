"""Faults that the simulation found, as plans that show them."""

from __future__ import annotations

from dataclasses import replace

from operator_node.testing import (
    BeaconFault,
    BeaconTrouble,
    Plan,
    PlannedDuty,
    StandIns,
    run,
)
from operator_node.testing.faults import FOREVER_MS
from operator_node.wire.ids import RunnerRole
from sdk.types import Epoch
from tests.simulation.textbook import HAPPY, LEADER, SLOT, VALIDATORS


def with_duty(role: RunnerRole, *, sync: tuple[int, ...] = ()) -> Plan:
    duty = PlannedDuty(SLOT, role, VALIDATORS, sync)
    return replace(HAPPY, boole=Epoch(0), duties=(duty,))


def test_a_beacon_node_that_answers_garbage_for_a_contribution_is_survived() -> None:
    """Encoding the value raised, out of the session of an honest operator."""
    plan = replace(
        with_duty(RunnerRole.AGGREGATOR_COMMITTEE, sync=VALIDATORS),
        beacon_faults=(BeaconFault(LEADER, BeaconTrouble.LYING, 0, FOREVER_MS),),
    )
    report = run(plan, StandIns())
    assert report.violations == ()
    assert report.done == 1
