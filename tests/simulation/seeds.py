"""Seeds to outcomes: one after the other, or in several processes; and one seed in full."""

from __future__ import annotations

import gc
import multiprocessing
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from operator_node.testing.choices import Choices
from operator_node.testing.cluster import Simulation
from operator_node.testing.drawing import draw_plan
from operator_node.testing.standin import RealSignatures, Signatures, StandIns

SIZES = (4, 7, 10, 13)
SIZE_WEIGHTS = (80, 12, 5, 3)
"""Small committees are most of the network, and find most faults in the least time."""
BATCH = 25
"""Seeds that a process runs between two reports."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a seed came to.

    Attributes:
        findings: one line per violation; an exception counts as one.
        seconds: that it took.
    """

    seed: int
    size: int
    story: str
    findings: tuple[str, ...]
    safety: int
    liveness: int
    duties: int
    owed: int
    done: int
    events: int
    seconds: float
    transcript: str = ""

    @property
    def command(self) -> str:
        """What runs this seed again, with its transcript."""
        return f"make sim SEED={self.seed} SEEDS=1 N={self.size}"


def size_of(seed: int) -> int:
    """The committee size of a seed for which none is asked."""
    return Choices(seed).of("size").choices(SIZES, SIZE_WEIGHTS)[0]


def run_seed(
    seed: int, size: int | None = None, *, real: bool = False, with_transcript: bool = False
) -> Outcome:
    """One seed, judged. Whatever a room raises is a finding of the seed."""
    size = size or size_of(seed)
    started = time.perf_counter()
    plan = draw_plan(Choices(seed), size)
    signatures: Signatures = RealSignatures() if real else StandIns()
    simulation = Simulation(plan, signatures, with_transcript=with_transcript)
    transcript = simulation.transcript
    try:
        report = simulation.run()
    except Exception:
        told = traceback.format_exc(limit=-8)
        if transcript is not None:
            transcript.note("end", told)
        text = "" if transcript is None else transcript.text()
        return Outcome(
            seed, size, plan.story, (told,), 1, 0, len(plan.duties), 0, 0, 0,
            time.perf_counter() - started, text,
        )  # fmt: skip
    simulation.take_apart()
    findings = tuple(
        f"{'safety' if found.is_safety else 'liveness'}: {found.rule} at {at_ms} ms: {found.text}"
        for at_ms, found in report.violations
    )
    if transcript is not None:
        for finding in findings:
            transcript.note("end", finding)
    return Outcome(
        seed=seed,
        size=size,
        story=plan.story,
        findings=findings,
        safety=report.safety,
        liveness=report.liveness,
        duties=len(plan.duties),
        owed=report.owed,
        done=report.done,
        events=report.events,
        seconds=time.perf_counter() - started,
        transcript="" if transcript is None else transcript.text(),
    )


def replay(seed: int, size: int | None = None, *, real: bool = False) -> Outcome:
    """One seed with its transcript."""
    return run_seed(seed, size, real=real, with_transcript=True)


def run_seeds(
    seeds: range, size: int | None = None, *, real: bool = False, processes: int = 1
) -> Iterator[Outcome]:
    """Outcomes, in the order of the seeds."""
    batches = [seeds[at : at + BATCH] for at in range(0, len(seeds), BATCH)]
    run = partial(_run_batch, size=size, real=real)
    if processes == 1:
        for batch in batches:
            yield from run(batch)
        return
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        for outcomes in pool.imap(run, batches):
            yield from outcomes


def _run_batch(seeds: range, size: int | None, real: bool) -> list[Outcome]:
    # A run is full of cycles that die with it; looking for them meanwhile costs a tenth. One look
    # after each run, at what is new since the last, lets the next one use the same memory. What was
    # there before is frozen.
    gc.disable()
    gc.freeze()
    outcomes = []
    try:
        for seed in seeds:
            outcomes.append(run_seed(seed, size, real=real))
            gc.collect(0)
    finally:
        gc.enable()
        gc.unfreeze()
    return outcomes
