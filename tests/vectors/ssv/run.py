"""Runs every family of a specification set, a sub-test a case, on all processors.

A family that nobody here can run is a failure, never a silent gap: what is left out on purpose is
listed by name in `exclusions`.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from tests.vectors.case import Case, attempt
from tests.vectors.ssv import qbft_families, runner_families, types_families, value_families
from tests.vectors.ssv.archive import States, Vectors

Check: TypeAlias = tuple[str, Callable[[], None]]
"""A sub-test's name and what raises if it does not hold."""
Family: TypeAlias = Callable[[Vectors, States, str, dict[str, Any]], Iterator[Check]]

FAMILIES: dict[str, dict[str, Family]] = {
    "types": {**types_families.FAMILIES, **value_families.FAMILIES},
    "qbft": {**qbft_families.FAMILIES},
    "ssv": {**runner_families.FAMILIES, **value_families.FAMILIES},
}
"""By part: two parts have a family of the same name."""
FILES_PER_JOB = 4
"""Small enough that two processors finish together, large enough that archives are not reread."""


@dataclass(frozen=True, slots=True)
class Job:
    """Some files of one family, by their places in the archive."""

    folder: Path
    part: str
    family: str
    start: int


def run(folder: Path) -> Iterator[Case]:
    """One case per sub-test, named by family, file and position."""
    vectors = Vectors.open(folder)
    jobs = []
    for part, family in vectors.families():
        if family not in FAMILIES.get(part, {}):
            yield Case(f"{part}/{family}", "no code here runs this family")
            continue
        files = sum(1 for _ in vectors.files(part, family))
        jobs += [Job(folder, part, family, start) for start in range(0, files, FILES_PER_JOB)]
    with multiprocessing.get_context("spawn").Pool() as pool:
        for cases in pool.imap(run_job, jobs):
            yield from cases


def run_job(job: Job) -> list[Case]:
    """The cases of one job."""
    vectors = Vectors.open(job.folder)
    states = vectors.states(job.part, job.family)
    family = FAMILIES[job.part][job.family]
    cases: list[Case] = []
    for place, (file, data) in enumerate(vectors.files(job.part, job.family)):
        if job.start <= place < job.start + FILES_PER_JOB:
            cases += run_file(f"{job.family}/{file}", partial(family, vectors, states, file, data))
    return cases


def run_file(name: str, checks: Callable[[], Iterator[Check]]) -> Iterator[Case]:
    """The sub-tests of one file; a file that cannot be read is one failed case."""
    try:
        for position, (title, check) in enumerate(checks()):
            yield attempt(f"{name}[{position}] {title}", check)
    except Exception as problem:
        yield Case(name, f"{type(problem).__name__}: {problem}")
