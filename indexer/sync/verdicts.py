"""Nonce signatures judged in batches on all cores.

Shell. A few are judged in a thread; many go to processes, fresh ones (spawn) that hold nothing but
the claims they are given. Answers come in the order of the questions.

Source: docs/shares.md.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Final

import trio

from sdk.committee import nonce_message
from sdk.crypto import bls
from sdk.registry import NonceClaim, SignatureVerdict

log = logging.getLogger(__name__)

BATCH: Final = 64
"""Claims checked at once: larger batches save little more, and one bad claim splits less."""
FEW: Final = 16
"""Up to here starting processes, or waking them, costs more than it saves."""
MOST_WORKERS: Final = 8


class Judges:
    """Those who judge; open it with `judges`.

    Attributes:
        looks: they need to know what is claimed.
    """

    looks = True

    def __init__(self, pool: ProcessPoolExecutor | None) -> None:
        self._pool = pool

    async def judge(self, claims: Sequence[NonceClaim | None]) -> list[SignatureVerdict]:
        """A verdict per claim; UNCHECKED where there is none."""
        asked = [claim for claim in claims if claim is not None]
        if len(asked) <= FEW or self._pool is None:
            held = await trio.to_thread.run_sync(_hold, asked)
        else:
            pieces = [asked[start : start + BATCH] for start in range(0, len(asked), BATCH)]
            try:
                held = await trio.to_thread.run_sync(_spread, self._pool, pieces)
            except BrokenProcessPool:
                log.warning("indexer: a process that checks registrations died; going on alone")
                self._pool = None
                held = await trio.to_thread.run_sync(_hold, asked)
        found = iter(held)
        return [
            SignatureVerdict.UNCHECKED
            if claim is None
            else SignatureVerdict.VALID
            if next(found)
            else SignatureVerdict.INVALID
            for claim in claims
        ]


class Unchecking(Judges):
    """Takes every signature for good: for those who only follow the money."""

    looks = False

    def __init__(self) -> None:
        super().__init__(None)

    async def judge(self, claims: Sequence[NonceClaim | None]) -> list[SignatureVerdict]:
        """UNCHECKED for every claim."""
        return [SignatureVerdict.UNCHECKED] * len(claims)


@contextmanager
def judges(workers: int | None = None) -> Iterator[Judges]:
    """Judges that end with the block.

    Args:
        workers: processes; as many as there are cores, up to 8, unless stated. One means none.
    """
    count = min(workers or os.cpu_count() or 1, MOST_WORKERS)
    if count == 1:
        yield Judges(None)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, mp_context=context, initializer=_ignore_interrupts) as pool:
        yield Judges(pool)


def _spread(pool: ProcessPoolExecutor, pieces: Sequence[Sequence[NonceClaim]]) -> list[bool]:
    return [verdict for verdicts in pool.map(_hold, pieces) for verdict in verdicts]


def _hold(claims: Sequence[NonceClaim]) -> list[bool]:
    """Which claims hold."""
    if not claims:
        return []
    return bls.verify_batch(
        [
            bls.Claim(each.public_key, nonce_message(each.owner, each.nonce), each.signature)
            for each in claims
        ]
    )


def _ignore_interrupts() -> None:
    """A Ctrl-C is for the process that asks; it ends this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
