"""Amounts: wei, gwei, ether as text, and the registry's fee unit of 100,000 wei.

Pure integer arithmetic; no floating point, because a balance of 18 decimals does not fit one.
Where a conversion rounds, its name says which way. Source: docs/fees.md.
"""

from __future__ import annotations

import re

from sdk.errors import InputError
from sdk.types import FeeUnits, Gwei, Wei

FEE_UNIT_WEI = 100_000
"""All fees and stored credits of the registry are whole multiples of this (docs/fees.md)."""
WEI_PER_GWEI = 10**9
WEI_PER_ETHER = 10**18
MAX_AMOUNT_TEXT = 96
"""Characters of an amount that are read; 2**256 wei written out in ether needs 79."""

_ETHER_DECIMALS = 18
_GWEI_DECIMALS = 9
_DECIMAL = re.compile(r"(?P<whole>[0-9]+)(?:\.(?P<fraction>[0-9]+))?", re.ASCII)


def units_down(wei: int) -> FeeUnits:
    """Whole units in `wei`, the rest dropped. For credits: never more than was there."""
    return FeeUnits(wei // FEE_UNIT_WEI)


def units_up(wei: int) -> FeeUnits:
    """Whole units that cover `wei`. For debits: never less than is owed."""
    return FeeUnits(-(-wei // FEE_UNIT_WEI))


def units_exact(wei: int, *, what: str = "amount") -> FeeUnits:
    """Units of an amount that must be a whole multiple, as fees must.

    Raises:
        InputError: `not_whole_units`; the registry would revert with MaxPrecisionExceeded.
    """
    units, rest = divmod(wei, FEE_UNIT_WEI)
    if rest:
        raise InputError(
            f"{what} of {wei} wei is not a multiple of {FEE_UNIT_WEI} wei",
            code="not_whole_units",
            hint=f"The nearest are {wei - rest} and {wei - rest + FEE_UNIT_WEI} wei.",
            data={"wei": wei},
        )
    return FeeUnits(units)


def units_to_wei(units: int) -> Wei:
    """Wei of a number of units, exact."""
    return Wei(units * FEE_UNIT_WEI)


def wei_per_year(fee_wei_per_block: int, *, blocks_per_year: int) -> Wei:
    """What a fee per block adds up to in a year of `blocks_per_year` blocks; an estimate only
    because that number is one.
    """
    return Wei(fee_wei_per_block * blocks_per_year)


def fee_units_per_block_down(yearly_wei: int, *, blocks_per_year: int) -> FeeUnits:
    """Largest fee per block that takes at most `yearly_wei` in a year."""
    if blocks_per_year <= 0:
        raise InputError(f"a year has at least one block, got {blocks_per_year}", code="blocks")
    return FeeUnits(yearly_wei // (blocks_per_year * FEE_UNIT_WEI))


def format_ether(wei: int) -> str:
    """Exact decimal text in ether, without trailing zeros: `1500000000000000000` is `1.5`."""
    return _format(wei, _ETHER_DECIMALS)


def format_gwei(wei: int) -> str:
    """Exact decimal text in gwei, without trailing zeros."""
    return _format(wei, _GWEI_DECIMALS)


def parse_ether(text: str) -> Wei:
    """Wei of a plain decimal text in ether, such as `0.05`.

    Raises:
        InputError: `amount_malformed` for a sign, an exponent, separators, or more than 18
            decimals (which would have to be rounded).
    """
    return Wei(_parse(text, _ETHER_DECIMALS, name="ether"))


def parse_gwei(text: str) -> Wei:
    """Wei of a plain decimal text in gwei; the rules of `parse_ether` with 9 decimals."""
    return Wei(_parse(text, _GWEI_DECIMALS, name="gwei"))


def gwei_down(wei: int) -> Gwei:
    """Whole gwei in `wei`, the rest dropped."""
    return Gwei(wei // WEI_PER_GWEI)


def _format(wei: int, decimals: int) -> str:
    sign = "-" if wei < 0 else ""
    whole, fraction = divmod(abs(wei), 10**decimals)
    digits = f"{fraction:0{decimals}d}".rstrip("0")
    return f"{sign}{whole}.{digits}" if digits else f"{sign}{whole}"


def _parse(text: str, decimals: int, *, name: str) -> int:
    match = _DECIMAL.fullmatch(text) if len(text) <= MAX_AMOUNT_TEXT else None
    fraction = (match["fraction"] or "") if match else ""
    if match is None or len(fraction) > decimals:
        raise InputError(
            f"{text[:MAX_AMOUNT_TEXT]!r} is no amount in {name}",
            code="amount_malformed",
            hint=f"Write plain digits with at most {decimals} decimals, such as 0.05.",
        )
    scale: int = 10**decimals
    return int(match["whole"]) * scale + int(fraction.ljust(decimals, "0"))
