"""What a signature costs beside its arithmetic: the slashing record's durable step, and the queue.

The record is measured on the disk that holds the folder for temporary files, with full histories,
which is what a node has after four days. Signing is measured in the calling thread, in the signing
process that a node starts, and in worker processes; meanwhile a second thread asks for the
interpreter, as the node's own loop would, and the longest wait is told. Last, what a call to the
signing process takes beside what it asks for.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from operator_node.duties.types import Signed, SignItem
from operator_node.shares import ShareSigner
from operator_node.signer.record import Intent, KeyHistory
from operator_node.signer.record_file import Owner
from operator_node.signer.rules import AttestationGuard, History, Safe
from operator_node.signer.store import SlashingStore
from operator_node.signer.trail import KEPT_ENTRIES, Trail
from operator_node.signing import (
    OpenKey,
    OpenRecord,
    ProcessShares,
    RemoteKey,
    SigningProcess,
)
from operator_node.signing.words import Done, Ping
from operator_node.wire.ids import DomainType
from operator_node.wire.records import Share
from sdk.crypto import bls
from sdk.crypto.operator_keys import encrypt_share
from sdk.crypto.secret import SecretKey
from sdk.testing.keys import operator_key
from sdk.types import Address, Epoch, PublicKey, Slot

SIZES = {1: 200, 100: 60, 500: 30}
"""Items of a step, and how often it is repeated."""
SIGNATURES = 500
WORKERS = 2
CALLS = 300
_BEGAN = Epoch(100_000)


def run() -> None:
    """Prints both tables."""
    with TemporaryDirectory() as folder:
        print("### Slashing record: one durable step, milliseconds\n")
        print("| items | full histories | p50 | p99 |\n| ---: | --- | ---: | ---: |")
        for filled in (False, True):
            for size, times in SIZES.items():
                path = Path(folder) / f"{size}-{filled}.sqlite"
                spent = sorted(_record(path, size, times, filled=filled))
                print(
                    f"| {size} | {'yes' if filled else 'no'} | {_at(spent, 0.5):.1f} "
                    f"| {_at(spent, 0.99):.1f} |"
                )
    print(f"\n### {SIGNATURES} signatures\n")
    print("| how | ms | longest wait of another thread, ms |\n| --- | ---: | ---: |")
    for name, work in _ways_to_sign():
        with _second_thread() as waits:
            start = time.perf_counter()
            work()
            spent_ms = (time.perf_counter() - start) * 1e3
        print(f"| {name} | {spent_ms:.0f} | {max(waits, default=0.0):.1f} |")
    print("\n### One call, milliseconds\n")
    print("| what | here p50 | in the signing process p50 | p99 |\n| --- | ---: | ---: | ---: |")
    for name, here, there in _calls():
        ours, theirs = sorted(_times(here)), sorted(_times(there))
        print(
            f"| {name} | {_at(ours, 0.5):.2f} | {_at(theirs, 0.5):.2f} | {_at(theirs, 0.99):.2f} |"
        )
    print()


def _times(work: Callable[[], object]) -> list[float]:
    spent = []
    for _ in range(CALLS):
        start = time.perf_counter()
        work()
        spent.append((time.perf_counter() - start) * 1e3)
    return spent


def _calls() -> Iterator[tuple[str, Callable[[], object], Callable[[], object]]]:
    with TemporaryDirectory() as folder, _process(Path(folder) / "s.sqlite") as process:
        key, there = operator_key(1), RemoteKey(process)
        yield "nothing", lambda: None, partial(process.ask, Ping(), Done)
        envelope = bytes(400)
        yield "a message", partial(key.sign, envelope), partial(there.sign, envelope)
        shares, secret = ProcessShares(process), SecretKey(1)
        item = SignItem(_put(shares, secret), bytes(32))
        alone = partial(bls.sign, secret, bytes(32))
        yield "a partial signature", alone, partial(_sign, shares, [item])


@contextmanager
def _process(path: Path) -> Iterator[SigningProcess]:
    process = SigningProcess(OpenKey(None, None, operator_key(1).reveal_base64().encode()))
    try:
        now_s = int(time.time())
        process.open_record(OpenRecord(str(path), "bench", bytes(32), now_s, 12_000, 32, False))
        yield process
    finally:
        process.close()


def _put(shares: ProcessShares, secret: SecretKey) -> Share:
    """As the registry does it."""
    key, validator = bls.public_key(secret), PublicKey(os.urandom(48))
    sealed = shares.open_share(encrypt_share(operator_key(1).public_key, secret), key)
    shares.keep_share(validator, sealed)
    return _of(validator, key)


def _record(path: Path, size: int, times: int, *, filled: bool) -> list[float]:
    """Milliseconds of each step; in each, every share votes for the next epoch."""
    pairs = [(PublicKey(os.urandom(48)), PublicKey(os.urandom(48))) for _ in range(size)]
    spent = []
    with SlashingStore.open(path, Owner("bench", bytes(32))) as store:
        for share, validator in pairs:
            if filled:
                store.merge([KeyHistory(share, FULL, validator)])
            store.arm(share, validator, epoch=_BEGAN, slot=Slot(_BEGAN * 32))
        for number in range(1, times + 1):
            guard = AttestationGuard(
                Epoch(_BEGAN + number - 1), Epoch(_BEGAN + number), os.urandom(32)
            )
            intents = [Intent(share, validator, guard) for share, validator in pairs]
            start = time.perf_counter()
            verdicts = store.check_and_record(intents)
            spent.append((time.perf_counter() - start) * 1e3)
            assert set(verdicts) == {Safe()}
    return spent


def _ways_to_sign() -> Iterator[tuple[str, Callable[[], object]]]:
    secrets = [SecretKey(number + 1) for number in range(SIGNATURES)]
    with TemporaryDirectory() as folder:
        store = SlashingStore.open(Path(folder) / "s.sqlite", Owner("bench", bytes(32)))
        with store:
            signer = ShareSigner(record=store, clock=_Still())
            shares = [_share(signer, secret) for secret in secrets]
            same = [SignItem(share, bytes(32)) for share in shares]
            other = [SignItem(share, number.to_bytes(32)) for number, share in enumerate(shares)]
            yield "here, one root", lambda: _sign(signer, same)
            yield "here, a root each", lambda: _sign(signer, other)
    with TemporaryDirectory() as folder, _process(Path(folder) / "s.sqlite") as process:
        there = ProcessShares(process)
        shares = [_put(there, secret) for secret in secrets]
        remote = [SignItem(share, bytes(32)) for share in shares]
        each = [SignItem(share, number.to_bytes(32)) for number, share in enumerate(shares)]
        yield "in the signing process, one root", lambda: _sign(there, remote)
        yield "in the signing process, a root each", lambda: _sign(there, each)
    work = [(secret.to_bytes(), number.to_bytes(32)) for number, secret in enumerate(secrets)]
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        list(pool.map(_sign_bytes, [[work[0]]] * WORKERS))
        parts = [work[start::WORKERS] for start in range(WORKERS)]
        name = f"{WORKERS} worker processes, a root each"
        yield name, lambda: list(pool.map(_sign_bytes, parts))


def _share(signer: ShareSigner, secret: SecretKey) -> Share:
    validator = PublicKey(os.urandom(48))
    return _of(validator, signer.keep_share(validator, secret))


def _of(validator: PublicKey, key: PublicKey) -> Share:
    return Share(1, validator, key, (), DomainType(bytes(4)), Address(bytes(20)), bytes(32))


def _sign(signer: ShareSigner | ProcessShares, items: Sequence[SignItem]) -> None:
    results = signer.sign(tuple(items), slot=Slot(0))
    assert all(isinstance(result, Signed) for result in results)


def _sign_bytes(work: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
    return [bls.sign(SecretKey.from_bytes(secret), root) for secret, root in work]


@contextmanager
def _second_thread() -> Iterator[list[float]]:
    """A thread that wakes every millisecond; milliseconds that it came late."""
    waits: list[float] = []
    stop = threading.Event()

    def wake() -> None:
        while not stop.is_set():
            start = time.perf_counter()
            time.sleep(0.001)
            waits.append((time.perf_counter() - start) * 1e3 - 1)

    thread = threading.Thread(target=wake)
    thread.start()
    try:
        yield waits
    finally:
        stop.set()
        thread.join()


class _Still:
    def slot(self) -> int:
        return 0

    def epoch(self) -> int:
        return 0


def _at(ordered: Sequence[float], part: float) -> float:
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)]


FULL = History(
    Trail.of(
        AttestationGuard(Epoch(number), Epoch(number + 1), bytes(32))
        for number in range(_BEGAN - KEPT_ENTRIES, _BEGAN)
    )
)

if __name__ == "__main__":
    run()
