"""Cursors come back as they were written, and only to the same question."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.api.paging import MOST_CHARACTERS, Cursor, read_cursor, write_cursor
from sdk.errors import InputError
from sdk.types import BlockNumber

keys = st.lists(st.one_of(st.integers(-(2**70), 2**70), st.binary(max_size=48)), max_size=4)
blocks = st.integers(0, 2**63 - 1)


@given(
    question=st.text(max_size=60),
    block=blocks,
    block_hash=st.none() | st.binary(min_size=32, max_size=32),
    key=keys,
)
def test_a_cursor_comes_back_as_it_was_written(
    question: str, block: int, block_hash: bytes | None, key: list[int | bytes]
) -> None:
    text = write_cursor(question, block=BlockNumber(block), block_hash=block_hash, key=tuple(key))
    assert len(text) <= MOST_CHARACTERS
    expected = Cursor(BlockNumber(block), (block_hash or b"")[:8], tuple(key))
    assert read_cursor(question, text) == expected


@given(block=blocks, key=keys, place=st.integers(0, 500), letter=st.sampled_from("AZaz09-_é "))
def test_a_changed_cursor_is_refused(
    block: int, key: list[int | bytes], place: int, letter: str
) -> None:
    text = write_cursor("q", block=BlockNumber(block), block_hash=None, key=tuple(key))
    place %= len(text) - 1  # the last letter may hold bits of no byte
    changed = text[:place] + letter + text[place + 1 :]
    if changed == text:
        return
    with pytest.raises(InputError, match="not one of this list"):
        read_cursor("q", changed)


@pytest.mark.parametrize("text", ["", "A", "AAAA", "AAAAAAAAAAA", "x" * 600, "é", "a b", "AAA="])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="not one of this list"):
        read_cursor("q", text)


def test_a_cursor_is_bound_to_its_question() -> None:
    text = write_cursor("/v1/a?x=1", block=BlockNumber(5), block_hash=None, key=(1,))
    with pytest.raises(InputError) as refused:
        read_cursor("/v1/a?x=2", text)
    assert refused.value.code == "cursor_invalid"
