"""Values as people read them: amounts, counts, names cut short, times and spans of blocks.

Pure. What is shown short is always rounded towards less money; the exact value stands beside it
in the page (`templates/macros.html`). Source: docs/fees.md for units.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from sdk.units import WEI_PER_ETHER, WEI_PER_GWEI

BLOCK_S: Final = 12
"""A slot; estimates of time take every slot to have a block."""
BLOCKS_PER_YEAR: Final = 365 * 86_400 // BLOCK_S
_SHOWN_DIGITS: Final = 4
"""Significant digits of small amounts; more do not help to compare."""
_LEAST_ETHER_WEI: Final = WEI_PER_ETHER // 10_000
"""Below this, gwei are easier to read than zeros."""
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
