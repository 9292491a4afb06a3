"""When which operator's node is killed: drawn from a seed, so that a run can be had again."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

LEAST_GAP_S = 2.5
MOST_GAP_S = 5.0
"""From one kill to the next. A node needs four to seven seconds to its next duty, so that mostly
three of four live, and now and then two."""


@dataclass(frozen=True, slots=True)
class Kill:
    """One kill.

    Attributes:
        after_s: from the first one on.
        place: of the node among the network's.
    """

    after_s: float
    place: int


def draw_kills(seed: int, *, count: int, nodes: int) -> tuple[Kill, ...]:
    """Kills at random instants. Each round takes every node once, in random order."""
    random = Random(seed)
    kills: list[Kill] = []
    at_s = 0.0
    while len(kills) < count:
        for place in random.sample(range(nodes), nodes):
            kills.append(Kill(at_s, place))
            at_s += random.uniform(LEAST_GAP_S, MOST_GAP_S)
    return tuple(kills[:count])
