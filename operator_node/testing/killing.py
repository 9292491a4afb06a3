"""A plan in which one operator is killed once, at any instant, and nothing else goes wrong.

Pure; all chance comes from `Choices`. The operator is back after some seconds with its slashing
record and nothing else, as a process that was killed with -9 is.
"""

from __future__ import annotations

from typing import Final

from operator_node.testing.choices import Choices
from operator_node.testing.faults import (
    SLOT_MS,
    SLOTS_PER_EPOCH,
    Crash,
    Links,
    Plan,
    PlannedCluster,
    slot_start_ms,
)
from operator_node.testing.schedules import SLOTS, draw_duties
from sdk.types import Epoch, OperatorId, Slot

FIRST_SLOT: Final = Slot(4 * SLOTS_PER_EPOCH)
"""Late enough for a source and a target behind it."""
OPERATORS: Final = tuple(OperatorId(each) for each in (1, 2, 3, 4))
VALIDATORS: Final = (100, 101, 102)
SHORTEST_MS: Final = 2_000
LONGEST_MS: Final = SLOT_MS
"""Until the operator is back: what a start takes, on a machine that is idle or busy."""
LINKS: Final = Links(fastest_ms=1, slowest_ms=60)


def killed_plan(seed: int) -> Plan:
    """The plan of a seed: duties over some slots, and one kill among them."""
    choices = Choices(seed)
    random = choices.of("kill")
    from_ms = random.randrange(slot_start_ms(FIRST_SLOT), slot_start_ms(FIRST_SLOT + SLOTS))
    until_ms = from_ms + random.randrange(SHORTEST_MS, LONGEST_MS)
    return Plan(
        seed=seed,
        story="killed",
        clusters=(PlannedCluster(OPERATORS, VALIDATORS),),
        first_slot=FIRST_SLOT,
        slots=SLOTS,
        boole=Epoch(0),
        duties=draw_duties(choices.of("duties"), FIRST_SLOT, Epoch(0), VALIDATORS),
        calm_ms=0,
        links=LINKS,
        crashes=(Crash(random.choice(OPERATORS), from_ms, until_ms, keeps_state=False),),
    )
