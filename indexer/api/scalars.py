"""How single values look in JSON: text forms, their descriptions and examples for OpenAPI.

Pure. Amounts are decimal text, because JavaScript's numbers end at 2^53; addresses are EIP-55,
hashes and keys lower case hex with 0x, times RFC 3339 in UTC.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Final, TypeAlias

from pydantic import Field

from sdk.types import checksum_address

ADDRESSES_REMEMBERED: Final = 65_536
"""A checksum costs a hash; owners come again and again."""

WeiText: TypeAlias = Annotated[
    str, Field(description="Wei, in decimal.", examples=["1500000000000000000"])
]
WholeText: TypeAlias = Annotated[
    str, Field(description="A whole number, in decimal.", examples=["35509000"])
]
AddressText: TypeAlias = Annotated[
    str,
    Field(
        description="An address, EIP-55.", examples=["0x52908400098527886E0F7030069857D2E4169EE7"]
    ),
]
HashText: TypeAlias = Annotated[
    str, Field(description="32 bytes in hex.", examples=["0x" + "8f1c2d3e" * 8])
]
KeyText: TypeAlias = Annotated[
    str, Field(description="A validator's public key in hex.", examples=["0x" + "a1b2c3d4" * 12])
]
HexText: TypeAlias = Annotated[str, Field(description="Bytes in hex.", examples=["0x1234"])]
BlockText: TypeAlias = Annotated[int, Field(description="A block number.", examples=[21_000_000])]
TimeText: TypeAlias = Annotated[
    str, Field(description="A time in UTC, RFC 3339.", examples=["2026-01-31T12:00:11Z"])
]
OperatorIdText: TypeAlias = Annotated[int, Field(description="An operator's id.", examples=[7])]
OperatorIdsText: TypeAlias = Annotated[
    list[int], Field(description="Operators, ascending.", examples=[[1, 2, 3, 4]])
]


@lru_cache(maxsize=ADDRESSES_REMEMBERED)
def address_text(address: bytes) -> str:
    """EIP-55 form."""
    return checksum_address(address)


def optional_address(address: bytes | None) -> str | None:
    """EIP-55 form of an address that may be missing."""
    return None if address is None else address_text(bytes(address))


def hex_text(raw: bytes) -> str:
    """Lower case hex with 0x."""
    return "0x" + raw.hex()


def optional_hex(raw: bytes | None) -> str | None:
    """Lower case hex of bytes that may be missing."""
    return None if raw is None else hex_text(raw)


def time_text(seconds: int | None) -> str | None:
    """RFC 3339 of seconds of the unix epoch, None for none or a time beyond the calendar."""
    if seconds is None or seconds > _LAST_SECOND:
        return None
    # As `datetime` has it, in a third of the time; a list has hundreds.
    year, month, day, hour, minute, second = time.gmtime(seconds)[:6]
    return f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"


def instant_text(moment: datetime | None) -> str | None:
    """RFC 3339 of an instant of the database."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


_LAST_SECOND: Final = 253_402_300_799
"""The end of the year 9999."""
