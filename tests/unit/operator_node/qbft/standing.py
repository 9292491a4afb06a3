"""Heights as they begin, and one that has decided."""

from __future__ import annotations

from operator_node.qbft import (
    Heights,
)
from tests.unit.operator_node.qbft.acting import (
    HEIGHT,
    ValueRule,
    commit,
    proposal,
    setup_of,
)

REFUSED = b"refused"


def heights_at(height: int | None = HEIGHT) -> Heights:
    heights = Heights(setup_of(2, check_value=ValueRule(refused={REFUSED})))
    if height is not None:
        heights.start(height, None)
    return heights


def decided_heights() -> Heights:
    heights = heights_at()
    for message in (proposal(), commit(1), commit(2), commit(3)):
        heights.receive(message)
    return heights
