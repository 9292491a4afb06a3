"""A duty in hand: its session with what the engine needs beside it.

Nothing is done here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

import trio

from operator_node.duties.types import Query
from operator_node.engine.records import Draft, DutyRecord
from operator_node.scheduler.types import DutyDue
from operator_node.session import Session
from operator_node.wire.ids import MessageId, RunnerRole
from sdk.types import Slot

Place: TypeAlias = tuple[MessageId, int]
"""Message id and slot: which duty a message is of."""


@dataclass(slots=True, eq=False)
class Job:
    """One duty.

    Attributes:
        topic: of the committee, in the generation of the duty's slot.
        due: when it starts, may ask for data, and is given up.
        draft: of its record.
        over: set when its outcome is known.
        broken: this software failed at it; its session is not called any more.
        nursery: of its tasks; None before they begin and after they ended.
        asking: what beacon nodes are being asked for.
        answered: what they gave.
        told: the record as it was last written down.
    """

    session: Session
    topic: str
    due: DutyDue
    draft: Draft
    over: trio.Event = field(default_factory=trio.Event)
    broken: bool = False
    nursery: trio.Nursery | None = None
    asking: set[Query] = field(default_factory=set)
    answered: set[Query] = field(default_factory=set)
    told: DutyRecord | None = None

    @property
    def place(self) -> Place:
        """Where its messages are found."""
        return self.session.id, self.session.slot

    @property
    def role(self) -> RunnerRole:
        """The duty's role."""
        return self.session.role

    @property
    def slot(self) -> Slot:
        """The duty's slot."""
        return self.session.slot

    @property
    def is_over(self) -> bool:
        """Whether its outcome is known."""
        return self.over.is_set()

    def record(self) -> DutyRecord:
        """As it stands now."""
        consensus = self.session.consensus
        if consensus is None or not consensus.is_open(self.slot):
            return self.draft.record(round_number=0, leader=None)
        round_number = consensus.round_at(self.slot)
        leader = consensus.leader(self.slot, round_number)
        return self.draft.record(round_number=round_number, leader=leader)
