"""Whether memory stayed bounded: what operators hold at the end of a run, counted.

A run is short, so what is looked for is growth by message: no operator may hold more than its
committee could fill by speaking once per step, round and duty, whatever liars and duplicates did.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from operator_node.qbft.tallies import Tally
from operator_node.qbft.types import State
from operator_node.testing.checkers import Violation
from operator_node.testing.desk import Job
from operator_node.testing.node import OperatorNode
from operator_node.validation.timing import LONG_CUT_OFF_ROUND
from sdk.types import OperatorId

_PER_SIGNER_AND_ROUND: Final = 2
"""Of one kind: a member's own message, and a decision among the commits."""
_RECORDS_PER_DUTY: Final = 4
"""Of one signer in gossip validation: its slot, and decided messages that grow."""
_WAITING_PER_DUTY: Final = 4 * LONG_CUT_OFF_ROUND + 3
"""Of one sender: every step of every round, two phases, and a decision."""


def find_excess(nodes: Mapping[OperatorId, OperatorNode]) -> Iterator[Violation]:
    """Stores that hold more than they may."""
    for operator, node in nodes.items():
        jobs = tuple(node.desk.jobs)
        for job in jobs:
            for what in _excess_of(job):
                yield _violation(operator, f"slot {job.key.slot}: {what}")
        # Others' duties are validated too, and a restarted operator missed its own.
        duties = len(node.world.plan.duties)
        records, waiting = node.validator.seen.records, node.desk.waiting
        if records > duties * len(nodes) * _RECORDS_PER_DUTY:
            yield _violation(operator, f"{records} records in gossip validation")
        if waiting > duties * len(nodes) * _WAITING_PER_DUTY:
            yield _violation(operator, f"{waiting} messages wait")


def _excess_of(job: Job) -> Iterator[str]:
    state = None if job.session.consensus is None else job.session.consensus.state_at(job.key.slot)
    if state is None:
        return
    most = _PER_SIGNER_AND_ROUND * len(job.cluster.committee)
    for kind, tally in _tallies(state).items():
        largest = max(map(len, tally.values()), default=0)
        if len(tally) > LONG_CUT_OFF_ROUND or largest > most:
            yield f"{kind} of {len(tally)} rounds, {largest} in one"


def _tallies(state: State) -> dict[str, Tally]:
    return {
        "proposals": state.proposals,
        "prepares": state.prepares,
        "commits": state.commits,
        "round changes": state.round_changes,
    }


def _violation(operator: OperatorId, what: str) -> Violation:
    return Violation("bounds", f"operator {operator}: {what}")
