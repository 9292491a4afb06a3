"""Partial signatures into validators' signatures, every one verified before it is returned.

Pure, and slow beside the rest of the room: milliseconds for a committee, so that a driver calls it
in a worker. It is optimistic: every request's first quorum is combined and all results are verified
together. Only if that fails are partial signatures looked at, each operator's together over all
requests: a liar has its say in every one of them, and costs one search instead of one per request.

Source: docs/protocol.md, "Signatures" (reconstruction) and "Duties" (partial signatures).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from functools import lru_cache
from itertools import islice
from typing import Final

from operator_node.duties.types import Recovered, RecoveryRequest
from sdk.crypto import bls
from sdk.crypto.bls import Claim, PublicKeyPoint, SignaturePoint
from sdk.crypto.threshold import recover_signature_point
from sdk.errors import InvalidPoint
from sdk.types import OperatorId

_KEYS_KEPT: Final = 20_000
"""Parsed keys, about 10 MB: a validator and its shares are 5 to 14 keys, met again every epoch."""
_NOTHING: Final[Mapping[bytes, SignaturePoint]] = {}


def recover_all(
    requests: Sequence[RecoveryRequest],
    made: Mapping[bytes, SignaturePoint] = _NOTHING,
    distrusted: Set[OperatorId] = frozenset(),
) -> tuple[Recovered, ...]:
    """An answer per request, in order.

    Bytes that are no signature make their sender a culprit; a validator key that is no key only
    leaves its request without a signature.

    Args:
        requests: of any duties.
        made: partial signatures that this node made itself, by their bytes. They need no decoding,
            which is a quarter of the work on a committee of four.
        distrusted: culprits of late (`Distrust`). Their partials are combined last, and if any of
            an operator's do not hold all count as bad, since looking for them is what is slow.
    """
    held = [_by_trust(request, distrusted) for request in requests]
    found = [_combine(*each, made) for each in zip(requests, held, strict=True)]
    claims = _claims(requests, found)
    if len(claims) < len(requests) or not bls.verify_all([*claims.values()]):
        return _recover_with_care(requests, held, made, distrusted)
    return tuple(
        Recovered(request, signature.data if signature else None)
        for request, signature in zip(requests, found, strict=True)
    )


def _recover_with_care(
    requests: Sequence[RecoveryRequest],
    held: Sequence[Mapping[OperatorId, bytes]],
    made: Mapping[bytes, SignaturePoint],
    distrusted: Set[OperatorId],
) -> tuple[Recovered, ...]:
    """Checks every partial signature, and combines those that hold."""
    good = _good(requests, distrusted)
    kept = [
        {operator: each for operator, each in partials.items() if (place, operator) in good}
        for place, partials in enumerate(held)
    ]
    found = [_combine(*each, made) for each in zip(requests, kept, strict=True)]
    claims = _claims(requests, found)
    verified = dict(zip(claims, bls.verify_batch([*claims.values()]), strict=True))
    return tuple(
        Recovered(
            request,
            signature.data if signature and verified.get(place) else None,
            _culprits(request, held[place], kept[place]),
        )
        for place, (request, signature) in enumerate(zip(requests, found, strict=True))
    )


def _good(
    requests: Sequence[RecoveryRequest], distrusted: Set[OperatorId]
) -> set[tuple[int, OperatorId]]:
    """Which partial signatures hold, by request and operator; one batch per operator."""
    places: dict[OperatorId, list[int]] = {}
    claims: dict[OperatorId, list[Claim]] = {}
    for place, request in enumerate(requests):
        for operator, partial in request.partials.items():
            key = parse_key(request.share_keys[operator])
            if key is not None:
                places.setdefault(operator, []).append(place)
                claims.setdefault(operator, []).append(Claim(key, request.root, partial))
    good: set[tuple[int, OperatorId]] = set()
    for operator, its_claims in claims.items():
        if operator in distrusted:
            verdicts = [bls.verify_all(its_claims)] * len(its_claims)
        else:
            verdicts = bls.verify_batch(its_claims)
        pairs = zip(places[operator], verdicts, strict=True)
        good.update((place, operator) for place, holds in pairs if holds)
    return good


def _culprits(
    request: RecoveryRequest,
    held: Mapping[OperatorId, bytes],
    kept: Mapping[OperatorId, bytes],
) -> frozenset[OperatorId]:
    """Who sent what does not hold; nobody, if the first quorum did without them."""
    is_spoiled = any(operator not in kept for operator in islice(held, request.threshold))
    return frozenset(held.keys() - kept.keys()) if is_spoiled else frozenset()


def _by_trust(request: RecoveryRequest, distrusted: Set[OperatorId]) -> Mapping[OperatorId, bytes]:
    """The partial signatures in order of arrival, those of distrusted operators last."""
    partials = request.partials
    if partials.keys().isdisjoint(distrusted):
        return partials
    return {
        operator: partials[operator] for operator in sorted(partials, key=distrusted.__contains__)
    }


def _combine(
    request: RecoveryRequest,
    partials: Mapping[OperatorId, bytes],
    made: Mapping[bytes, SignaturePoint],
) -> SignaturePoint | None:
    """The signature that a threshold of partials carries, not verified; None for want of them."""
    chosen: dict[OperatorId, SignaturePoint] = {}
    try:
        for operator, partial in islice(partials.items(), request.threshold):
            chosen[operator] = made.get(partial) or bls.parse_signature(partial)
        return recover_signature_point(chosen) if len(chosen) == request.threshold else None
    except InvalidPoint:
        return None


def _claims(
    requests: Sequence[RecoveryRequest], found: Sequence[SignaturePoint | None]
) -> dict[int, Claim]:
    """By request: that its signature is the validator's over its root."""
    return {
        place: Claim(key, request.root, signature)
        for place, (request, signature) in enumerate(zip(requests, found, strict=True))
        if signature is not None and (key := parse_key(request.validator_key)) is not None
    }


def parse_key(data: bytes) -> PublicKeyPoint | None:
    """The key's point, parsed once; None for bytes that are no key."""
    return _parse_key(bls.active().name, data)


@lru_cache(maxsize=_KEYS_KEPT)
def _parse_key(backend: str, data: bytes) -> PublicKeyPoint | None:
    """By backend too, whose points are not those of another."""
    try:
        return bls.parse_public_key(data)
    except InvalidPoint:
        return None
