"""Signatures for simulations: real ones, and fast stand-ins with the same interface and rules.

A stand-in is a hash of the key's name and the message. Anybody could forge one, but nobody does:
what matters to a simulation is which signatures hold, whose they are, and that t partial signatures
over one root, and no fewer, give the validator's. Recovery looks at the partials in the same order
as the real one and names the same culprits.

Pure. The real keys are throwaway keys published with this project.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from itertools import islice
from typing import Final, Protocol

from operator_node.duties.recover import recover_all
from operator_node.duties.types import Recovered, RecoveryRequest
from sdk.crypto import bls
from sdk.crypto.operator_keys import OperatorPrivateKey
from sdk.crypto.secret import CURVE_ORDER, SecretKey
from sdk.crypto.threshold import split
from sdk.testing.keys import MAX_OPERATORS, operator_key, validator_secret
from sdk.types import OperatorId, PublicKey, Signature

_SHARES_KEPT: Final = 4_096
"""Parsed secret shares: a handful of validators, thirteen operators, some dealings of each."""


class Signatures(Protocol):
    """The cryptography of one simulated network."""

    def sign_message(self, operator: OperatorId, data: bytes, /) -> bytes:
        """An operator's signature, 256 bytes."""

    def holds(self, operator: OperatorId, data: bytes, signature: bytes, /) -> bool:
        """Whether that is the operator's signature over the data."""

    def deal(
        self, validator: int, operators: Sequence[OperatorId], dealing: int, /
    ) -> tuple[PublicKey, Mapping[OperatorId, PublicKey]]:
        """A validator's key and the share keys of a committee; dealings share the validator key."""

    def sign_root(self, share_key: PublicKey, root: bytes, /) -> Signature:
        """The partial signature of a share that was dealt."""

    def share_signed(self, share_key: PublicKey, root: bytes, signature: bytes, /) -> bool:
        """Whether that is the share's partial signature."""

    def validator_signed(self, key: PublicKey, root: bytes, signature: bytes, /) -> bool:
        """Whether that is the validator's signature."""

    def recover(self, requests: Sequence[RecoveryRequest], /) -> tuple[Recovered, ...]:
        """As `operator_node.duties.recover_all`."""


class StandIns:
    """Hashes instead of signatures."""

    def __init__(self) -> None:
        self._thresholds: dict[PublicKey, int] = {}
        self._signed: dict[tuple[OperatorId, bytes], bytes] = {}
        self._signed_roots: dict[tuple[PublicKey, bytes], Signature] = {}

    def sign_message(self, operator: OperatorId, data: bytes, /) -> bytes:
        signature = self._signed[operator, data] = _operator_signature(operator, data)
        return signature

    def holds(self, operator: OperatorId, data: bytes, signature: bytes, /) -> bool:
        # A whole committee asks about each; what nobody signed is not remembered.
        expected = self._signed.get((operator, data)) or _operator_signature(operator, data)
        return signature == expected

    def deal(
        self, validator: int, operators: Sequence[OperatorId], dealing: int, /
    ) -> tuple[PublicKey, Mapping[OperatorId, PublicKey]]:
        shares = {each: _name(f"share {validator} {dealing} {each}") for each in operators}
        key = _name(f"validator {validator}")
        self._thresholds[key] = len(operators) - (len(operators) - 1) // 3
        return key, shares

    def sign_root(self, share_key: PublicKey, root: bytes, /) -> Signature:
        signature = self._signed_roots.get((share_key, root))
        if signature is None:
            signature = Signature(sha256(share_key + root).digest() * 3)
            self._signed_roots[share_key, root] = signature
        return signature

    def share_signed(self, share_key: PublicKey, root: bytes, signature: bytes, /) -> bool:
        return signature == self.sign_root(share_key, root)

    def validator_signed(self, key: PublicKey, root: bytes, signature: bytes, /) -> bool:
        return signature == self.sign_root(key, root)

    def recover(self, requests: Sequence[RecoveryRequest], /) -> tuple[Recovered, ...]:
        return tuple(map(self._recover, requests))

    def _recover(self, request: RecoveryRequest) -> Recovered:
        partials, keys, root = request.partials, request.share_keys, request.root
        chosen = tuple(islice(partials.items(), request.threshold))
        all_good = all(self.sign_root(keys[each], root) == partial for each, partial in chosen)
        # Too few partial signatures give a signature too, but not the validator's.
        is_enough = request.threshold >= self._thresholds[request.validator_key]
        if is_enough and len(chosen) >= request.threshold and all_good:
            return Recovered(request, self.sign_root(request.validator_key, root))
        culprits = frozenset(
            each
            for each, partial in partials.items()
            if self.sign_root(keys[each], root) != partial
        )
        if not is_enough or len(partials) - len(culprits) < request.threshold:
            return Recovered(request, None, culprits)
        return Recovered(request, self.sign_root(request.validator_key, root), culprits)


class RealSignatures:
    """RSA-2048 and BLS12-381, with throwaway keys."""

    def __init__(self) -> None:
        self._secrets: dict[PublicKey, SecretKey] = {}

    def sign_message(self, operator: OperatorId, data: bytes, /) -> bytes:
        return _rsa_key(operator).sign(data)

    def holds(self, operator: OperatorId, data: bytes, signature: bytes, /) -> bool:
        return _rsa_key(operator).public_key.verify(data, signature)

    def deal(
        self, validator: int, operators: Sequence[OperatorId], dealing: int, /
    ) -> tuple[PublicKey, Mapping[OperatorId, PublicKey]]:
        secret, shares = _dealt(validator, tuple(operators), dealing)
        keys = {operator: bls.public_key(share) for operator, share in shares.items()}
        self._secrets |= {keys[operator]: share for operator, share in shares.items()}
        return bls.public_key(secret), keys

    def sign_root(self, share_key: PublicKey, root: bytes, /) -> Signature:
        return bls.sign(self._secrets[share_key], root)

    def share_signed(self, share_key: PublicKey, root: bytes, signature: bytes, /) -> bool:
        return bls.verify(share_key, root, signature)

    def validator_signed(self, key: PublicKey, root: bytes, signature: bytes, /) -> bool:
        return bls.verify(key, root, signature)

    def recover(self, requests: Sequence[RecoveryRequest], /) -> tuple[Recovered, ...]:
        return recover_all(requests)


def _operator_signature(operator: OperatorId, data: bytes) -> bytes:
    return sha256(b"operator %d " % operator + data).digest() * 8


def _name(text: str) -> PublicKey:
    """48 bytes that no other text gives."""
    digest = sha256(text.encode()).digest()
    return PublicKey(digest + digest[:16])


def _rsa_key(operator: int) -> OperatorPrivateKey:
    # There are thirteen throwaway keys; operators whose ids differ by thirteen share one.
    return operator_key(1 + operator % MAX_OPERATORS)


@lru_cache(maxsize=_SHARES_KEPT)
def _dealt(
    validator: int, operators: tuple[OperatorId, ...], dealing: int
) -> tuple[SecretKey, dict[OperatorId, SecretKey]]:
    secret = validator_secret(validator)
    terms = 2 * (len(operators) - 1) // 3
    coefficients = [_coefficient(validator, dealing, term) for term in range(terms)]
    return secret, split(secret, coefficients, operators)


def _coefficient(validator: int, dealing: int, term: int) -> SecretKey:
    digest = sha256(b"coefficient %d %d %d" % (validator, dealing, term)).digest()
    return SecretKey(1 + int.from_bytes(digest, "big") % (CURVE_ORDER - 1))
