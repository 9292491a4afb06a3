"""Microseconds per BLS operation, per backend, best of several rounds."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import partial

from sdk.crypto import bls, threshold
from sdk.crypto.secret import CURVE_ORDER, SecretKey
from sdk.types import OperatorId

MESSAGE = b"\x42" * 32
BUDGET_SECONDS = 1.0
ROUNDS = 5


def run() -> None:
    """Prints one table: operations by backend."""
    print("BLS12-381, microseconds per operation (points parsed unless stated):\n")
    print("| operation | " + " | ".join(bls.BACKENDS) + " |")
    print("| --- |" + " ---: |" * len(bls.BACKENDS))
    columns = []
    for name in bls.BACKENDS:
        with bls.using(name):
            columns.append({title: _microseconds(work) for title, work in _operations().items()})
    for title in columns[0]:
        print(f"| {title} | " + " | ".join(f"{column[title]:,.0f}" for column in columns) + " |")
    print(flush=True)


def _operations() -> dict[str, Callable[[], object]]:
    secret = SecretKey(0x1234567890ABCDEF << 128 | 0xFEDCBA0987654321)
    key = bls.parse_public_key(bls.public_key(secret))
    # Another message each time, so that a cached hash to the curve does not flatter the figure.
    messages = iter(number.to_bytes(32, "big") for number in range(10**9))
    signature = bls.parse_signature(bls.sign(secret, MESSAGE))
    operations: dict[str, Callable[[], object]] = {
        "sign": lambda: bls.sign(secret, next(messages)),
        "verify, message hashed before": lambda: bls.verify(key, MESSAGE, signature),
        "verify, new message": lambda: bls.verify(key, next(messages), signature),
        "public key from bytes, checked": lambda: bls.parse_public_key(key.data),
        "signature from bytes, checked": lambda: bls.parse_signature(signature.data),
    }
    for size, needed in ((4, 3), (13, 9)):
        rng = random.Random(size)
        terms = [SecretKey(rng.randrange(1, CURVE_ORDER)) for _ in range(needed - 1)]
        ids = [OperatorId(number) for number in range(1, size + 1)]
        shares = threshold.split(secret, terms, ids)
        partials = {each: bls.sign(shares[each], MESSAGE) for each in ids[-needed:]}
        points = {each: bls.parse_signature(data) for each, data in partials.items()}
        label = f"reconstruct {needed} of {size}"
        operations[label] = partial(threshold.recover_signature, points)
        operations[f"{label}, from bytes"] = partial(threshold.recover_signature, partials)
        operations[f"{label}, full-size weights"] = partial(_plainly, ids[-needed:], points)
    return operations


def _plainly(ids: list[OperatorId], points: dict[OperatorId, bls.SignaturePoint]) -> bytes:
    """The textbook recovery: every point times its whole weight modulo r."""
    backend = bls.active()
    weights = []
    for own in ids:
        weight = 1
        for other in ids:
            if other != own:
                weight = weight * other * pow(other - own, -1, CURVE_ORDER) % CURVE_ORDER
        weights.append(weight)
    total = backend.g2_combine([points[each].point for each in ids], weights)
    return backend.g2_encode(total)


def _microseconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    once = max(time.perf_counter() - started, 1e-7)
    count = max(1, int(BUDGET_SECONDS / ROUNDS / once))
    best = float("inf")
    for _ in range(1 if once > BUDGET_SECONDS else ROUNDS):
        started = time.perf_counter()
        for _ in range(count):
            work()
        best = min(best, (time.perf_counter() - started) / count)
    return best * 1e6
