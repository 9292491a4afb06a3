"""What `sdk.crypto.bls` needs from a curve library, and the encoding checks all three share.

A backend is a dozen functions on opaque points. Three exist: pyblst (default), arkworks (second
native library, for cross-checks) and py_ecc (pure Python, the reference twin; never on a duty
path). The same test cases run against all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol, TypeAlias

from sdk.errors import InvalidPoint

G1: TypeAlias = Any
"""A point of the backend's own G1 type, in the prime-order subgroup."""
G2: TypeAlias = Any
"""A point of the backend's own G2 type, in the prime-order subgroup."""

DST: Final = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_"
"""Ethereum's proof-of-possession ciphersuite. Source: consensus-specs, phase0 (BLS signatures)."""
G1_BYTES: Final = 48
G2_BYTES: Final = 96
G1_GENERATOR: Final = bytes.fromhex(
    "97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac58"
    "6c55e83ff97a1aeffb3af00adb22c6bb"
)

_COMPRESSED_FLAG = 0x80
_INFINITY_FLAG = 0x40


class Backend(Protocol):
    """Group arithmetic of one library. Inputs are subgroup points this backend made itself."""

    name: str

    def g1_decode(self, data: bytes) -> G1:
        """The point of 48 bytes that passed `check_encoding`; raises InvalidPoint."""

    def g1_encode(self, point: G1) -> bytes:
        """48 bytes, compressed."""

    def g1_multiply(self, point: G1, scalar: int) -> G1:
        """`scalar` times `point`; any integer, taken modulo the group order."""

    def g1_combine(self, points: Sequence[G1], scalars: Sequence[int], divisor: int = 1) -> G1:
        """The sum of scalar times point over at least one pair, divided by `divisor` modulo r.

        Scalars may be negative. They are public: the time taken may depend on them.
        """

    def g2_decode(self, data: bytes) -> G2:
        """The point of 96 bytes that passed `check_encoding`; raises InvalidPoint."""

    def g2_encode(self, point: G2) -> bytes:
        """96 bytes, compressed."""

    def g2_multiply(self, point: G2, scalar: int) -> G2:
        """`scalar` times `point`; any integer, taken modulo the group order."""

    def g2_combine(self, points: Sequence[G2], scalars: Sequence[int], divisor: int = 1) -> G2:
        """As `g1_combine`."""

    def hash_to_g2(self, message: bytes) -> G2:
        """The message's curve point under `DST`."""

    def pairings_cancel(self, pairs: Sequence[tuple[G1, G2]]) -> bool:
        """Whether the product of the pairings of at least two pairs is one."""


def check_encoding(data: bytes, *, length: int, what: str) -> bytes:
    """`data` if it has the outer form of a compressed, non-identity point.

    The identity is refused here because every library decodes it happily: as a public key it
    makes the all-zero signature valid for any message.

    Raises:
        InvalidPoint: wrong length, uncompressed form, or the point at infinity.
    """
    if len(data) != length:
        raise InvalidPoint(f"a {what} has {length} bytes, got {len(data)}", code="point_length")
    if not data[0] & _COMPRESSED_FLAG:
        raise InvalidPoint(f"this {what} is not in compressed form", code="point_encoding")
    if data[0] & _INFINITY_FLAG:
        raise InvalidPoint(f"this {what} is the point at infinity", code="point_infinity")
    return bytes(data)


def invalid_point(what: str) -> InvalidPoint:
    """The error for bytes that are no subgroup point, the same text for every backend."""
    return InvalidPoint(f"these bytes are no {what}: not a point of the prime-order subgroup")
