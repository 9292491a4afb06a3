"""Where a consensus that decided nothing got stuck, in the words of the closed list of reasons.

Pure. Source: docs/failure-reasons.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from operator_node.duties.outcome import reason_of_fault
from operator_node.duties.reasons import Reason
from operator_node.session.consensus import Consensus
from operator_node.wire.messages import Received
from sdk.types import OperatorId


@dataclass(frozen=True, slots=True)
class Stuck:
    """Why nothing was decided, and the facts of that."""

    reason: Reason
    detail: Mapping[str, object]


def diagnose(consensus: Consensus, slot: int) -> Stuck:
    """The furthest step that any round of a slot's consensus reached, and who was missing there.

    Args:
        consensus: its instance at `slot` has not decided.
        slot: the duty's.
    """
    state = consensus.state_at(slot)
    if state is None:
        return Stuck(Reason.NO_PROPOSAL, {"leaders": ()})
    if state.prepared_round:
        commits = state.commits.get(state.prepared_round, ())
        return Stuck(Reason.COMMIT_QUORUM_MISSING, _missing(consensus, commits))
    if state.proposals:
        latest = max(state.proposals)
        prepares = state.prepares.get(latest, ())
        return Stuck(Reason.PREPARE_QUORUM_MISSING, _missing(consensus, prepares))
    if consensus.refusals:
        latest, refusal = max(consensus.refusals.items())
        leader = consensus.leader(slot, latest)
        detail = {"why": refusal.message, "leader": leader, "round": latest}
        return Stuck(reason_of_fault(refusal.fault), detail)
    leaders = dict.fromkeys(consensus.leader(slot, r) for r in range(1, state.round + 1))
    return Stuck(Reason.NO_PROPOSAL, {"leaders": tuple(leaders)})


def _missing(consensus: Consensus, messages: Iterable[Received]) -> dict[str, object]:
    present: set[OperatorId] = set()
    for message in messages:
        present.update(message.signed.signers)
    operators = consensus.committee.operators
    return {"operators": tuple(each for each in operators if each not in present)}
