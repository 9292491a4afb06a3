"""The default backend: blst through pyblst.

pyblst multiplies by full 255-bit scalars in constant time, which costs 100 additions' worth even
for the scalar 3. Recovery scalars over small operator ids are small integers once the common
denominator is taken out, and the factors of a batch are short and many, so `combine` leaves both
to `multiples`. That is variable time, and right only because those scalars are public.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from pyblst import BlstP1Element, BlstP2Element, final_verify, miller_loop

from sdk.crypto.backend import DST, G1, G2, invalid_point
from sdk.crypto.multiples import additions, sum_of_multiples
from sdk.crypto.secret import CURVE_ORDER

_MULTIPLICATION_ADDITIONS: Final = 100
"""One constant-time multiplication costs as much in either group (docs/benchmarks.md)."""
_HASH_CACHE: Final = 256
"""Messages whose curve point is kept: several signers of one root check the same message."""


class PyblstBackend:
    """`sdk.crypto.backend.Backend` over pyblst."""

    name = "pyblst"

    def g1_decode(self, data: bytes) -> G1:
        try:
            return BlstP1Element.uncompress(data)
        except ValueError:
            raise invalid_point("public key") from None

    def g1_encode(self, point: G1) -> bytes:
        return bytes(point.compress())

    def g1_multiply(self, point: G1, scalar: int) -> G1:
        return point.scalar_mul(scalar)

    def g1_combine(self, points: Sequence[G1], scalars: Sequence[int], divisor: int = 1) -> G1:
        return _combine(points, scalars, divisor)

    def g2_decode(self, data: bytes) -> G2:
        try:
            return BlstP2Element.uncompress(data)
        except ValueError:
            raise invalid_point("signature") from None

    def g2_encode(self, point: G2) -> bytes:
        return bytes(point.compress())

    def g2_multiply(self, point: G2, scalar: int) -> G2:
        return point.scalar_mul(scalar)

    def g2_combine(self, points: Sequence[G2], scalars: Sequence[int], divisor: int = 1) -> G2:
        return _combine(points, scalars, divisor)

    def hash_to_g2(self, message: bytes) -> G2:
        return _hash_to_g2(message)

    def pairings_cancel(self, pairs: Sequence[tuple[G1, G2]]) -> bool:
        *others, (last_g1, last_g2) = pairs
        product: Any = None
        for g1, g2 in others:
            factor = miller_loop(g1, g2)
            product = factor if product is None else product * factor
        return bool(final_verify(product, miller_loop(-last_g1, last_g2)))


@lru_cache(maxsize=_HASH_CACHE)
def _hash_to_g2(message: bytes) -> G2:
    return BlstP2Element.hash_to_group(message, DST)


def _combine(points: Sequence[Any], scalars: Sequence[int], divisor: int) -> Any:
    bits = max(abs(scalar).bit_length() for scalar in scalars)
    if all(scalars) and additions(len(points), bits) < len(points) * _MULTIPLICATION_ADDITIONS:
        total = sum_of_multiples(points, scalars)
    else:
        total = points[0].scalar_mul(scalars[0])
        for point, scalar in zip(points[1:], scalars[1:], strict=True):
            total = total + point.scalar_mul(scalar)
    return total if divisor == 1 else total.scalar_mul(pow(divisor, -1, CURVE_ORDER))
