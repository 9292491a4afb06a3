"""Values as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from indexer.explorer.figures import (
    amount_text,
    axis_text,
    blocks_text,
    column_texts,
    date_text,
    ether_text,
    in_ether,
    moment,
    moment_text,
    short,
    span_text,
    yearly_wei,
)

ETHER = 10**18


@pytest.mark.parametrize(
    ("wei", "shown"),
    [
        (0, ("0", "ETH")),
        (1, ("1", "wei")),
        (999_999, ("999999", "wei")),
        (1_000_000, ("0.001", "gwei")),
        (1_770_000_000, ("1.77", "gwei")),
        (99_999 * 10**9, ("99,999", "gwei")),
        (ETHER // 10_000, ("0.0001", "ETH")),
        (123_456_789_012_345_678, ("0.1234", "ETH")),
        (1_234_567_890_123_456_789, ("1.2345", "ETH")),
        (32 * ETHER, ("32", "ETH")),
        (1_234_567 * ETHER + ETHER * 999 // 1000, ("1,234,567.99", "ETH")),
        (-ETHER // 2, ("-0.5", "ETH")),
    ],
)
def test_amounts_are_short_and_never_more_than_there_is(wei: int, shown: tuple[str, str]) -> None:
    assert amount_text(wei) == shown
    assert amount_text(str(wei)) == shown


@pytest.mark.parametrize(
    ("wei", "shown"),
    [
        (0, "0"),
        (1, "0.000000000000000001"),
        (14_717_646_400_000_000, "0.0147176464"),
        (1_234 * ETHER + ETHER // 2, "1,234.5"),
        (-ETHER // 2, "-0.5"),
    ],
)
def test_what_is_to_be_paid_is_shown_to_the_wei(wei: int, shown: str) -> None:
    assert ether_text(wei) == ether_text(str(wei)) == shown


@given(some.lists(some.integers(0, 10**24), min_size=1, max_size=15), some.sampled_from([9, 18]))
def test_the_parts_of_a_column_add_up_to_the_sum_below_it(parts: list[int], digits: int) -> None:
    shown = column_texts([*parts, sum(parts)], 10**digits)
    values = [Decimal(each.replace(",", "")) for each in shown]
    assert sum(values[:-1]) == values[-1] == Decimal(sum(parts)).scaleb(-digits)
    assert len({len(each.partition(".")[2]) for each in shown}) == 1


def test_a_column_has_no_more_decimals_than_it_needs() -> None:
    assert column_texts([12_744 * 10**9, 25_566_480 * 10**6], 10**9) == ["12,744.00", "25,566.48"]
    assert column_texts([ETHER, 2 * ETHER], ETHER) == ["1", "2"]


def test_amounts_in_the_texts_of_the_api_are_said_in_ether() -> None:
    assert in_ether(
        "99000000000000000000 wei cannot be withdrawn: at most 120000000000000 wei"
    ) == ("99 ETH cannot be withdrawn: at most 0.00012 ETH")
    assert in_ether("5 wei of 3 blocks") == "5 wei of 3 blocks"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-5, "0 seconds"),
        (1, "1 second"),
        (59, "59 seconds"),
        (60, "1 minute"),
        (3_661, "1 hour 1 minute"),
        (86_400 * 3 + 59, "3 days"),
        (86_400 * 3 + 3_600 * 4, "3 days 4 hours"),
        (86_400 * 366, "1 year 1 day"),
        (31_536_000 + 3_600, "1 year"),
    ],
)
def test_spans_have_at_most_two_units_next_to_each_other(seconds: int, shown: str) -> None:
    assert span_text(seconds) == shown


def test_blocks_last_twelve_seconds_each() -> None:
    assert blocks_text(7_200) == "1 day"


def test_a_fee_per_block_is_told_per_year() -> None:
    assert yearly_wei("1770000000") == 1_770_000_000 * 2_628_000


def test_a_short_axis_tells_the_time_of_day_and_a_long_one_does_not() -> None:
    start = int(datetime(2026, 1, 31, 12, 0, tzinfo=UTC).timestamp())
    assert axis_text(start, start + 7_200)(start) == "31 Jan 2026, 12:00 UTC"
    assert axis_text(start, start + 3 * 86_400)(start) == "31 Jan 2026"
    assert axis_text(None, start)(start) == "31 Jan 2026"
    assert axis_text(start, start + 60)(None) == "at the start"


def test_long_names_keep_both_ends_and_short_ones_all() -> None:
    assert short("0x52908400098527886E0F7030069857D2E4169EE7") == "0x5290…9EE7"
    assert short("0x123456789") == "0x123456789"
    assert short(None) == ""


def test_times_of_every_origin_are_the_same_moment() -> None:
    wanted = datetime(2026, 1, 31, 12, 0, 11, tzinfo=UTC)
    there = wanted.astimezone(timezone(timedelta(hours=5)))
    given: list[int | str | datetime] = [int(wanted.timestamp()), "2026-01-31T12:00:11Z", there]
    assert [moment(each) for each in given] == [wanted] * 3
    assert moment(None) is None
    assert moment_text(wanted) == "31 Jan 2026, 12:00 UTC"
    assert date_text(int(wanted.timestamp())) == "31 Jan 2026"
    assert date_text(None) == "at the start"
