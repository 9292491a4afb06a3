"""Logs decoded and applied per second, on one core, and the price of deriving a key."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from sdk.events import decode, encode
from sdk.registry import RegistryState, SignatureVerdict, apply
from sdk.registry.changes import OperatorChanged
from sdk.testing import builders
from sdk.types import OperatorId

EVENTS = 10_000
ITERATIONS = 262_144


def run() -> None:
    """Prints both tables."""
    print("Registry, one core, microseconds per `ValidatorAdded`:\n")
    print("| operators | decode | apply | 100,000 events applied, s |")
    print("| ---: | ---: | ---: | ---: |")
    for operators in (4, 13):
        decoding, applying = _registrations(operators)
        print(
            f"| {operators} | {decoding:.0f} | {applying:.0f} | {applying / 10:.0f} |", flush=True
        )
    print(f"\nPBKDF2-HMAC-SHA256, {ITERATIONS} rounds, one core, milliseconds:\n")
    print("| OpenSSL carried by cryptography | the interpreter's own |")
    print("| ---: | ---: |")
    salt = bytes(32)
    carried = _once(lambda: PBKDF2HMAC(SHA256(), 32, salt, ITERATIONS).derive(b"password"))
    own = _once(lambda: hashlib.pbkdf2_hmac("sha256", b"password", salt, ITERATIONS, 32))
    print(f"| {carried:.0f} | {own:.0f} |\n", flush=True)


def _registrations(operators: int) -> tuple[float, float]:
    """Microseconds to decode and to apply one registration of a growing cluster."""
    ids = tuple(OperatorId(number) for number in range(1, operators + 1))
    logs = [
        encode(builders.validator_added(builders.snapshot(validators=key), key=key, ids=ids))
        for key in range(1, EVENTS + 1)
    ]
    started = time.perf_counter()
    events = [decode(topics, data) for topics, data in logs]
    decoding = (time.perf_counter() - started) / EVENTS
    state = RegistryState(builders.network())
    state.commit(OperatorChanged(None, builders.operator(number)) for number in ids)
    started = time.perf_counter()
    for position, event in enumerate(events):
        at = builders.at(position + 1)
        state.commit(apply(state, event, at, SignatureVerdict.VALID).changes)  # type: ignore[arg-type]
    applying = (time.perf_counter() - started) / EVENTS
    if len(state.validators) != EVENTS:
        raise RuntimeError(f"{len(state.validators)} of {EVENTS} registrations were applied")
    return decoding * 1e6, applying * 1e6


def _once(work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(5):
        started = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - started)
    return best * 1e3
