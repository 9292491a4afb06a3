"""Any t of n shares recover, t - 1 never do; the fast combination equals the plain sum."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from sdk import committee
from sdk.crypto import bls, threshold
from sdk.crypto.secret import CURVE_ORDER, SecretKey
from sdk.types import OperatorId

MESSAGE = b"\x11" * 32
scalars = st.integers(1, CURVE_ORDER - 1)
small_ids = st.integers(1, 5000)
any_ids = st.one_of(small_ids, st.integers(1, 2**64 - 1))


@st.composite
def sharings(draw: st.DrawFn) -> tuple[SecretKey, dict[OperatorId, SecretKey], int]:
    size, needed = draw(st.sampled_from(sorted(committee.THRESHOLDS.items())))
    ids = draw(st.lists(any_ids, min_size=size, max_size=size, unique=True))
    secret = SecretKey(draw(scalars))
    coefficients = [SecretKey(draw(scalars)) for _ in range(needed - 1)]
    return secret, threshold.split(secret, coefficients, [OperatorId(i) for i in ids]), needed


@given(sharings(), st.randoms(use_true_random=False))
def test_any_t_shares_recover_and_fewer_never_do(
    sharing: tuple[SecretKey, dict[OperatorId, SecretKey], int], rng: object
) -> None:
    secret, shares, needed = sharing
    order = list(shares)
    rng.shuffle(order)  # type: ignore[attr-defined]
    enough = {operator: shares[operator] for operator in order[:needed]}
    assert threshold.recover_secret(enough) == secret
    too_few = {operator: shares[operator] for operator in order[: needed - 1]}
    assert threshold.recover_secret(too_few) != secret


@settings(max_examples=25)
@given(sharings(), st.randoms(use_true_random=False))
def test_any_t_partials_recover_the_signature_and_fewer_never_do(
    sharing: tuple[SecretKey, dict[OperatorId, SecretKey], int], rng: object
) -> None:
    secret, shares, needed = sharing
    order = list(shares)
    rng.shuffle(order)  # type: ignore[attr-defined]
    partials = {operator: bls.sign(shares[operator], MESSAGE) for operator in order[:needed]}
    whole = bls.sign(secret, MESSAGE)
    assert threshold.recover_signature(partials) == whole
    keys = {operator: bls.public_key(shares[operator]) for operator in order[:needed]}
    assert threshold.recover_public_key(keys) == bls.public_key(secret)
    partials.popitem()
    assert threshold.recover_signature(partials) != whole


@settings(max_examples=60)
@given(
    st.lists(st.tuples(scalars, st.integers(-(2**130), 2**130)), min_size=1, max_size=6),
    st.integers(1, 2**70),
    st.sampled_from(["pyblst", "arkworks"]),
)
def test_combination_equals_scalar_arithmetic(
    terms: list[tuple[int, int]], divisor: int, backend: str
) -> None:
    """Points are known multiples of the generator, so the result is known from plain integers."""
    total = sum(base * scalar for base, scalar in terms) * pow(divisor, -1, CURVE_ORDER)
    if total % CURVE_ORDER == 0:
        return
    with bls.using(backend):
        curve = bls.active()
        g1_points = [
            bls.parse_public_key(bls.public_key(SecretKey(base))).point for base, _ in terms
        ]
        g1 = curve.g1_encode(curve.g1_combine(g1_points, [s for _, s in terms], divisor))
        assert g1 == bls.public_key(SecretKey(total % CURVE_ORDER))
        g2_points = [
            bls.parse_signature(bls.sign(SecretKey(base), MESSAGE)).point for base, _ in terms
        ]
        g2 = curve.g2_encode(curve.g2_combine(g2_points, [s for _, s in terms], divisor))
        assert g2 == bls.sign(SecretKey(total % CURVE_ORDER), MESSAGE)
