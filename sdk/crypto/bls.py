"""BLS12-381 signatures, Ethereum's proof-of-possession ciphersuite, over one of three backends.

The backend is chosen once: `PHALANX_BLS_BACKEND` (pyblst, arkworks or py_ecc), else pyblst.
Everything that enters as bytes is checked here: length, compression, curve, subgroup, identity.

Parsed points cost 60 to 100 microseconds each; hot paths parse a key once and keep the point.

Source: consensus-specs phase0/beacon-chain.md (BLS signatures); draft-irtf-cfrg-bls-signature.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256, shake_256
from typing import Final, TypeAlias

from sdk.crypto.backend import G1, G1_BYTES, G1_GENERATOR, G2, G2_BYTES, Backend, check_encoding
from sdk.crypto.secret import SecretKey
from sdk.errors import ConfigError, InvalidPoint, UsageError
from sdk.types import PublicKey, Signature

BACKENDS: Final = ("pyblst", "arkworks", "py_ecc")
BACKEND_VARIABLE: Final = "PHALANX_BLS_BACKEND"
_FACTOR_BYTES: Final = 16
"""A batch with a bad claim passes with probability 2**-127 per batch somebody hashes."""


@dataclass(frozen=True, slots=True)
class PublicKeyPoint:
    """A checked public key: its 48 bytes and its parsed point. Equal by bytes."""

    data: PublicKey
    point: G1 = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class SignaturePoint:
    """A checked signature: its 96 bytes and its parsed point. Equal by bytes."""

    data: Signature
    point: G2 = field(repr=False, compare=False)


AnyPublicKey: TypeAlias = bytes | PublicKeyPoint
AnySignature: TypeAlias = bytes | SignaturePoint


@dataclass(frozen=True, slots=True)
class Claim:
    """'This key signed this message': one item of a batch."""

    public_key: AnyPublicKey
    message: bytes
    signature: AnySignature


def parse_public_key(data: bytes) -> PublicKeyPoint:
    """The public key of 48 bytes.

    Raises:
        InvalidPoint: wrong length, uncompressed, infinity, off the curve or the subgroup.
    """
    data = check_encoding(data, length=G1_BYTES, what="public key")
    return PublicKeyPoint(PublicKey(data), active().g1_decode(data))


def parse_signature(data: bytes) -> SignaturePoint:
    """The signature of 96 bytes.

    Raises:
        InvalidPoint: wrong length, uncompressed, infinity, off the curve or the subgroup.
    """
    data = check_encoding(data, length=G2_BYTES, what="signature")
    return SignaturePoint(Signature(data), active().g2_decode(data))


def public_key(secret: SecretKey) -> PublicKey:
    """The 48-byte public key of a secret key."""
    return public_key_point(secret).data


def public_key_point(secret: SecretKey) -> PublicKeyPoint:
    """The public key of a secret key with its point, for when points are needed next."""
    backend = active()
    point = backend.g1_multiply(_generator(backend.name), secret.reveal())
    return PublicKeyPoint(PublicKey(backend.g1_encode(point)), point)


def public_key_of_point(point: G1) -> PublicKey:
    """The 48 bytes of a point that this module computed.

    Raises:
        InvalidPoint: it is the point at infinity.
    """
    data = active().g1_encode(point)
    return PublicKey(check_encoding(data, length=G1_BYTES, what="public key"))


def signature_of_point(point: G2) -> SignaturePoint:
    """The signature that this module computed as a point, with its 96 bytes.

    Raises:
        InvalidPoint: it is the point at infinity.
    """
    data = check_encoding(active().g2_encode(point), length=G2_BYTES, what="signature")
    return SignaturePoint(Signature(data), point)


def sign(secret: SecretKey, message: bytes) -> Signature:
    """The 96-byte signature over a message of any length; deterministic."""
    return sign_point(secret, message).data


def sign_point(secret: SecretKey, message: bytes) -> SignaturePoint:
    """The signature with its point, for when it is combined with others next."""
    backend = active()
    return signature_of_point(backend.g2_multiply(backend.hash_to_g2(message), secret.reveal()))


def verify(public_key: AnyPublicKey, message: bytes, signature: AnySignature) -> bool:
    """Whether `signature` is the key's signature over `message`; False for invalid bytes too."""
    return fast_aggregate_verify([public_key], message, signature)


