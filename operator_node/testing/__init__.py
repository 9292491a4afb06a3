"""Fakes of everything around the pure rooms, and whole simulated clusters of operators.

`run(draw_plan(Choices(seed), 4), StandIns())` is one run: the seed decides a plan, the plan decides
everything else, and the report holds what the checkers found. Plans can be made by hand, too. All
of it is virtual: time, network, beacon nodes, and with `StandIns` the signatures. No product code
imports this room. See docs/simulation.md.
"""

from operator_node.testing.checkers import Violation
from operator_node.testing.choices import Choices
from operator_node.testing.clock import Timeline
from operator_node.testing.cluster import Report, Simulation, run
from operator_node.testing.drawing import draw_plan
from operator_node.testing.fake_beacon import FakeBeacon
from operator_node.testing.faults import (
    BeaconFault,
    BeaconTrouble,
    Crash,
    Liar,
    Lie,
    Links,
    Muffle,
    Partition,
    Plan,
    PlannedCluster,
    PlannedDuty,
)
from operator_node.testing.network import Network
from operator_node.testing.node import OperatorNode
from operator_node.testing.standin import RealSignatures, Signatures, StandIns
from operator_node.testing.transcript import Transcript
from operator_node.testing.world import World

__all__ = [
    "BeaconFault",
    "BeaconTrouble",
    "Choices",
    "Crash",
    "FakeBeacon",
    "Liar",
    "Lie",
    "Links",
    "Muffle",
    "Network",
    "OperatorNode",
    "Partition",
    "Plan",
    "PlannedCluster",
    "PlannedDuty",
    "RealSignatures",
    "Report",
    "Signatures",
    "Simulation",
    "StandIns",
    "Timeline",
    "Transcript",
    "Violation",
    "World",
    "draw_plan",
    "run",
]
