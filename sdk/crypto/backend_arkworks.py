"""The second native backend: arkworks through py-arkworks-bls12381.

Its pairing and multi-scalar multiplication release the interpreter lock, which pyblst does not.
"""

from __future__ import annotations

from collections.abc import Sequence

from py_arkworks_bls12381 import GT, G1Point, G2Point, Scalar

from sdk.crypto.backend import DST, G1, G2, invalid_point
from sdk.crypto.secret import CURVE_ORDER


class ArkworksBackend:
    """`sdk.crypto.backend.Backend` over py-arkworks-bls12381."""

    name = "arkworks"

    def g1_decode(self, data: bytes) -> G1:
        try:
            return G1Point.from_compressed_bytes(data)
        except ValueError:
            raise invalid_point("public key") from None

    def g1_encode(self, point: G1) -> bytes:
        return bytes(point.to_compressed_bytes())

    def g1_multiply(self, point: G1, scalar: int) -> G1:
        return point * _scalar(scalar)

    def g1_combine(self, points: Sequence[G1], scalars: Sequence[int], divisor: int = 1) -> G1:
        return G1Point.multiexp_unchecked(list(points), _scalars(scalars, divisor))

    def g2_decode(self, data: bytes) -> G2:
        try:
            return G2Point.from_compressed_bytes(data)
        except ValueError:
            raise invalid_point("signature") from None

    def g2_encode(self, point: G2) -> bytes:
        return bytes(point.to_compressed_bytes())

    def g2_multiply(self, point: G2, scalar: int) -> G2:
        return point * _scalar(scalar)

    def g2_combine(self, points: Sequence[G2], scalars: Sequence[int], divisor: int = 1) -> G2:
        return G2Point.multiexp_unchecked(list(points), _scalars(scalars, divisor))

    def hash_to_g2(self, message: bytes) -> G2:
        return G2Point.hash_to_curve(message, DST)

    def pairings_cancel(self, pairs: Sequence[tuple[G1, G2]]) -> bool:
        return bool(GT.pairing_check([g1 for g1, _ in pairs], [g2 for _, g2 in pairs]))


def _scalars(values: Sequence[int], divisor: int) -> list[Scalar]:
    factor = pow(divisor, -1, CURVE_ORDER)
    return [_scalar(value * factor) for value in values]


def _scalar(value: int) -> Scalar:
    # `Scalar(-1)` raises in this library, so negative values are reduced here.
    return Scalar.from_be_bytes((value % CURVE_ORDER).to_bytes(32, "big"))
