"""Bounded, typed reading of JSON that other people wrote.

Pure. Whatever the bytes are (too long, cut off, nested a million deep, wrong types), the caller
gets a value of the asked type or one `InputError` that names the file and the field. It never
judges values, only shape; ranges and meaning are the caller's.
"""

from __future__ import annotations

import codecs
import re
from itertools import accumulate
from typing import Final, TypeVar

import msgspec

from sdk.errors import InputError
from sdk.types import parse_hex

T = TypeVar("T")

MAX_DEPTH: Final = 32
"""Keyshares files nest seven deep, the deepest we read."""
_STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\Z)', re.DOTALL)
"""Possessive, so that a text of quotes and backslashes takes one pass and not a square of them."""
_ALL_BUT_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_SHOWN_CHARACTERS: Final = 200
"""A hostile file must not fill a terminal through its error message."""


def read_json(
    data: bytes,
    shape: type[T],
    *,
    source: str,
    limit_bytes: int,
    error: type[InputError] = InputError,
    code: str,
) -> T:
    """The document as a value of `shape`; fields that `shape` does not name are ignored.

    Args:
        data: UTF-8, a byte order mark is tolerated.
        shape: a `msgspec.Struct`, or a container of such.
        source: file name for the error.
        limit_bytes: larger documents are refused before parsing.
        error: class of the error.
        code: stable code of the error.

    Raises:
        InputError: of the class `error`; too large, not JSON, or not of the shape.
    """
    if len(data) > limit_bytes:
        raise error(
            f"{source} has {len(data)} bytes, the limit is {limit_bytes}",
            code=code,
            hint="Check that this is the right file.",
            data={"source": source, "size_bytes": len(data)},
        )
    if is_too_deep(data):
        raise error(
            f"{source} is nested deeper than {MAX_DEPTH} levels",
            code=code,
            hint="Check that this is the right file.",
            data={"source": source},
        )
    try:
        return msgspec.json.decode(data.removeprefix(codecs.BOM_UTF8), type=shape)
    except msgspec.ValidationError as problem:
        text, _, path = str(problem).partition(" - at `$")
        field = path.rstrip("`").lstrip(".") or "the document"
        raise error(
            f"{source}: {_clip(field)}: {_clip(text)}",
            code=code,
            hint="Export the file again, or correct this field.",
            data={"source": source, "field": _clip(field)},
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise error(
            f"{source} is not valid JSON ({_clip(str(problem))})",
            code=code,
            hint="The file may be cut off or damaged; take it from a backup.",
            data={"source": source},
        ) from None


def read_hex(
    text: str,
    *,
    field: str,
    length: int | None = None,
    error: type[InputError] = InputError,
    code: str,
) -> bytes:
    """The bytes of a hex field of a document, with or without `0x`.

    Args:
        text: the field's value.
        field: file name and path of the field, for the error.
        length: bytes it must have, any number if None.
        error: class of the error.
        code: stable code of the error.

    Raises:
        InputError: of the class `error`.
    """
    try:
        return parse_hex(text, what=field, length=length)
    except InputError as problem:
        raise error(
            _clip(problem.message),
            code=code,
            hint="The file is damaged; take it from a backup or export it again.",
            data={"field": field},
        ) from None


def is_too_deep(data: bytes) -> bool:
    """Whether brackets nest deeper than `MAX_DEPTH`, found without recursion.

    Parsers recurse, and how deep the interpreter lets them is not ours to say: libraries raise
    its limit so far that the C stack overflows and the process dies.
    """
    if data.count(b"[") + data.count(b"{") <= MAX_DEPTH:
        return False
    brackets = _STRING.sub(b"", data).translate(None, delete=_ALL_BUT_BRACKETS)
    steps = (1 if bracket in b"[{" else -1 for bracket in brackets)
    return any(depth > MAX_DEPTH for depth in accumulate(steps))


def _clip(text: str) -> str:
    """The text without terminal escapes and of bounded length."""
    plain = text if text.isprintable() else ascii(text)
    return plain if len(plain) <= _SHOWN_CHARACTERS else f"{plain[:_SHOWN_CHARACTERS]}…"
