"""What the unavoidable operations of a duty cost here and now, and how many of them there are.

The minimum is counted for one operator, in a slot that goes well:

- RSA verifications: gossip validation has to check every message of the others before it passes it
  on. That is a prepare, a commit and partial signatures of each, and the proposal of the leader.
  Own messages need none, nor do the signatures in a decided message, which came as commits before;
  in round 1 nothing has a justification.
- RSA signatures: the own prepare, commit and partial signatures, and the proposal when leading.
- Hashes to the curve: one. From Electra on all attesters of a slot sign the same root.
- G2 multiplications: one per validator, the own partial signature.
- G2 decodings: per validator a quorum less one; the own partial signature is known as a point.
- Combinations: one per validator, of parsed points, with the 96 bytes of the result.
- The check: the sum of all validators' signatures, each times a factor that nobody can foresee, and
  the same sum of their keys; then two pairings, because all share a message. With factors of 128
  bits, which make a lucky forgery as hard as breaking the curve, the best known way to make such a
  sum (Pippenger's) takes 24 additions per validator in each group.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from statistics import median

from sdk import committee
from sdk.crypto import bls, threshold
from sdk.crypto.multiples import additions
from sdk.crypto.secret import CURVE_ORDER, SecretKey
from sdk.testing.keys import operator_key
from sdk.types import OperatorId

MESSAGE = b"\x42" * 32
COVERED = bytes(260)
"""As many bytes as the envelope of a prepare has; hashing them costs next to nothing."""
FACTOR_BITS = 128
BURST_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Primitives:
    """Microseconds of processor time."""

    rsa_verify: float
    rsa_sign: float
    hash_to_g2: float
    sign: float
    g2_decode: float
    combine: float
    g1_add: float
    g2_add: float
    pairings: float


@dataclass(frozen=True, slots=True)
class Minimum:
    """How often an operator needs each; `pairings` are the two of one check."""

    rsa_verify: int
    rsa_sign: int
    hash_to_g2: int
    sign: int
    g2_decode: int
    combine: int
    g1_add: int
    g2_add: int
    pairings: int

    def us(self, cost: Primitives) -> float:
        """The floor in microseconds."""
        terms = (getattr(self, each.name) * getattr(cost, each.name) for each in fields(self))
        return float(sum(terms))


def minimum(size: int, validators: int, *, leading: bool) -> Minimum:
    """See the module; a committee of `size` operators whose validators all attest."""
    return Minimum(
        rsa_verify=3 * (size - 1) + (not leading),
        rsa_sign=3 + leading,
        hash_to_g2=1,
        sign=validators,
        g2_decode=validators * (committee.threshold_of(size) - 1),
        combine=validators,
        g1_add=sum_additions(validators),
        g2_add=sum_additions(validators),
        pairings=1,
    )


def sum_additions(claims: int) -> int:
    """Additions that the sum of so many claims takes in each group; one alone needs no factor."""
    return 0 if claims == 1 else additions(claims, FACTOR_BITS)


class Gauge:
    """Measures the primitives of one committee size, again and again between other runs."""

    def __init__(self, size: int) -> None:
        self._works = _works(committee.threshold_of(size))
        self._seen: list[Primitives] = []

    def measure(self) -> Primitives:
        """A burst of each."""
        costs = {name: _microseconds(work) for name, work in self._works.items()}
        self._seen.append(Primitives(**costs))
        return self._seen[-1]

    def typical(self) -> Primitives:
        """The median of all bursts."""
        return Primitives(
            **{name: median(getattr(each, name) for each in self._seen) for name in self._works}
        )


def _works(needed: int) -> dict[str, Callable[[], object]]:
    dice = random.Random(needed)
    key, secret = operator_key(1), SecretKey(dice.randrange(1, CURVE_ORDER))
    covered = key.sign(COVERED)
    # Another message each time, so that the cache of hashes does not flatter the figure.
    messages = (number.to_bytes(32, "big") for number in iter(lambda: dice.getrandbits(256), None))
    backend = bls.active()
    terms = [SecretKey(dice.randrange(1, CURVE_ORDER)) for _ in range(needed - 1)]
    shares = threshold.split(secret, terms, [OperatorId(each) for each in range(1, needed + 1)])
    points = {each: bls.sign_point(share, MESSAGE) for each, share in shares.items()}
    one, *_, other = (each.point for each in points.values())
    data, signature = points[OperatorId(1)].data, bls.sign_point(secret, MESSAGE).point
    public = bls.public_key_point(secret).point
    generator = bls.public_key_point(SecretKey(1)).point
    minus = backend.g1_multiply(generator, -1)
    hashed = backend.hash_to_g2(MESSAGE)
    return {
        "rsa_verify": partial(key.public_key.verify, COVERED, covered),
        "rsa_sign": partial(key.sign, COVERED),
        "hash_to_g2": lambda: backend.hash_to_g2(next(messages)),
        "sign": partial(bls.sign, secret, MESSAGE),
        "g2_decode": partial(bls.parse_signature, data),
        "combine": partial(threshold.recover_signature, points),
        "g1_add": lambda: public + generator,
        "g2_add": lambda: one + other,
        "pairings": partial(backend.pairings_cancel, [(public, hashed), (minus, signature)]),
    }


def _microseconds(work: Callable[[], object]) -> float:
    started = time.thread_time()
    work()
    count = max(3, int(BURST_SECONDS / max(time.thread_time() - started, 1e-6)))
    started = time.thread_time()
    for _ in range(count):
        work()
    return (time.thread_time() - started) / count * 1e6
