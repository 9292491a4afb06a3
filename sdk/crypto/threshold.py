"""Shamir's sharing over the BLS12-381 scalar field, and recovery in the scalar field, G1 and G2.

Pure: the polynomial's coefficients come from the caller. An operator's share is the polynomial at
its on-chain operator id, so ids must be distinct and non-zero modulo r.

`combine` is optimistic: it joins t partial signatures, checks the result once, and only if that
fails checks the partials one by one to name the culprit.

Source: docs/shares.md; Shamir, How to share a secret (1979).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from math import gcd, lcm

from sdk.crypto import bls
from sdk.crypto.bls import AnyPublicKey, AnySignature, PublicKeyPoint, SignaturePoint
from sdk.crypto.secret import CURVE_ORDER, SecretKey
from sdk.errors import InputError, InvalidPoint
from sdk.types import OperatorId, PublicKey, Signature


def split(
    secret: SecretKey, coefficients: Sequence[SecretKey], ids: Sequence[OperatorId]
) -> dict[OperatorId, SecretKey]:
    """One share per operator: the polynomial at its id.

    Args:
        secret: the constant term.
        coefficients: the t - 1 other terms, lowest first, uniformly random.
        ids: evaluation points, distinct and non-zero modulo r, at least t of them.

    Raises:
        InputError: bad ids, too few of them, or a share that came out zero (chance 2**-254; draw
            new coefficients).
    """
    _check_points(ids)
    if len(ids) <= len(coefficients):
        raise InputError(
            f"{len(ids)} shares cannot carry a threshold of {len(coefficients) + 1}",
            code="operator_count",
        )
    terms = [secret.reveal(), *(coefficient.reveal() for coefficient in coefficients)]
    return {operator: SecretKey(_evaluate(terms, operator)) for operator in ids}


def recover_secret(shares: Mapping[OperatorId, SecretKey]) -> SecretKey:
    """The secret that at least t shares carry; with fewer, an unrelated key.

    Raises:
        InputError: bad ids, or the result is zero.
    """
    numerators, denominator = _recovery_weights(tuple(shares), 0)
    total = sum(
        weight * share.reveal() for weight, share in zip(numerators, shares.values(), strict=True)
    )
    return SecretKey(total * pow(denominator, -1, CURVE_ORDER) % CURVE_ORDER)


def recover_public_key(
    keys: Mapping[OperatorId, AnyPublicKey], *, at: OperatorId | None = None
) -> PublicKey:
    """The public key at the polynomial's zero, or at another operator's id.

    Raises:
        InputError: bad ids.
        InvalidPoint: one of the keys is invalid, or the result is the identity.
    """
    backend = bls.active()
    points = [
        key.point if isinstance(key, PublicKeyPoint) else bls.parse_public_key(key).point
        for key in keys.values()
    ]
    numerators, denominator = _recovery_weights(tuple(keys), at or 0)
    return bls.public_key_of_point(backend.g1_combine(points, numerators, denominator))


def recover_signature(partials: Mapping[OperatorId, AnySignature]) -> Signature:
    """The validator's signature that at least t partial signatures carry; not yet verified.

    Raises:
        InputError: bad ids.
        InvalidPoint: one of the partials is invalid, or the result is the identity.
    """
    return recover_signature_point(partials).data


def recover_signature_point(partials: Mapping[OperatorId, AnySignature]) -> SignaturePoint:
    """As `recover_signature`, with the point, which verifying it next then need not decode."""
    backend = bls.active()
    points = [
        partial.point if isinstance(partial, SignaturePoint) else bls.parse_signature(partial).point
        for partial in partials.values()
    ]
    numerators, denominator = _recovery_weights(tuple(partials), 0)
    return bls.signature_of_point(backend.g2_combine(points, numerators, denominator))


@dataclass(frozen=True, slots=True)
class Combined:
    """What `combine` found.

    Attributes:
        signature: the validator's verified signature, or None if fewer than t partials are good.
        culprits: operators whose partial was found bad; empty when the first try succeeded,
            because then nobody looked.
    """

    signature: Signature | None
    culprits: frozenset[OperatorId]


def combine(
    partials: Mapping[OperatorId, AnySignature],
    share_keys: Mapping[OperatorId, AnyPublicKey],
    *,
    validator_key: AnyPublicKey,
    message: bytes,
    threshold: int,
) -> Combined:
    """The validator's signature from at least t partials, verified before it is returned.

    Args:
        partials: 96-byte partial signatures by operator; any number.
        share_keys: the share public key of every operator in `partials`.
        validator_key: the key that the result must verify under.
        message: the 32-byte signing root.
        threshold: t.
    """
    if len(partials) >= threshold:
        chosen = dict(islice(partials.items(), threshold))
        signature = _recover_verified(chosen, validator_key, message)
        if signature is not None:
            return Combined(signature, frozenset())
    good = {
        operator: partial
        for operator, partial in partials.items()
        if bls.verify(share_keys[operator], message, partial)
    }
    culprits = frozenset(partials) - frozenset(good)
    if len(good) < threshold:
        return Combined(None, culprits)
    chosen = dict(islice(good.items(), threshold))
    return Combined(_recover_verified(chosen, validator_key, message), culprits)


def carry_key(
    keys: Mapping[OperatorId, AnyPublicKey], *, validator_key: PublicKey, threshold: int
) -> bool:
    """Whether all share keys lie on one polynomial of degree t - 1 through the validator key.

    The first t keys fix the polynomial; it must give the validator key at zero and every further
    share key at its operator's id. So every t-subset recovers the validator key.

    Raises:
        InputError: bad ids, or fewer than t keys.
        InvalidPoint: a share key is invalid.
    """
    if len(keys) < threshold:
        raise InputError(
            f"{len(keys)} share keys cannot show a threshold of {threshold}", code="operator_count"
        )
    points = {
        operator: key if isinstance(key, PublicKeyPoint) else bls.parse_public_key(key)
        for operator, key in keys.items()
    }
    base = dict(islice(points.items(), threshold))
    try:
        if recover_public_key(base) != validator_key:
            return False
        return all(
            recover_public_key(base, at=operator) == point.data
            for operator, point in islice(points.items(), threshold, None)
        )
    except InvalidPoint:
        return False  # the polynomial passes through the identity: no valid key there


def _recover_verified(
    partials: Mapping[OperatorId, AnySignature], validator_key: AnyPublicKey, message: bytes
) -> Signature | None:
    try:
        signature = recover_signature_point(partials)
    except InvalidPoint:
        return None
    return signature.data if bls.verify(validator_key, message, signature) else None


def _evaluate(terms: Sequence[int], point: int) -> int:
    value = 0
    for term in reversed(terms):
        value = (value * point + term) % CURVE_ORDER
    return value


@lru_cache(maxsize=1024)
def _recovery_weights(ids: tuple[int, ...], at: int) -> tuple[tuple[int, ...], int]:
    """Lagrange weights at `at` as integers over one common denominator.

    Weight i is numerator i / denominator modulo r. Over small ids the numerators are small, which
    is what makes recovery in G1 and G2 cheap.
    """
    _check_points(ids)
    fractions: list[tuple[int, int]] = []
    for own in ids:
        top, bottom = 1, 1
        for other in ids:
            if other != own:
                top *= at - other
                bottom *= own - other
        shared = gcd(top, bottom)
        fractions.append((top // shared, bottom // shared))
    denominator = lcm(*(bottom for _, bottom in fractions))
    numerators = tuple(top * (denominator // bottom) for top, bottom in fractions)
    return numerators, denominator % CURVE_ORDER


def _check_points(ids: Sequence[int]) -> None:
    if not ids:
        raise InputError("no operator ids given", code="operator_ids")
    reduced = {operator % CURVE_ORDER for operator in ids}
    if 0 in reduced or len(reduced) != len(ids):
        raise InputError(
            f"operator ids must be distinct and not zero, got {', '.join(map(str, ids))}",
            code="operator_ids_not_unique",
        )
