"""Whatever happens to machines, clocks and the shared disk: never two that sign."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from operator_node.signer.evidence import find_contradictions
from operator_node.signer.rules import History
from tests.unit.operator_node.lease.instances import Faults, World

STEPS = 4_000
SEEDS = 3
CALM = Faults()
WHAT_HAPPENS = {
    "nothing": CALM,
    "pauses": Faults(pause=0.01, apart_ms=400),
    "kills": Faults(kill=0.004, apart_ms=400),
    "a slow disk": Faults(slow_disk=0.05, disk_error=0.02),
    "clocks that run differently fast": Faults(fastest=1.2, pause=0.01, apart_ms=400),
    "everything": Faults(
        pause=0.01, kill=0.002, slow_disk=0.02, disk_error=0.02, fastest=1.2, apart_ms=400
    ),
}


def at_most_one_may_sign(world: World) -> None:
    holders = [each.name for each in world.instances if each.lease.is_held()]
    assert len(holders) <= 1, f"seed {world.seed}: {holders} at {world.now_ms:.0f} ms"


def look_away(world: World) -> None:
    """For machines whose clocks stand still: they cannot know, and what they sign is checked."""


def assert_nothing_slashable(world: World) -> None:
    signed = History()
    for each in world.emitted:
        signed = signed.recording(each.guard)
    assert list(find_contradictions(signed)) == [], f"seed {world.seed}"


def run(faults: Faults, seed: int, check: Callable[[World], None] = at_most_one_may_sign) -> World:
    world = World(seed, faults)
    world.run(STEPS, check)
    assert_nothing_slashable(world)
    return world


@pytest.mark.parametrize("what", WHAT_HAPPENS)
def test_never_two_sign(what: str) -> None:
    worlds = [run(WHAT_HAPPENS[what], seed) for seed in range(SEEDS)]
    assert all(world.emitted for world in worlds)
    # Instances gave the lease back now and then, so that others took over.
    assert sum(world.takeovers for world in worlds) > len(worlds)


def test_machines_that_stood_still_sign_nothing_slashable_when_they_go_on() -> None:
    worlds = [run(Faults(freeze=0.004, apart_ms=400), seed, look_away) for seed in range(2 * SEEDS)]
    assert min(len(world.emitted) for world in worlds) > 10


def test_without_faults_the_lease_moves_only_when_it_is_given_back() -> None:
    world = World(1, CALM)
    world.run(STEPS, at_most_one_may_sign)
    assert world.takeovers < 20
