"""Who leads the rounds of the slot that the engine's tests of faults are about."""

from __future__ import annotations

from operator_node.qbft import leader_boole
from operator_node.wire.generations import Generation
from tests.unit.operator_node.engine.surroundings import COMMITTEE, SLOTS

SLOT = SLOTS[Generation.BOOLE]
LEADERS = [leader_boole(COMMITTEE, SLOT, each) for each in range(1, 5)]
