"""What the engine counts, for metrics and status; every key is of a closed list or an own member.

Nothing is done here.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from operator_node.duties.reasons import Reason
from operator_node.duties.types import Step
from operator_node.wire.faults import Fault
from operator_node.wire.ids import RunnerRole
from sdk.types import OperatorId


@dataclass(slots=True)
class Counts:
    """Totals since the start.

    Attributes:
        outcomes: ends of duties.
        steps: steps reached.
        faults: what sessions complained of; many are harmless, such as messages that came late.
        blamed: by operator, faults that follow from what it signed.
        culprits: by operator, partial signatures that do not verify.
        taken: messages that were delivered to sessions.
        dropped: messages that found the queue full.
        unsent: own messages that found the queue full or no peer.
        failures: exceptions that ended a duty or interrupted a task: faults of this software, or
            of a disk.
    """

    outcomes: Counter[tuple[RunnerRole, Reason]] = field(default_factory=Counter)
    steps: Counter[tuple[RunnerRole, Step]] = field(default_factory=Counter)
    faults: Counter[Fault] = field(default_factory=Counter)
    blamed: Counter[OperatorId] = field(default_factory=Counter)
    culprits: Counter[OperatorId] = field(default_factory=Counter)
    taken: int = 0
    dropped: int = 0
    unsent: int = 0
    failures: int = 0
