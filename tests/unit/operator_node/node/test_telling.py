"""What a node says of itself before any beacon node has answered."""

from __future__ import annotations

from typing import Any, cast

from operator_node.api import Metrics, NodeState, Severity
from operator_node.api.absence import NOT_OPEN
from operator_node.beacon import NodeStatus
from operator_node.node.telling import Life
from tests.unit.operator_node.api.facts import DOWN


class Pool:
    clock_error_ms: int | None = None

    def status(self) -> tuple[NodeStatus, ...]:
        return (DOWN,)


def test_a_fresh_node_claims_nothing_of_duties_or_parts() -> None:
    sources = Life(cast(Any, Pool()), Metrics(), "phalanx/1").sources()
    assert sources.absence(160, 17) == NOT_OPEN
    status = sources.status()
    assert (status.state, status.failing) == (NodeState.STARTING, ("beacon_node",))
    assert Severity.GOOD not in {part.severity for part in status.parts}
