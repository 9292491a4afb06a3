"""Column types of the tables: whole numbers that may be wider than 64 bits, and fixed names.

Pure. Amounts are never floats and never decimals in Python: a `Whole` goes in and comes out as int.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Integer,
    LargeBinary,
    Numeric,
    SmallInteger,
    Text,
)
from sqlalchemy.types import TypeDecorator

WEI_DIGITS: Final = 78
"""2**256 - 1 has 78 digits."""
WORD_DIGITS: Final = 20
"""2**64 - 1 has 20 digits."""


class Whole(TypeDecorator[int]):
    """A whole number of up to so many digits: int in Python, numeric in Postgres."""

    impl = Numeric
    cache_ok = True

    def __init__(self, digits: int = WEI_DIGITS) -> None:
        super().__init__(digits, 0)

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:
        """Postgres answers with a decimal that has no fraction."""
        return int(value) if isinstance(value, Decimal) else value


def key_bytes(name: str, comment: str, *, optional: bool = False) -> Column[bytes]:
    """An address, hash or key."""
    return Column(name, LargeBinary, nullable=optional, comment=comment)


def wei(name: str, comment: str, *, optional: bool = False) -> Column[int]:
    """An amount of wei."""
    return Column(name, Whole(WEI_DIGITS), nullable=optional, comment=comment)


def word(name: str, comment: str, *, optional: bool = False) -> Column[int]:
    """An unsigned number of 64 bits, which `bigint` does not hold."""
    return Column(name, Whole(WORD_DIGITS), nullable=optional, comment=comment)


def units(name: str, comment: str) -> Column[int]:
    """Fee units of 100,000 wei (docs/fees.md); credits and debts have up to 80 bits."""
    return Column(name, Whole(WEI_DIGITS), nullable=False, comment=comment)


def number(name: str, comment: str, *, optional: bool = False) -> Column[int]:
    """A block number, count or id."""
    return Column(name, BigInteger, nullable=optional, comment=comment)


def place(name: str, comment: str, *, optional: bool = False) -> Column[int]:
    """An index within a block."""
    return Column(name, Integer, nullable=optional, comment=comment)


def flag(name: str, comment: str) -> Column[bool]:
    """Yes or no."""
    return Column(name, Boolean, nullable=False, comment=comment)


def words(name: str, comment: str, *, optional: bool = False) -> Column[str]:
    """A text."""
    return Column(name, Text, nullable=optional, comment=comment)


def operator_ids(comment: str, *, optional: bool = False) -> Column[list[int]]:
    """Ids of operators, which the contract counts up from 1."""
    return Column("operator_ids", ARRAY(BigInteger), nullable=optional, comment=comment)


def moment(name: str, comment: str, *, optional: bool = False) -> Column[object]:
    """An instant of this machine's clock."""
    return Column(name, DateTime(timezone=True), nullable=optional, comment=comment)


def single(comment: str) -> Column[int]:
    """The key of a table that has one row."""
    return Column("id", SmallInteger, primary_key=True, autoincrement=False, comment=comment)
