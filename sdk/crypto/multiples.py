"""Sums of multiples of points, by additions and doublings alone.

Pure, and for any group whose elements know `+` and unary `-`. Time depends on the scalars, so they
must be public: recovery weights, and the factors of a batch.

Source: Straus, Addition chains of vectors (1964); Pippenger, On the evaluation of powers and
related problems (1976).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

_WIDEST: Final = 16
"""Windows of more bits pay only beyond 100,000 points."""

_SHAPES_KEPT: Final = 1024
"""Numbers of scalars and their lengths that come again: those of quorums and of whole batches."""


def additions(count: int, bits: int) -> int:
    """About how many additions `sum_of_multiples` takes for so many scalars of so many bits."""
    return min(_straus_additions(count, bits), _bucket_additions(count, bits, _width(count, bits)))


def sum_of_multiples(points: Sequence[Any], scalars: Sequence[int]) -> Any:
    """The sum of scalar times point.

    Args:
        points: at least one.
        scalars: one per point, of either sign, none zero.
    """
    signed = [
        (point if scalar > 0 else -point, abs(scalar))
        for point, scalar in zip(points, scalars, strict=True)
    ]
    bits = max(scalar.bit_length() for _, scalar in signed)
    width = _width(len(signed), bits)
    if _straus_additions(len(signed), bits) <= _bucket_additions(len(signed), bits, width):
        return _straus(signed, bits)
    return _buckets(signed, bits, width)


def _straus(terms: Sequence[tuple[Any, int]], bits: int) -> Any:
    """Bit by bit from the top: doubles the sum, and adds every point whose scalar has the bit."""
    total: Any = None
    for bit in range(bits - 1, -1, -1):
        if total is not None:
            total = total + total
        for point, scalar in terms:
            if scalar >> bit & 1:
                total = point if total is None else total + point
    return total


def _buckets(terms: Sequence[tuple[Any, int]], bits: int, width: int) -> Any:
    """Digit by digit from the top: points with the same digit are added up before it counts.

    Digits have a sign, which halves the buckets: all but the top one are taken from the scalar
    plus a half in every digit, and are that half too high.
    """
    half = 1 << width - 1
    top = bits // width * width
    halves = sum(half << shift for shift in range(0, top, width))
    rows = [(point, -point, scalar + halves) for point, scalar in terms]
    total: Any = None
    for shift in range(top, -1, -width):
        if total is not None:
            for _ in range(width):
                total = total + total
        excess = half if shift < top else 0
        digit = _sum_of_digits(rows, shift, (half << 1) - 1, excess)
        if digit is not None:
            total = digit if total is None else total + digit
    return total


def _sum_of_digits(
    rows: Sequence[tuple[Any, Any, int]], shift: int, mask: int, excess: int
) -> Any | None:
    """The sum of digit times point for the digits at `shift`, None if all of them are zero."""
    buckets: list[Any] = [None] * (mask // 2 + 2)
    for point, opposite, scalar in rows:
        digit = (scalar >> shift & mask) - excess
        if digit < 0:
            point, digit = opposite, -digit
        held = buckets[digit]
        buckets[digit] = point if held is None else held + point
    # The bucket of digit d is in the d sums from its own down to the first, so it counts d times.
    running: Any = None
    total: Any = None
    for held in buckets[:0:-1]:
        if held is not None:
            running = held if running is None else running + held
        if running is not None:
            total = running if total is None else total + running
    return total


def _straus_additions(count: int, bits: int) -> int:
    """Half of the bits are set."""
    return bits + count * bits // 2


def _bucket_additions(count: int, bits: int, width: int) -> int:
    """Per digit: every point into a bucket, and two additions per bucket."""
    return bits + (bits // width + 1) * (count + (1 << width))


@lru_cache(maxsize=_SHAPES_KEPT)
def _width(count: int, bits: int) -> int:
    """Bits of a digit with which `_buckets` takes fewest additions."""
    return min(range(1, _WIDEST + 1), key=lambda width: _bucket_additions(count, bits, width))
