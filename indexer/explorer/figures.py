"""Values as people read them: amounts, counts, names cut short, times and spans of blocks.

Pure. What is shown short is always rounded towards less money, and the exact value stands beside it
in the page (`templates/macros.html`). What people are to pay, and parts beside their sum, are shown
exactly. Source: docs/fees.md for units.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from sdk.units import WEI_PER_ETHER, WEI_PER_GWEI, format_ether

BLOCK_S: Final = 12
"""A slot; estimates of time take every slot to have a block."""
BLOCKS_PER_YEAR: Final = 365 * 86_400 // BLOCK_S
_SHOWN_DIGITS: Final = 4
"""Significant digits of small amounts; more do not help to compare."""
_LEAST_ETHER_WEI: Final = WEI_PER_ETHER // 10_000
"""Below this, gwei are easier to read than zeros."""
_LONG_WEI: Final = re.compile(r"\b([0-9]{7,}) wei\b")
"""So many wei that nobody can read them."""
_SHORT_AXIS_S: Final = 3 * 86_400
"""Below it the ends of an axis are often the same day, so they say the hour, too."""
_SPANS: Final = (("year", 31_536_000), ("day", 86_400), ("hour", 3_600), ("minute", 60))


def amount_text(wei: int | str) -> tuple[str, str]:
    """A sum of money as digits and unit, cut off and never rounded up.

    `1234567890123456789` is `1.2345` and `ETH`; a few wei stay wei.
    """
    value = int(wei)
    sign, size = ("-", -value) if value < 0 else ("", value)
    if size == 0:
        return "0", "ETH"
    if size >= _LEAST_ETHER_WEI:
        return sign + _decimal(size, WEI_PER_ETHER), "ETH"
    if size >= WEI_PER_GWEI // 1_000:
        return sign + _decimal(size, WEI_PER_GWEI), "gwei"
    return sign + str(size), "wei"


def ether_text(wei: int | str) -> str:
    """A sum of money in ether with all its digits, thousands apart: `1,234.5000000001`."""
    whole, point, fraction = format_ether(abs(int(wei))).partition(".")
    return f"{'-' if int(wei) < 0 else ''}{int(whole):,}{point}{fraction}"


def column_texts(amounts_wei: Sequence[int], unit_wei: int) -> list[str]:
    """Amounts of one column in one unit, exact and with equally many decimals.

    So the parts that are shown add up to the sum that is shown.

    Args:
        amounts_wei: none below 0.
        unit_wei: `WEI_PER_ETHER` or `WEI_PER_GWEI`.
    """
    digits = len(str(unit_wei)) - 1
    parts = [divmod(each, unit_wei) for each in amounts_wei]
    fractions = [f"{rest:0{digits}d}" for _, rest in parts]
    kept = max((len(each.rstrip("0")) for each in fractions), default=0)
    return [
        f"{whole:,}.{fraction[:kept]}" if kept else f"{whole:,}"
        for (whole, _), fraction in zip(parts, fractions, strict=True)
    ]


def in_ether(text: str) -> str:
    """A text with its amounts in wei said in ether, exact; a few wei stay wei."""
    return _LONG_WEI.sub(lambda found: f"{ether_text(found[1])} ETH", text)


def count_text(number: int | str) -> str:
    """A whole number with its thousands apart."""
    return f"{int(number):,}"


def short(text: str | None, *, head: int = 6, tail: int = 4) -> str:
    """The two ends of a long name: `0x5290…9EE7`."""
    if text is None:
        return ""
    return text if len(text) <= head + tail + 1 else f"{text[:head]}…{text[-tail:]}"


def span_text(seconds: int) -> str:
    """A span of time in its one or two largest units: `3 days 4 hours`."""
    if seconds < 60:
        return _units(max(0, seconds), "second")
    parts = []
    left = seconds
    for name, size in _SPANS:
        if left >= size:
            parts.append(_units(left // size, name))
            left %= size
        elif parts:
            break
        if len(parts) == 2:
            break
    return " ".join(parts)


def blocks_text(blocks: int) -> str:
    """How long so many blocks take if every slot has one."""
    return span_text(blocks * BLOCK_S)


def moment(value: int | str | datetime | None) -> datetime | None:
    """A time from seconds of the unix epoch, RFC 3339 or the database; None stays None."""
    match value:
        case None:
            return None
        case int():
            return datetime.fromtimestamp(value, UTC)
        case str():
            return datetime.fromisoformat(value).astimezone(UTC)
        case datetime():
            return value.astimezone(UTC)


def moment_text(value: datetime) -> str:
    """To the minute, in UTC."""
    return f"{value.day} {value:%b %Y, %H:%M} UTC"


def date_text(seconds: int | None) -> str:
    """A day, for the axis of a chart."""
    when = moment(seconds)
    return "at the start" if when is None else f"{when.day} {when:%b %Y}"


def hour_text(seconds: int | None) -> str:
    """The same with the time of day, for a short axis."""
    when = moment(seconds)
    return "at the start" if when is None else moment_text(when)


def axis_text(first_s: int | None, last_s: int | None) -> Callable[[int | None], str]:
    """How to write times of an axis from one to the other: days, or hours if it is short."""
    is_short = first_s is not None and last_s is not None and last_s - first_s < _SHORT_AXIS_S
    return hour_text if is_short else date_text


def yearly_wei(fee_wei_per_block: int | str) -> int:
    """What a fee per block adds up to in a year with a block in every slot."""
    return int(fee_wei_per_block) * BLOCKS_PER_YEAR


def share_text(per_10000: int) -> str:
    """Hundredths of a percent as percent, exact: `1050` is `10.5 %`."""
    whole, rest = divmod(per_10000, 100)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".") + " %"


def listing(words: Sequence[object]) -> str:
    """Words in a row: `1, 2, 3`."""
    return ", ".join(map(str, words))


def _decimal(size: int, scale: int) -> str:
    whole, rest = divmod(size, scale)
    digits = len(str(scale)) - 1
    fraction = f"{rest:0{digits}d}"
    if whole >= 1_000:
        kept = fraction[:2]
    elif whole:
        kept = fraction[:_SHOWN_DIGITS]
    else:
        zeros = len(fraction) - len(fraction.lstrip("0"))
        kept = fraction[: zeros + _SHOWN_DIGITS]
    kept = kept.rstrip("0")
    return f"{whole:,}.{kept}" if kept else f"{whole:,}"


def _units(number: int, name: str) -> str:
    return f"{number:,} {name}" if number == 1 else f"{number:,} {name}s"