def fast_aggregate_verify(
    public_keys: Sequence[AnyPublicKey], message: bytes, signature: AnySignature
) -> bool:
    """Whether `signature` aggregates one signature of every key over the same message.

    False for an empty list, for invalid bytes, and for keys that sum to the identity.
    """
    if not public_keys:
        return False
    backend = active()
    try:
        keys = [_public_key(key).point for key in public_keys]
        signature_point = _signature(signature).point
    except InvalidPoint:
        return False
    key = keys[0] if len(keys) == 1 else backend.g1_combine(keys, [1] * len(keys))
    if len(keys) > 1 and backend.g1_encode(key)[0] & 0x40:
        return False
    return backend.pairings_cancel(
        [(key, backend.hash_to_g2(message)), (_minus_generator(backend.name), signature_point)]
    )


def aggregate(signatures: Sequence[AnySignature]) -> Signature:
    """The sum of at least one signature.

    Raises:
        UsageError: no signatures.
        InvalidPoint: one of them is invalid.
    """
    if not signatures:
        raise UsageError("nothing to aggregate: no signatures given")
    backend = active()
    points = [_signature(signature).point for signature in signatures]
    return Signature(backend.g2_encode(backend.g2_combine(points, [1] * len(points))))


def verify_batch(claims: Sequence[Claim]) -> list[bool]:
    """A verdict per claim, at half the price of one check each when all are good.

    All claims are joined with 128-bit factors and checked at once; a failing batch is halved until
    each bad claim stands alone. The factors are a hash over the whole batch, so nobody can choose
    claims that cancel out, and the same batch always takes the same path.

    Claims over the same message share one pairing and one hash to the curve; hundreds of them cost
    a tenth of one check each.
    """
    backend = active()
    verdicts = [False] * len(claims)
    items = _batch_items(claims)
    points = _message_points(items, backend)
    for position in _passing(items, points, backend):
        verdicts[position] = True
    return verdicts


def verify_all(claims: Sequence[Claim]) -> bool:
    """Whether every claim holds, as `verify_batch`, without looking for the bad ones.

    A batch that fails costs as much as one that holds, however many of its claims are bad.
    """
    backend = active()
    items = _batch_items(claims)
    if len(items) < len(claims):
        return False
    return not items or _hold_together(items, _message_points(items, backend), backend)


@dataclass(frozen=True, slots=True)
class _BatchItem:
    position: int
    key: G1
    message: bytes
    signature: G2
    transcript: bytes


def _batch_items(claims: Sequence[Claim]) -> list[_BatchItem]:
    """The claims whose bytes are points."""
    items: list[_BatchItem] = []
    digests = {message: sha256(message).digest() for message in {each.message for each in claims}}
    for position, claim in enumerate(claims):
        try:
            key, signature = _public_key(claim.public_key), _signature(claim.signature)
        except InvalidPoint:
            continue
        items.append(
            _BatchItem(
                position=position,
                key=key.point,
                message=claim.message,
                signature=signature.point,
                transcript=key.data + digests[claim.message] + signature.data,
            )
        )
    return items


def _message_points(items: Sequence[_BatchItem], backend: Backend) -> dict[bytes, G2]:
    return {message: backend.hash_to_g2(message) for message in {item.message for item in items}}


def _passing(
    items: Sequence[_BatchItem], points: Mapping[bytes, G2], backend: Backend
) -> Iterator[int]:
    if not items:
        return
    if _hold_together(items, points, backend):
        yield from (item.position for item in items)
    elif len(items) > 1:
        middle = len(items) // 2
        yield from _passing(items[:middle], points, backend)
        yield from _passing(items[middle:], points, backend)


