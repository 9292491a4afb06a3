"""One case of a vector set and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Case:
    """`problem` is empty for a pass; `count` is above 1 only for cases that were not run."""

    name: str
    problem: str = ""
    was_run: bool = True
    count: int = 1


Run: TypeAlias = Callable[[Path], Iterator[Case]]


def attempt(name: str, check: Callable[[], None]) -> Case:
    """A case that passes if `check` returns; any exception is its problem."""
    try:
        check()
    except Exception as problem:
        return Case(name, f"{type(problem).__name__}: {problem}")
    return Case(name)


def expect(actual: object, wanted: object, what: str) -> None:
    """Fails the case unless both are equal."""
    if actual != wanted:
        raise AssertionError(f"{what}: {str(actual)[:120]!r} instead of {str(wanted)[:120]!r}")
