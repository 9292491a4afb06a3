"""In which rounds a node that began anew keeps silent (docs/protocol.md, "After a restart")."""

from __future__ import annotations

import pytest

from operator_node.engine.restart import CLOCK_STEP_MS, silent_until
from operator_node.wire.ids import RunnerRole

COMMITTEE, PROPOSER = RunnerRole.COMMITTEE, RunnerRole.PROPOSER
AGGREGATION = RunnerRole.AGGREGATOR_COMMITTEE


@pytest.mark.parametrize(
    ("role", "since_slot_ms", "until"),
    [
        (COMMITTEE, -CLOCK_STEP_MS - 1, 0),
        (COMMITTEE, -CLOCK_STEP_MS, 3),
        (COMMITTEE, 0, 3),
        (COMMITTEE, 5_999, 3),
        (COMMITTEE, 6_000, 4),
        (COMMITTEE, 19_999, 10),
        (COMMITTEE, 20_000, 11),
        (COMMITTEE, 10_000_000, 14),
        (AGGREGATION, 9_999, 3),
        (AGGREGATION, 10_000, 4),
        (PROPOSER, 0, 3),
        (PROPOSER, 1_999, 3),
        (PROPOSER, 2_000, 4),
        (PROPOSER, 10_000_000, 14),
    ],
)
def test_two_rounds_beyond_the_clocks_round(
    role: RunnerRole, since_slot_ms: int, until: int
) -> None:
    assert silent_until(role, since_slot_ms=since_slot_ms, slot_ms=12_000) == until
