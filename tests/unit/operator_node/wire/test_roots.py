"""Roots against an independent SSZ implementation; contents at random are in tests/property.

Annotations are not postponed here: the library reads a container's fields from them.
"""

import pytest
from msgspec.structs import replace

from operator_node.spec.ssz import MalformedSsz
from operator_node.wire.generations import Generation
from operator_node.wire.roots import Encodable, root_of
from sdk.errors import UsageError
from tests.unit.operator_node.wire import wire_oracle
from tests.unit.operator_node.wire.examples import (
    AGGREGATES,
    DUTY,
    ENVELOPE,
    MEMBER,
    OPERATOR,
    PARTIAL,
    PARTIALS,
    PREPARE,
    SHARE,
    SIGNED,
    VALUE,
    VOTE,
)

JUSTIFIED = replace(PREPARE, round_change_justification=(b"a",), prepare_justification=(b"b", b""))


@pytest.mark.parametrize("generation", Generation)
@pytest.mark.parametrize(
    "value",
    [
        SIGNED,
        ENVELOPE,
        PREPARE,
        JUSTIFIED,
        PARTIALS,
        VOTE,
        DUTY,
        VALUE,
        AGGREGATES,
        SHARE,
        OPERATOR,
        MEMBER,
    ],
    ids=lambda value: type(value).__name__,
)
def test_roots_are_those_of_an_independent_implementation(
    value: Encodable, generation: Generation
) -> None:
    assert root_of(value, generation) == wire_oracle.root(value, generation)


def test_the_limit_of_partial_signatures_shapes_the_root() -> None:
    assert root_of(PARTIALS, Generation.ALAN) != root_of(PARTIALS, Generation.BOOLE)


def test_what_has_no_encoding_or_is_over_a_limit_has_no_root() -> None:
    with pytest.raises(UsageError):
        root_of(replace(PREPARE, root=b""), Generation.BOOLE)
    many = replace(PARTIALS, items=(PARTIAL,) * 1513)
    assert len(root_of(many, Generation.BOOLE)) == 32
    with pytest.raises(MalformedSsz):
        root_of(many, Generation.ALAN)
