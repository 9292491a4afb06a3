"""Parameters of the v4 API, without a database."""

from __future__ import annotations

from typing import Any, cast

import pytest

from indexer.compat.asking import Asked, network_name, read_operator_id
from indexer.queries.reading import View
from indexer.queries.v4 import Found, Part
from sdk.errors import InputError


def asked(**given: str) -> Asked:
    return Asked(cast(View, None), "hoodi", given)


def test_networks_have_their_usual_names_and_others_their_id() -> None:
    assert [network_name(each) for each in (1, 560_048, 31_337)] == ["mainnet", "hoodi", "31337"]


def test_pages_begin_at_one_and_end_at_ten_thousand_rows() -> None:
    assert asked().part() == Part(1, 10)
    assert asked(page="100", perPage="100").part() == Part(100, 100)
    for page, size in ((0, 10), (1, 0), (1, 101), (101, 100)):
        with pytest.raises(InputError, match="out of bounds"):
            Part(page, size)


def test_pagination_counts_from_one() -> None:
    found = Found(("a", "b"), 12)
    assert asked(network="x").pagination(found, Part(2, 10)) == {
        "total": 12,
        "pages": 2,
        "per_page": 10,
        "page": 2,
        "current_first": 11,
        "current_last": 12,
        "has_next_page": False,
    }
    empty: Found[Any] = Found((), 0)
    told = asked().pagination(empty, Part())
    assert (told["pages"], told["current_first"], told["current_last"]) == (0, 0, 0)


def test_lists_ranges_and_flags() -> None:
    assert asked(id="1,,2").listed("id", read_operator_id) == [1, 2]
    assert asked().listed("id", read_operator_id) == []
    assert asked(fee="3,9").range("fee") == (3, 9)
    assert asked().range("fee") is None
    assert [asked(a=text).flag("a") for text in ("true", "false", "maybe")] == [True, False, None]
    for wrong in ("1", "1,2,3", "a,b", "-1,2"):
        with pytest.raises(InputError):
            asked(fee=wrong).range("fee")
    with pytest.raises(InputError, match="at most"):
        asked(id=",".join("1" * 101)).listed("id", read_operator_id)
