"""Which operators to choose: sets that fit a wish, the cheapest first.

Pure. Operators of one owner fail together, so a set never has two of one owner.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, combinations
from typing import Final

from sdk.errors import InputError
from sdk.registry import Operator
from sdk.types import OperatorId

MOST_SETS: Final = 20
MOST_CANDIDATES: Final = 200
"""The cheapest ones; dearer ones are in no set that anybody is shown."""


@dataclass(frozen=True, slots=True)
class OperatorSet:
    """Operators that fit together, ascending by id."""

    operators: tuple[Operator, ...]

    @property
    def fee_units(self) -> int:
        """Sum of their fees."""
        return sum(each.fee_units for each in self.operators)

    @property
    def ids(self) -> tuple[OperatorId, ...]:
        """Ascending."""
        return tuple(each.operator_id for each in self.operators)


def choose(
    candidates: Iterable[Operator],
    *,
    size: int,
    include: Collection[OperatorId] = (),
    sets: int = 1,
) -> list[OperatorSet]:
    """Up to so many different sets, the cheapest first.

    Beside the cheapest one: those that come of doing without one or two of its members.

    Args:
        candidates: operators that would all do.
        size: operators of a set.
        include: members of every set.
        sets: most sets.

    Raises:
        InputError: `operators_too_few`, `operators_unfit`.
    """
    ranked = sorted(candidates, key=lambda each: (each.fee_units, each.operator_id))
    fixed = [each for each in ranked if each.operator_id in include]
    if len(fixed) != len(set(include)) or len({each.owner for each in fixed}) != len(fixed):
        raise InputError(
            "an operator to include does not fit, or two of them have one owner",
            code="operators_unfit",
        )
    free = [each for each in ranked if each.operator_id not in include][:MOST_CANDIDATES]
    best = _greedy(fixed, free, size)
    if best is None:
        raise InputError(
            f"there are no {size} operators of different owners that fit",
            code="operators_too_few",
            hint="Ask for less: a smaller set, a higher fee, fewer validators.",
        )
    optional = [each for each in best if each.operator_id not in include]
    found: dict[tuple[OperatorId, ...], OperatorSet] = {}
    for without in chain([()], combinations(optional, 1), combinations(optional, 2)):
        left = [each for each in free if each not in without]
        members = _greedy(fixed, left, size)
        if members is not None:
            made = OperatorSet(tuple(sorted(members, key=lambda each: each.operator_id)))
            found.setdefault(made.ids, made)
    return sorted(found.values(), key=lambda each: (each.fee_units, each.ids))[:sets]


def _greedy(
    fixed: Sequence[Operator], ranked: Sequence[Operator], size: int
) -> list[Operator] | None:
    """The first ones of different owners, None if there are too few."""
    members = list(fixed)
    owners = {each.owner for each in members}
    for each in ranked:
        if len(members) == size:
            break
        if each.owner not in owners:
            members.append(each)
            owners.add(each.owner)
    return members if len(members) == size else None
