"""Numbers and bytes as the subgraph writes them."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import GraphQLError

from indexer.graphql.scalars import read_big_int, read_bytes, write_big_int, write_bytes


@pytest.mark.parametrize("number", [0, -5, 2**256 - 1])
def test_numbers_are_decimal_text(number: int) -> None:
    assert write_big_int(number) == str(number)
    assert read_big_int(str(number)) == read_big_int(number) == number


@pytest.mark.parametrize("wrong", ["", "-", "1.5", "0x1", "1e3", "٣", True, 1.0, None, "9" * 80])
def test_what_is_no_number_is_refused(wrong: Any) -> None:
    with pytest.raises(GraphQLError):
        read_big_int(wrong)


def test_bytes_are_lower_case_hex() -> None:
    assert write_bytes(b"\xab\x00") == "0xab00"
    assert write_bytes("0xab00") == "0xab00"
    assert read_bytes("0xAB00") == read_bytes("ab00") == b"\xab\x00"
    assert write_bytes(b"") == "0x"


@pytest.mark.parametrize("wrong", ["0xa", "0xzz", 12, None, "0x" + "00" * 5_000])
def test_what_is_no_hex_is_refused(wrong: Any) -> None:
    with pytest.raises(GraphQLError):
        read_bytes(wrong)


@pytest.mark.parametrize("wrong", [True, "1", 1.5, None])
def test_only_numbers_are_written_as_numbers(wrong: Any) -> None:
    with pytest.raises(GraphQLError):
        write_big_int(wrong)
