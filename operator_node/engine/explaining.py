"""What the engine knows better than a duty about why it failed: who was connected at all.

Pure. Source: docs/failure-reasons.md.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace

from operator_node.duties.reasons import Reason, Whose
from operator_node.duties.types import DutyOutcome
from operator_node.wire.committee import Committee
from sdk.types import OperatorId


def explain(outcome: DutyOutcome, committee: Committee, present: Set[OperatorId]) -> DutyOutcome:
    """The outcome; `PEERS_MISSING` if co-operators failed the duty who were not even connected.

    Args:
        outcome: as the duty tells it.
        committee: of the duty.
        present: this operator and those connected when the duty ended.
    """
    absent = tuple(each for each in committee.operators if each not in present)
    is_theirs = outcome.reason.whose is Whose.CO_OPERATOR
    if not is_theirs or len(committee) - len(absent) >= committee.quorum:
        return outcome
    detail = {**outcome.detail, "operators": absent, "led_to": outcome.reason.word}
    return replace(outcome, reason=Reason.PEERS_MISSING, detail=detail)


def first_of(error: BaseException) -> BaseException:
    """What a task raised, out of the groups that nurseries make."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
