"""Runs worlds step by step from one seed, judging after every step.

A world lasts `WORLD_STEPS`; the next one has its own random numbers, drawn from the seed and its
number alone, so a failure can be replayed from its world without the worlds before it.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from random import Random

from tests.contracts.chain import Chain
from tests.contracts.evm import Evm
from tests.contracts.invariants import accounts, coalition, liveness, records, views
from tests.contracts.invariants.actions import choose
from tests.contracts.invariants.actions.clusters import liquidatable
from tests.contracts.invariants.call import Call
from tests.contracts.invariants.passing import pass_time
from tests.contracts.invariants.violation import Violation
from tests.contracts.invariants.world import Step, World

WORLD_STEPS = 1_000
PROBE_STEPS = 20
"""Liveness and path independence are tried out on a copy this often."""
SWEEP_STEPS = 100
"""Every validator record and every parameter is read this often; what a step touched, always."""
SLOW_VIEW_STEPS = 10
"""Views are read this often where each costs milliseconds."""
TRAIL = 12

EVERY_STEP: tuple[Callable[[World, Step], None], ...] = (
    accounts.i01_solvency,
    accounts.i02_healthy_solvency,
    accounts.i03_effective_balances,
    accounts.i04_counts,
    accounts.i05_commitment,
    accounts.i06_indexes,
    accounts.i07_no_liquidatable_result,
    accounts.i11_conservation,
    accounts.model_agrees,
    records.i12_fee_rules,
    records.i16_nonce,
    records.i17_no_panic,
)
ON_A_COPY: tuple[Callable[[World], None], ...] = (
    liveness.i08_liquidation_liveness,
    liveness.i09_owner_liveness,
)
IN_ONE_BLOCK: tuple[Callable[[World], None], ...] = (
    liveness.i10_operator_liveness,
    liveness.i13_path_independence,
    views.i14_views_equal_settlement,
)


@dataclass(frozen=True, slots=True)
class Scenario:
    """What sort of worlds a run consists of.

    Attributes:
        choose: the next call, when no liquidation is due.
        checks: judged after every step besides `EVERY_STEP`.
        is_diligent: every world is; else some are.
    """

    name: str
    choose: Callable[[World], Call]
    checks: tuple[Callable[[World, Step], None], ...]
    is_diligent: bool


OPEN = Scenario("open", choose, (), is_diligent=False)
COALITION = Scenario(
    "coalition", coalition.choose_apart, (coalition.i19_no_profitable_coalition,), is_diligent=True
)
SCENARIOS = {scenario.name: scenario for scenario in (OPEN, COALITION)}


@dataclass
class Report:
    """What a run did.

    Attributes:
        outcomes: how often each function succeeded or failed with which error.
        failure: the violation with everything needed to replay it, empty if there is none.
    """

    steps: int
    seconds: float
    outcomes: Counter[tuple[str, str]]
    failure: str = ""


def in_memory() -> AbstractContextManager[Chain]:
    """A chain in this process."""
    return nullcontext(Evm())


def run(
    *,
    seed: int,
    steps: int,
    first_world: int = 0,
    scenario: Scenario = OPEN,
    new_chain: Callable[[], AbstractContextManager[Chain]] = in_memory,
    say: Callable[[str], None] = lambda _: None,
    replay_options: str = "",
) -> Report:
    """Run that many steps, or until an invariant breaks.

    Args:
        seed: decides everything.
        steps: counted from the first step of `first_world`.
        first_world: world to begin with.
        scenario: who may do what.
        new_chain: opens a chain for each world.
        say: receives progress, one line per world.
        replay_options: what a replay's command needs besides scenario, seed, world and steps.
    """
    outcomes: Counter[tuple[str, str]] = Counter()
    started = time.perf_counter()
    done = 0
    while done < steps:
        number = first_world + done // WORLD_STEPS
        count = min(WORLD_STEPS, steps - done)
        rng = Random(f"{seed}/{scenario.name}/{number}")
        trail: deque[str] = deque(maxlen=TRAIL)
        place = 0
        try:
            with new_chain() as chain:
                world = World(rng, chain, is_diligent=scenario.is_diligent)
                for place in range(count):
                    step = take_step(world, scenario, place, trail)
                    done += 1
                    outcome = step.failure.name if step.failure else "success"
                    outcomes[step.call.function, outcome] += 1
        except Exception as failure:
            text = _failure(failure, scenario, seed=seed, world=number, place=place, trail=trail)
            text += replay_options
            return Report(done, time.perf_counter() - started, outcomes, text)
        say(_progress(world, number, done, steps, time.perf_counter() - started))
    return Report(done, time.perf_counter() - started, outcomes)


def take_step(world: World, scenario: Scenario, place: int, trail: deque[str]) -> Step:
    """Let time pass, make one call, judge it."""
    pass_time(world, trail)
    call = _next_call(world, scenario)
    trail.append(f"block {world.chain.block}: {call}")
    step = world.perform(call)
    for check in (*EVERY_STEP, *scenario.checks):
        check(world, step)
    is_sweep = place % SWEEP_STEPS == SWEEP_STEPS - 1
    records.i15_key_uniqueness(world, step, is_sweep=is_sweep)
    if world.chain.is_in_memory or place % SLOW_VIEW_STEPS == 0:
        views.i14_views(world, step, is_sweep=is_sweep)
    if place % PROBE_STEPS == PROBE_STEPS - 1:
        for probe in (*ON_A_COPY, *(IN_ONE_BLOCK if world.chain.is_in_memory else ())):
            trail.append(f"block {world.chain.block}: {probe.__name__} on a copy")
            probe(world)
    return step


def _next_call(world: World, scenario: Scenario) -> Call:
    due = liquidatable(world) if world.traits.is_diligent else []
    if due:
        cluster = world.rng.choice(due)
        arguments = (cluster.owner, cluster.operator_ids, cluster.snapshot)
        return Call("liquidate", world.cast.liquidator, arguments)
    return scenario.choose(world)


def _failure(
    failure: Exception, scenario: Scenario, *, seed: int, world: int, place: int, trail: deque[str]
) -> str:
    kind = "violation" if isinstance(failure, Violation) else "mistake in the harness"
    step = world * WORLD_STEPS + place
    return "\n".join(
        [
            f"{kind} at step {step} of seed {seed} (world {world}, its step {place})",
            f"  {type(failure).__name__}: {failure}",
            "  the calls that led there, the last one failing:",
            *(f"    {line}" for line in trail),
            "  replay: deploy/toolchain/run .venv-contracts/bin/python -m "
            f"tests.contracts.invariants --scenario {scenario.name} --seed {seed} --world {world} "
            f"--steps {place + 1}",
        ]
    )


def _progress(world: World, number: int, done: int, steps: int, seconds: float) -> str:
    active = sum(cluster.snapshot.active for cluster in world.follower.clusters.values())
    traits = "diligent" if world.traits.is_diligent else "careless"
    debt = world.follower.network.uncovered_debt_units
    return (
        f"world {number} ({traits}): {len(world.follower.operators)} operators, "
        f"{active}/{len(world.follower.clusters)} clusters active, "
        f"{len(world.follower.validators)} validators, debt {debt} units; "
        f"{done}/{steps} steps, {done / seconds:.0f} steps/s"
    )
