"""Duties carried out: the driver that gives sessions their clock, keys, disks and peers.

`Engine` begins duties and takes what peers say; `Intake` judges their bytes before that. `Desk`
keeps the sessions, `Own` what the registry says of this operator, `Errands` does what takes time,
`History` keeps one `DutyRecord` per duty.
"""

from __future__ import annotations

from operator_node.engine.counts import Counts
from operator_node.engine.desk import Desk
from operator_node.engine.engine import Engine
from operator_node.engine.errands import Errands
from operator_node.engine.history import Filter, History
from operator_node.engine.intake import Intake
from operator_node.engine.making import Maker
from operator_node.engine.own import Own
from operator_node.engine.records import DutyRecord, Ending, Heard
from operator_node.engine.types import Policy
from operator_node.engine.workers import Threads, turn_often

__all__ = [
    "Counts",
    "Desk",
    "DutyRecord",
    "Ending",
    "Engine",
    "Errands",
    "Filter",
    "Heard",
    "History",
    "Intake",
    "Maker",
    "Own",
    "Policy",
    "Threads",
    "turn_often",
]
