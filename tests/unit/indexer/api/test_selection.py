"""Sets of operators: cheapest first, never two of one owner, and what was asked for is in them."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.api.selection import choose
from sdk.errors import InputError
from sdk.registry import Operator
from sdk.testing import builders
from sdk.types import OperatorId


def operators(*facts: tuple[int, int]) -> list[Operator]:
    """Operators 1, 2, ... of these owners with these fees."""
    return [
        replace(builders.operator(number, fee_units=fee), owner=builders.address(owner))
        for number, (owner, fee) in enumerate(facts, start=1)
    ]


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 5)), max_size=9))
def test_the_first_set_is_the_cheapest_there_is(facts: list[tuple[int, int]]) -> None:
    found = operators(*facts)
    possible = [
        sum(each.fee_units for each in chosen)
        for chosen in combinations(found, 4)
        if len({each.owner for each in chosen}) == 4
    ]
    if not possible:
        with pytest.raises(InputError, match="there are no 4 operators"):
            choose(found, size=4, sets=20)
        return
    sets = choose(found, size=4, sets=20)
    assert sets[0].fee_units == min(possible)
    assert [each.fee_units for each in sets] == sorted(each.fee_units for each in sets)
    assert len({each.ids for each in sets}) == len(sets)
    for each in sets:
        assert len({one.owner for one in each.operators}) == 4
        assert list(each.ids) == sorted(each.ids)


def test_members_that_are_wanted_are_in_every_set() -> None:
    found = operators(*((number, number) for number in range(9)))
    sets = choose(found, size=4, include=[OperatorId(9)], sets=5)
    assert sets[0].ids == (1, 2, 3, 9)
    assert len(sets) == 5
    assert all(9 in each.ids for each in sets)


@pytest.mark.parametrize("include", [[99], [1, 2]])
def test_members_that_do_not_fit_are_refused(include: list[int]) -> None:
    found = operators((1, 1), (1, 1), (2, 1), (3, 1), (4, 1))
    with pytest.raises(InputError, match="to include does not fit"):
        choose(found, size=4, include=list(map(OperatorId, include)))
