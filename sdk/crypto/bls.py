"""BLS12-381 signatures, Ethereum's proof-of-possession ciphersuite, over one of three backends.

The backend is chosen once: `PHALANX_BLS_BACKEND` (pyblst, arkworks or py_ecc), else pyblst.
Everything that enters as bytes is checked here: length, compression, curve, subgroup, identity.

Parsed points cost 60 to 100 microseconds each; hot paths parse a key once and keep the point.

Source: consensus-specs phase0/beacon-chain.md (BLS signatures); draft-irtf-cfrg-bls-signature.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from sdk.crypto.backend import G1, G1_BYTES, G1_GENERATOR, G2, G2_BYTES, Backend, check_encoding
from sdk.crypto.secret import SecretKey
from sdk.errors import ConfigError, InvalidPoint, UsageError
from sdk.types import PublicKey, Signature

BACKENDS: Final = ("pyblst", "arkworks", "py_ecc")
BACKEND_VARIABLE: Final = "PHALANX_BLS_BACKEND"
_BATCH_SCALAR_BITS: Final = 128
"""A forged batch passes with probability 2**-128 per try."""


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
    backend = active()
    generator = backend.g1_decode(G1_GENERATOR)
    return PublicKey(backend.g1_encode(backend.g1_multiply(generator, secret.reveal())))


def sign(secret: SecretKey, message: bytes) -> Signature:
    """The 96-byte signature over a message of any length; deterministic."""
    backend = active()
    point = backend.g2_multiply(backend.hash_to_g2(message), secret.reveal())
    return Signature(backend.g2_encode(point))


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
        keys = [_public_key_point(key) for key in public_keys]
        signature_point = _signature_point(signature)
    except InvalidPoint:
        return False
    key = keys[0] if len(keys) == 1 else backend.g1_combine(keys, [1] * len(keys))
    if len(keys) > 1 and backend.g1_encode(key)[0] & 0x40:
        return False
    return backend.pairings_cancel(
        [(key, backend.hash_to_g2(message)), (_minus_generator(backend), signature_point)]
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
    points = [_signature_point(signature) for signature in signatures]
    return Signature(backend.g2_encode(backend.g2_combine(points, [1] * len(points))))


def verify_batch(
    claims: Sequence[Claim], *, random_bits: Callable[[int], int] = secrets.randbits
) -> list[bool]:
    """A verdict per claim, at little more than half the price of one check each when all are good.

    All claims are joined with fresh random 128-bit factors and checked at once; a failing batch
    is halved until each bad claim stands alone.
    """
    verdicts = [False] * len(claims)
    parsed: list[tuple[int, G1, G2, G2]] = []
    backend = active()
    for position, claim in enumerate(claims):
        try:
            key, signature = _public_key_point(claim.public_key), _signature_point(claim.signature)
        except InvalidPoint:
            continue
        parsed.append((position, key, backend.hash_to_g2(claim.message), signature))
    for position in _passing(parsed, backend, random_bits):
        verdicts[position] = True
    return verdicts


def _passing(
    items: list[tuple[int, G1, G2, G2]], backend: Backend, random_bits: Callable[[int], int]
) -> Iterator[int]:
    if not items:
        return
    factors = [random_bits(_BATCH_SCALAR_BITS) | 1 for _ in items]
    if len(items) == 1:
        factors = [1]
    pairs: list[tuple[G1, G2]] = [
        (backend.g1_multiply(key, factor), message)
        for (_, key, message, _), factor in zip(items, factors, strict=True)
    ]
    signatures = backend.g2_combine([signature for *_, signature in items], factors)
    if backend.pairings_cancel([*pairs, (_minus_generator(backend), signatures)]):
        yield from (position for position, *_ in items)
    elif len(items) > 1:
        middle = len(items) // 2
        yield from _passing(items[:middle], backend, random_bits)
        yield from _passing(items[middle:], backend, random_bits)


def active() -> Backend:
    """The backend in use."""
    global _active
    if _active is None:
        _active = load_backend(os.environ.get(BACKEND_VARIABLE) or BACKENDS[0])
    return _active


def load_backend(name: str) -> Backend:
    """The backend of that name; its library is imported only now.

    Raises:
        ConfigError: unknown name.
    """
    if name == "pyblst":
        from sdk.crypto.backend_pyblst import PyblstBackend

        return PyblstBackend()
    if name == "arkworks":
        from sdk.crypto.backend_arkworks import ArkworksBackend

        return ArkworksBackend()
    if name == "py_ecc":
        from sdk.crypto.backend_py_ecc import PyEccBackend

        return PyEccBackend()
    raise ConfigError(
        f"{BACKEND_VARIABLE}={name} is no BLS backend", hint=f"Use one of {', '.join(BACKENDS)}."
    )


@contextmanager
def using(name: str) -> Iterator[None]:
    """Use another backend inside the block, for tests and benchmarks. Points do not cross over."""
    global _active
    before = _active
    _active = load_backend(name)
    try:
        yield
    finally:
        _active = before


def parse_all(keys: Iterable[bytes]) -> list[PublicKeyPoint]:
    """Every key parsed; raises InvalidPoint at the first bad one."""
    return [parse_public_key(key) for key in keys]


def _public_key_point(key: AnyPublicKey) -> G1:
    return key.point if isinstance(key, PublicKeyPoint) else parse_public_key(key).point


def _signature_point(signature: AnySignature) -> G2:
    if isinstance(signature, SignaturePoint):
        return signature.point
    return parse_signature(signature).point


def _minus_generator(backend: Backend) -> G1:
    point = _minus_generators.get(backend.name)
    if point is None:
        point = backend.g1_multiply(backend.g1_decode(G1_GENERATOR), -1)
        _minus_generators[backend.name] = point
    return point


_active: Backend | None = None
_minus_generators: dict[str, G1] = {}
