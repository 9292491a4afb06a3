from __future__ import annotations

import pytest

from sdk.errors import InputError
from sdk.units import (
    fee_units_per_block_down,
    format_ether,
    format_gwei,
    gwei_down,
    parse_ether,
    parse_gwei,
    units_down,
    units_exact,
    units_to_wei,
    units_up,
    wei_per_year,
)


@pytest.mark.parametrize(
    ("wei", "down", "up"),
    [(0, 0, 0), (1, 0, 1), (99_999, 0, 1), (100_000, 1, 1), (100_001, 1, 2)],
)
def test_credits_round_down_and_debits_round_up(wei: int, down: int, up: int) -> None:
    assert units_down(wei) == down
    assert units_up(wei) == up


def test_an_exact_amount_must_be_a_multiple_of_the_unit() -> None:
    assert units_exact(300_000) == 3
    assert units_to_wei(3) == 300_000
    with pytest.raises(InputError, match="nearest are 300000 and 400000") as failure:
        units_exact(300_001)
    assert failure.value.code == "not_whole_units"


@pytest.mark.parametrize(
    ("text", "wei"),
    [
        ("0", 0),
        ("1", 10**18),
        ("1.5", 15 * 10**17),
        ("0.000000000000000001", 1),
        (
            "115792089237316195423570985008687907853269984665640564039457.584007913129639935",
            2**256 - 1,
        ),
    ],
)
def test_ether_text_is_exact_both_ways(text: str, wei: int) -> None:
    assert parse_ether(text) == wei
    assert format_ether(wei) == text


def test_trailing_zeros_are_dropped_and_signs_kept_when_formatting() -> None:
    assert format_ether(parse_ether("1.500")) == "1.5"
    assert format_ether(-1) == "-0.000000000000000001"
    assert format_gwei(1_500_000_000) == "1.5"
    assert gwei_down(1_999_999_999) == 1


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", "1e3", "1,5", ".5", "1.", " 1", "1_0", "0x1", "1.0000000000000000001"]
)
def test_text_that_is_no_plain_decimal_is_refused(text: str) -> None:
    with pytest.raises(InputError) as failure:
        parse_ether(text)
    assert failure.value.code == "amount_malformed"


def test_gwei_text_has_at_most_nine_decimals() -> None:
    assert parse_gwei("0.000000001") == 1
    with pytest.raises(InputError):
        parse_gwei("0.0000000001")


def test_overlong_text_is_refused_unread() -> None:
    with pytest.raises(InputError):
        parse_ether("1" * 97)


def test_a_yearly_fee_per_block_never_adds_up_to_more_than_the_year() -> None:
    yearly, blocks = 10**16, 2_613_400
    units = fee_units_per_block_down(yearly, blocks_per_year=blocks)
    assert wei_per_year(units_to_wei(units), blocks_per_year=blocks) <= yearly
    assert wei_per_year(units_to_wei(units + 1), blocks_per_year=blocks) > yearly
    with pytest.raises(InputError):
        fee_units_per_block_down(yearly, blocks_per_year=0)
