"""The reference backend: py_ecc, pure Python, 200 to 500 times slower than the native ones.

It is the twin that the fast backends are tested against, and can be chosen where neither has a
wheel. It is never used on a duty path.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from py_ecc.bls.hash_to_curve import hash_to_G2
from py_ecc.bls.point_compression import compress_G1, compress_G2, decompress_G1, decompress_G2
from py_ecc.bls.typing import G1Compressed, G2Compressed
from py_ecc.fields import optimized_bls12_381_FQ12 as FQ12
from py_ecc.optimized_bls12_381.optimized_curve import (
    Z1,
    Z2,
    add,
    curve_order,
    is_inf,
    multiply,
    neg,
)
from py_ecc.optimized_bls12_381.optimized_pairing import final_exponentiate, pairing

from sdk.crypto.backend import DST, G1, G2, invalid_point


class PyEccBackend:
    """`sdk.crypto.backend.Backend` over py_ecc."""

    name = "py_ecc"

    def g1_decode(self, data: bytes) -> G1:
        try:
            point = decompress_G1(G1Compressed(int.from_bytes(data, "big")))
        except ValueError:
            raise invalid_point("public key") from None
        return _in_subgroup(point, "public key")

    def g1_encode(self, point: G1) -> bytes:
        return int(compress_G1(point)).to_bytes(48, "big")

    def g1_multiply(self, point: G1, scalar: int) -> G1:
        return multiply(point, scalar % curve_order)

    def g1_combine(self, points: Sequence[G1], scalars: Sequence[int], divisor: int = 1) -> G1:
        return _combine(points, scalars, divisor, Z1)

    def g2_decode(self, data: bytes) -> G2:
        high, low = int.from_bytes(data[:48], "big"), int.from_bytes(data[48:], "big")
        try:
            point = decompress_G2(G2Compressed((high, low)))
        except ValueError:
            raise invalid_point("signature") from None
        return _in_subgroup(point, "signature")

    def g2_encode(self, point: G2) -> bytes:
        high, low = compress_G2(point)
        return int(high).to_bytes(48, "big") + int(low).to_bytes(48, "big")

    def g2_multiply(self, point: G2, scalar: int) -> G2:
        return multiply(point, scalar % curve_order)

    def g2_combine(self, points: Sequence[G2], scalars: Sequence[int], divisor: int = 1) -> G2:
        return _combine(points, scalars, divisor, Z2)

    def hash_to_g2(self, message: bytes) -> G2:
        return hash_to_G2(message, DST, sha256)  # type: ignore[arg-type] # upstream annotation

    def pairings_cancel(self, pairs: Sequence[tuple[G1, G2]]) -> bool:
        product = FQ12.one()
        for g1, g2 in pairs:
            product *= pairing(g2, g1, final_exponentiate=False)
        return bool(final_exponentiate(product) == FQ12.one())


def _in_subgroup(point: Any, what: str) -> Any:
    if not is_inf(multiply(point, curve_order)):
        raise invalid_point(what)
    return point


def _combine(points: Sequence[Any], scalars: Sequence[int], divisor: int, zero: Any) -> Any:
    total = zero
    for point, scalar in zip(points, scalars, strict=True):
        # Multiplying by the magnitude keeps small scalars cheap: this library doubles and adds.
        term = multiply(point, abs(scalar))
        total = add(total, neg(term) if scalar < 0 else term)
    return multiply(total, pow(divisor, -1, curve_order))