def _hold_together(
    items: Sequence[_BatchItem], points: Mapping[bytes, G2], backend: Backend
) -> bool:
    factors = _batch_factors(items)
    by_message: dict[bytes, tuple[list[G1], list[int]]] = {}
    for item, factor in zip(items, factors, strict=True):
        keys, scalars = by_message.setdefault(item.message, ([], []))
        keys.append(item.key)
        scalars.append(factor)
    pairs: list[tuple[G1, G2]] = [
        (backend.g1_combine(keys, scalars), points[message])
        for message, (keys, scalars) in by_message.items()
    ]
    signatures = backend.g2_combine([item.signature for item in items], factors)
    return backend.pairings_cancel([*pairs, (_minus_generator(backend.name), signatures)])


def _batch_factors(items: Sequence[_BatchItem]) -> list[int]:
    """One per item. The first is 1: bad claims cancel out only if a drawn factor happens to fit."""
    transcript = b"".join(item.transcript for item in items)
    drawn = shake_256(transcript).digest((len(items) - 1) * _FACTOR_BYTES)
    cuts = range(0, len(drawn), _FACTOR_BYTES)
    return [1, *(1 | int.from_bytes(drawn[at : at + _FACTOR_BYTES], "big") for at in cuts)]


def active() -> Backend:
    """The backend in use."""
    global _active
    if _active is None:
        _active = load_backend(os.environ.get(BACKEND_VARIABLE) or BACKENDS[0])
    return _active


@lru_cache(maxsize=len(BACKENDS))
def load_backend(name: str) -> Backend:
    """The backend of that name; its library is imported only now.

    Raises:
        ConfigError: unknown name, or the library is not installed.
    """
    try:
        return _load_backend(name)
    except ImportError as problem:
        raise ConfigError(
            f"the BLS backend {name} cannot be loaded ({problem})",
            code="bls_backend",
            hint=f"Install it, or choose another of {', '.join(BACKENDS)} by {BACKEND_VARIABLE}.",
        ) from problem


def _load_backend(name: str) -> Backend:
    if name == "pyblst":
        from sdk.crypto.backend_pyblst import PyblstBackend

        return PyblstBackend()
    if name == "arkworks":
        from sdk.crypto.backend_arkworks import ArkworksBackend

        return ArkworksBackend()
    if name == "py_ecc":
        # Importing py_ecc raises the recursion limit to 100,000. A deeply nested JSON file could
        # then overflow the C stack of the process; the arithmetic itself needs no depth.
        limit = sys.getrecursionlimit()
        from sdk.crypto.backend_py_ecc import PyEccBackend

        sys.setrecursionlimit(limit)
        return PyEccBackend()
    raise ConfigError(
        f"{BACKEND_VARIABLE}={name} is no BLS backend", hint=f"Use one of {', '.join(BACKENDS)}."
    )


@contextmanager
def using(backend: str | Backend) -> Iterator[None]:
    """Use another backend inside the block, for tests and benchmarks. Points do not cross over."""
    global _active
    before = _active
    _active = load_backend(backend) if isinstance(backend, str) else backend
    try:
        yield
    finally:
        _active = before


def _public_key(key: AnyPublicKey) -> PublicKeyPoint:
    return key if isinstance(key, PublicKeyPoint) else parse_public_key(key)


def _signature(signature: AnySignature) -> SignaturePoint:
    return signature if isinstance(signature, SignaturePoint) else parse_signature(signature)


@lru_cache(maxsize=len(BACKENDS))
def _generator(backend: str) -> G1:
    return load_backend(backend).g1_decode(G1_GENERATOR)


@lru_cache(maxsize=len(BACKENDS))
def _minus_generator(backend: str) -> G1:
    return load_backend(backend).g1_multiply(_generator(backend), -1)


_active: Backend | None = None
