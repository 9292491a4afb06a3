"""The fast sum of multiples equals the plain one, in the integers and in both curve groups."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from sdk.crypto import bls
from sdk.crypto.multiples import sum_of_multiples
from sdk.crypto.secret import CURVE_ORDER, SecretKey

scalars = st.integers(-(2**130), 2**130).filter(bool)
terms = st.lists(st.tuples(st.integers(-(2**64), 2**64), scalars), min_size=1, max_size=80)


@given(terms)
def test_sum_of_integers_is_the_plain_one(pairs: list[tuple[int, int]]) -> None:
    points, factors = zip(*pairs, strict=True)
    assert sum_of_multiples(points, factors) == sum(point * factor for point, factor in pairs)


@settings(max_examples=20)
@given(st.lists(st.integers(1, 2**128 - 1), min_size=30, max_size=60))
def test_sum_of_many_points_is_that_of_the_scalars(factors: list[int]) -> None:
    """Points are the multiples 1, 2, 3 … of a generator, so the result is known."""
    total = sum(place * factor for place, factor in enumerate(factors, 1)) % CURVE_ORDER
    generator = bls.public_key_point(SecretKey(1)).point
    signature = bls.sign_point(SecretKey(1), b"a message").point
    backend = bls.active()
    keys, signatures = [generator], [signature]
    for _ in factors[1:]:
        keys.append(keys[-1] + generator)
        signatures.append(signatures[-1] + signature)
    key = backend.g1_encode(backend.g1_combine(keys, factors))
    assert key == bls.public_key(SecretKey(total))
    joined = backend.g2_encode(backend.g2_combine(signatures, factors))
    assert joined == bls.sign(SecretKey(total), b"a message")
