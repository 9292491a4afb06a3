"""Holders of secrets that cannot be printed, logged, pickled or compared by accident.

Python cannot promise that a value leaves memory; these types promise that it never leaves by
`repr`, `str`, an f-string, a traceback's locals or a pickle to another process's log.
"""

from __future__ import annotations

import hmac
from typing import Final, NoReturn

from sdk.errors import InputError

CURVE_ORDER: Final = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
"""Order r of the BLS12-381 groups. Source: consensus-specs, phase0/beacon-chain.md (BLS)."""
SECRET_KEY_BYTES: Final = 32


class Redacted:
    """Base of secret holders: every way to show one gives `<redacted>`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<redacted>"

    def __str__(self) -> str:
        return "<redacted>"

    def __format__(self, spec: str) -> str:
        return "<redacted>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} is never pickled; pass its bytes on purpose")


class SecretKey(Redacted):
    """A BLS12-381 secret scalar, 1 to r - 1: a validator key or one operator's share of it."""

    __slots__ = ("_scalar",)

    def __init__(self, scalar: int) -> None:
        if not 0 < scalar < CURVE_ORDER:
            raise InputError(
                "a BLS secret key must be a number from 1 to r - 1", code="secret_key_range"
            )
        self._scalar = scalar

    @classmethod
    def from_bytes(cls, data: bytes) -> SecretKey:
        """From 32 bytes, big-endian.

        Raises:
            InputError: wrong length, zero, or not below the group order.
        """
        if len(data) != SECRET_KEY_BYTES:
            raise InputError(
                f"a BLS secret key has {SECRET_KEY_BYTES} bytes, got {len(data)}",
                code="secret_key_length",
            )
        return cls(int.from_bytes(data, "big"))

    def reveal(self) -> int:
        """The scalar itself. Every call is a place to review."""
        return self._scalar

    def to_bytes(self) -> bytes:
        """32 bytes, big-endian. Every call is a place to review."""
        return self._scalar.to_bytes(SECRET_KEY_BYTES, "big")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SecretKey):
            return NotImplemented
        return hmac.compare_digest(self.to_bytes(), other.to_bytes())

    __hash__ = None  # type: ignore[assignment] # a secret is no dictionary key


class Password(Redacted):
    """A password as bytes (raw, not normalised).

    Args:
        raw: the bytes as they were read; text is encoded as UTF-8 by `from_text`.
    """

    __slots__ = ("_raw",)

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    @classmethod
    def from_text(cls, text: str) -> Password:
        return cls(text.encode("utf-8"))

    def reveal(self) -> bytes:
        """The raw bytes. Every call is a place to review."""
        return self._raw
