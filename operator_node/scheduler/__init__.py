"""What is due when: duties fetched by dependent root, planned by slot, handed over at their moment.

`Scheduler` asks beacon nodes for duties, hears their head events and calls back with each `DutyDue`
when it starts. It begins nothing twice and nothing of a slot that passed, and signs nothing itself.
"""

from operator_node.scheduler.loop import Beacon, Scheduler
from operator_node.scheduler.timing import Timing
from operator_node.scheduler.types import Assignment, DutyDue, Learner, Registry

__all__ = [
    "Assignment",
    "Beacon",
    "DutyDue",
    "Learner",
    "Registry",
    "Scheduler",
    "Timing",
]
