"""Numbers beyond 32 bits and bytes, as the existing subgraph writes them.

Pure. `BigInt` is decimal text, `Bytes` lower case hex with 0x; numbers are also taken as such.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from graphql import GraphQLError, GraphQLScalarType, IntValueNode, StringValueNode, ValueNode

from sdk.errors import InputError
from sdk.types import parse_hex

MOST_DIGITS: Final = 78
"""2**256 - 1 has so many."""
MOST_BYTES: Final = 4_096
"""Shares of 13 operators."""


def write_big_int(value: Any) -> str:
    """Decimal text of a whole number."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise GraphQLError(f"no whole number: {type(value).__name__}")
    return str(int(value))


def read_big_int(value: Any) -> int:
    """The number of a text or number.

    Raises:
        GraphQLError: it is none.
    """
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if isinstance(text, str) and len(text) <= MOST_DIGITS + 1:
        digits = text.removeprefix("-")
        if digits.isascii() and digits.isdecimal():
            return int(text)
    raise GraphQLError("BigInt takes a whole number in decimal, as text")


def write_bytes(value: Any) -> str:
    """Hex of bytes; of a text that already is hex, itself."""
    if isinstance(value, str):
        return value
    if not isinstance(value, bytes):
        raise GraphQLError(f"no bytes: {type(value).__name__}")
    return "0x" + value.hex()


def read_bytes(value: Any) -> bytes:
    """The bytes of a hex text.

    Raises:
        GraphQLError: it is none.
    """
    if isinstance(value, str) and len(value) <= 2 * MOST_BYTES + 2:
        try:
            return parse_hex(value, what="Bytes")
        except InputError as failure:
            raise GraphQLError(failure.message) from None
    raise GraphQLError(f"Bytes takes hex of at most {MOST_BYTES} bytes, as text")


def _big_int_literal(node: ValueNode) -> int:
    if isinstance(node, IntValueNode | StringValueNode):
        return read_big_int(node.value)
    raise GraphQLError("BigInt takes a whole number in decimal, as text", node)


def _bytes_literal(node: ValueNode) -> bytes:
    if isinstance(node, StringValueNode):
        return read_bytes(node.value)
    raise GraphQLError("Bytes takes hex, as text", node)


BIG_INT: Final = GraphQLScalarType(
    "BigInt",
    coerce_output_value=write_big_int,
    coerce_input_value=read_big_int,
    coerce_input_literal=_big_int_literal,
    description="A whole number of any size, as decimal text.",
)
BYTES: Final = GraphQLScalarType(
    "Bytes",
    coerce_output_value=write_bytes,
    coerce_input_value=read_bytes,
    coerce_input_literal=_bytes_literal,
    description="Bytes in lower case hex with 0x.",
)
