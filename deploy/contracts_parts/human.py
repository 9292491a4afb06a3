"""Amounts and times between people and the chain. Pure.

A value on the command line carries its unit (`3.5gwei`, `7days`); a bare number is refused where
more than one unit would make sense.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from sdk.errors import InputError
from sdk.units import format_ether, format_gwei, parse_ether, parse_gwei

BLOCKS_PER_YEAR = 365 * 24 * 3600 // 12
"""One block per slot of 12 s; missed slots make the real number a little smaller."""
SECONDS = {"s": 1, "seconds": 1, "minutes": 60, "hours": 3_600, "days": 86_400}
_VALUE = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]+)?) *(?P<unit>[a-z%]*)", re.ASCII)
_MAX_TEXT = 96


def parse_amount_wei(text: str) -> int:
    """Wei of `5wei`, `3.5gwei` or `0.05eth`."""
    number, unit = _split(text, "wei, gwei or eth, such as 3.5gwei")
    if unit == "wei" and number.isdigit():
        return int(number)
    if unit == "gwei":
        return parse_gwei(number)
    if unit == "eth":
        return parse_ether(number)
    raise _malformed(text, "wei, gwei or eth, such as 3.5gwei")


def parse_seconds(text: str) -> int:
    """Seconds of `604800s`, `36hours` or `7days`."""
    number, unit = _split(text, "s, minutes, hours or days, such as 7days")
    if unit not in SECONDS or not number.isdigit():
        raise _malformed(text, "s, minutes, hours or days, such as 7days")
    return int(number) * SECONDS[unit]


def parse_blocks(text: str) -> int:
    """Blocks of `50190blocks`, or of a time at 12 s a block."""
    number, unit = _split(text, "blocks, or a time such as 7days")
    if unit == "blocks" and number.isdigit():
        return int(number)
    return parse_seconds(text) // 12


def parse_percent(text: str) -> int:
    """Ten-thousandths of `10%` or `0.5%`."""
    number, unit = _split(text, "%, such as 10%")
    whole, _, fraction = number.partition(".")
    if unit != "%" or len(fraction) > 2:
        raise _malformed(text, "% with at most 2 decimals, such as 10%")
    return int(whole) * 100 + int(fraction.ljust(2, "0") or "0")


def parse_count(text: str) -> int:
    """A bare whole number."""
    number, unit = _split(text, "a whole number")
    if unit or not number.isdigit():
        raise _malformed(text, "a whole number, such as 3000")
    return int(number)


def amount(wei: int) -> str:
    """`0.00094 ETH`, or gwei where that is shorter to read."""
    return f"{format_ether(wei)} ETH" if wei >= 10**14 else f"{format_gwei(wei)} gwei"


def fee(wei_per_block: int) -> str:
    """A fee per block and 32 ETH, and what it adds up to in a year."""
    yearly = format_ether(wei_per_block * BLOCKS_PER_YEAR)
    return f"{format_gwei(wei_per_block)} gwei per block and 32 ETH, about {yearly[:10]} ETH a year"


def duration(seconds: int) -> str:
    """`7 days`, `6 days 3 h`, `45 s`: the two largest units."""
    parts = []
    for size, name in ((86_400, "days"), (3_600, "h"), (60, "min"), (1, "s")):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"1 {name.removesuffix('s') or name}" if count == 1 else f"{count} {name}")
    return " ".join(parts[:2]) or "0 s"


def blocks(count: int) -> str:
    """A number of blocks and about how long they take."""
    return f"{count:,} blocks, about {duration(count * 12)}"


def percent(ten_thousandths: int) -> str:
    """`10 %` of 1,000."""
    return f"{ten_thousandths / 100:g} %"


def moment(timestamp_s: int) -> str:
    """UTC time of a UNIX timestamp; a proposer may choose one that no calendar has."""
    try:
        return datetime.fromtimestamp(timestamp_s, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, OSError, ValueError):
        return f"{timestamp_s} s after 1970"


def _split(text: str, expected: str) -> tuple[str, str]:
    match = _VALUE.fullmatch(text.strip().lower()) if len(text) <= _MAX_TEXT else None
    if match is None:
        raise _malformed(text, expected)
    return match["number"], match["unit"]


def _malformed(text: str, expected: str) -> InputError:
    return InputError(
        f"{text[:_MAX_TEXT]!r} is no value here", code="value_malformed", hint=f"Write {expected}."
    )
