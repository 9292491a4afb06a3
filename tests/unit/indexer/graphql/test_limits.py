"""How long a question may be, without a database."""

from __future__ import annotations

from itertools import pairwise

import pytest
from graphql import GraphQLError, get_introspection_query, parse

from indexer.graphql.limits import MOST_DEPTH, MOST_FIELDS, MOST_ROOTS, MOST_TOKENS, check


def nested(depth: int) -> str:
    return "{ a " * depth + "{ id }" + " }" * depth


def test_a_full_introspection_fits() -> None:
    check(parse(get_introspection_query(), max_tokens=MOST_TOKENS))


@pytest.mark.parametrize(
    ("text", "is_refused"),
    [
        (nested(MOST_DEPTH - 1), False),
        (nested(MOST_DEPTH), True),
        ("{ a { " + "b " * (MOST_FIELDS - 1) + "} }", False),
        ("{ a { " + "b " * MOST_FIELDS + "} }", True),
        ("{ " + "a " * MOST_ROOTS + "}", False),
        ("{ " + "a " * (MOST_ROOTS + 1) + "}", True),
        ("{ ... on Query { " + "a " * (MOST_ROOTS + 1) + "} }", True),
        ("{ ...f } fragment f on Query { " + "a " * (MOST_ROOTS + 1) + "}", True),
        ("{ ...f } fragment f on Query " + nested(MOST_DEPTH), True),
        ("{ ...f } fragment f on Query { ...f a }", False),
        ("{ ...unknown }", False),
    ],
)
def test_fields_roots_and_depth_are_bounded(text: str, is_refused: bool) -> None:
    document = parse(text)
    if is_refused:
        with pytest.raises(GraphQLError):
            check(document)
    else:
        check(document)


def test_fragments_that_double_each_time_are_measured_quickly() -> None:
    names = [f"f{number}" for number in range(60)]
    links = pairwise(names)
    fragments = [f"fragment {this} on A {{ ...{then} ...{then} }}" for this, then in links]
    text = " ".join(["{ a { ...f0 } }", *fragments, f"fragment {names[-1]} on A {{ id }}"])
    with pytest.raises(GraphQLError, match="fields"):
        check(parse(text))
