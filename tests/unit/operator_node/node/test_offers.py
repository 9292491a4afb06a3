"""What several beacon nodes offered to attest to stands in the duty's record."""

from __future__ import annotations

from typing import Any, cast

from operator_node.api import Metrics
from operator_node.beacon import Candidate
from operator_node.duties.reasons import Reason
from operator_node.engine import DutyRecord
from operator_node.node.journal import Journal
from operator_node.node.life import offers_of
from operator_node.wire.ids import RunnerRole
from operator_node.wire.values import BeaconVote, Checkpoint
from sdk.types import Epoch, OperatorId, Slot

VOTE = BeaconVote(
    bytes([1]) * 32, Checkpoint(Epoch(4), bytes([2]) * 32), Checkpoint(Epoch(5), bytes([3]) * 32)
)


class Pool:
    def __init__(self, *nodes: str) -> None:
        self.nodes = nodes

    def candidates(self, slot: Slot) -> tuple[Candidate, ...]:
        assert slot == 160
        return tuple(
            Candidate(node, "Teku/v1", VOTE, took_ms=12, was_chosen=True) for node in self.nodes
        )


def record(role: RunnerRole) -> DutyRecord:
    committee = tuple(OperatorId(number) for number in (1, 2, 3, 4))
    return DutyRecord(
        role.name, role, Slot(160), committee, (7,), 0, reason=Reason.FORK_HOLD, detail={"a": 1}
    )


def offers(role: RunnerRole, *nodes: str) -> Any:
    return offers_of(cast(Any, Pool(*nodes)), record(role)).get("offers")


def test_offers_of_several_nodes_are_facts_of_a_committees_duty() -> None:
    found = offers(RunnerRole.COMMITTEE, "a", "b")
    assert [each["node"] for each in found] == ["a", "b"]
    assert found[0] == {
        "node": "a",
        "client": "Teku/v1",
        "took_ms": 12,
        "was_chosen": True,
        "head": f"0x{'01' * 32}",
        "source": f"4/0x{'02' * 32}",
        "target": f"5/0x{'03' * 32}",
    }
    assert offers(RunnerRole.COMMITTEE, "a") is None
    assert offers(RunnerRole.PROPOSER, "a", "b") is None


def test_a_journal_adds_them_to_the_details() -> None:
    journal = Journal(None, kept_slots=100, most_bytes=10**9, metrics=Metrics())
    journal.facts_of = lambda _: {"offers": [1]}
    journal.add(record(RunnerRole.COMMITTEE))
    found = journal.named(RunnerRole.COMMITTEE.name)
    assert found is not None
    assert found.detail == {"a": 1, "offers": [1]}
    journal.close()
