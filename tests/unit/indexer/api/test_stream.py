"""Topics and places of streams, as clients write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.api.stream import parse_place, parse_topics, write_place
from indexer.queries.feed import NO_REORG, Place, Topics
from sdk.errors import InputError
from sdk.testing import builders
from sdk.types import BlockNumber, checksum_address

numbers = st.integers(0, 2**63 - 1)


@given(numbers, numbers, numbers)
def test_a_place_comes_back_from_its_id(block: int, log_index: int, reorg: int) -> None:
    place = Place(BlockNumber(block), log_index, reorg)
    assert parse_place(write_place(place)) == place


def test_an_id_without_reorganisation_is_taken() -> None:
    assert parse_place("7:3") == Place(BlockNumber(7), 3, NO_REORG)


@pytest.mark.parametrize("text", ["", "7", "7:", "7:x", "-1:2", "1:2:3:4", "1:" + "9" * 19, "٣:1"])
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="no id of a message"):
        parse_place(text)


def test_topics_are_read_as_written() -> None:
    owner = builders.address(1)
    key = builders.public_key(1)
    text = f"blocks, operator:7,operator:8,owner:{checksum_address(owner)},validator:{key.hex()}"
    assert parse_topics(text) == Topics(
        blocks=True,
        operators=frozenset(builders.operator_ids(7, 8)),
        owners=frozenset({owner}),
        validators=frozenset({key}),
    )


@pytest.mark.parametrize(
    "text", ["", ",", "gossip", "operator", "operator:x", "owner:0x12", "a:b", "events," * 51]
)
def test_unknown_topics_are_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_topics(text)
