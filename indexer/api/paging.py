"""Cursors: where a page ended, as an opaque text that only continues the same question.

Pure. A cursor names the block that the list was read at, so all pages of a list tell of one block
and every entry comes exactly once, whatever happens meanwhile. Its checksum binds it to the
question; it protects against mistakes, not against people, who may read the list from anywhere.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from indexer.queries.records import PageKey
from sdk.errors import InputError
from sdk.types import BlockNumber

MOST_CHARACTERS: Final = 512
"""A key, an owner and two numbers need 200."""
_CHECK_BYTES: Final = 8
_HASH_BYTES: Final = 8
"""Enough to tell forks apart."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ended.

    Attributes:
        block: that the list is read at.
        hash: first bytes of that block's hash; empty if nothing is kept of it.
        key: sort values of the last entry shown.
    """

    block: BlockNumber
    hash: bytes
    key: PageKey


def write_cursor(
    question: str, *, block: BlockNumber, block_hash: bytes | None, key: PageKey
) -> str:
    """The text of a cursor.

    Args:
        question: path and parameters of the list, without cursor and limit.
        block: that the list is read at.
        block_hash: its hash, if it is known.
        key: sort values of the last entry shown.
    """
    parts = [str(block), (block_hash or b"")[:_HASH_BYTES].hex()]
    parts += [f"x{part.hex()}" if isinstance(part, bytes) else str(int(part)) for part in key]
    payload = ".".join(parts).encode()
    return urlsafe_b64encode(_check(question, payload) + payload).decode().rstrip("=")


def read_cursor(question: str, text: str) -> Cursor:
    """The cursor of a text.

    Raises:
        InputError: `cursor_invalid`, not ours, or of another question.
    """
    raw = _bytes(text)
    payload = raw[_CHECK_BYTES:]
    if not payload or raw[:_CHECK_BYTES] != _check(question, payload):
        raise _invalid()
    number, hash_digits, *key = payload.decode().split(".")
    return Cursor(
        block=BlockNumber(int(number)),
        hash=bytes.fromhex(hash_digits),
        key=tuple(bytes.fromhex(part[1:]) if part[:1] == "x" else int(part) for part in key),
    )


def _bytes(text: str) -> bytes:
    if len(text) > MOST_CHARACTERS or not text.isascii():
        raise _invalid()
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (Base64Error, ValueError):
        raise _invalid() from None


def _check(question: str, payload: bytes) -> bytes:
    name = question.encode()
    return sha256(len(name).to_bytes(4, "big") + name + payload).digest()[:_CHECK_BYTES]


def _invalid() -> InputError:
    return InputError(
        "the cursor is not one of this list",
        code="cursor_invalid",
        hint="Send next_cursor as it was given, with the same parameters; or begin without one.",
    )
