"""Hashing in several processes: the `run` for `build_proofs` where time matters.

Shell. Few pieces are under way at once, so the state is not copied into a queue as a whole. The
processes are fresh ones (spawn): nothing of the parent, no key and no open file, is in them.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Final

from sdk.beacon_proofs.merkle import Climb
from sdk.beacon_proofs.registry_tree import Piece, Run

_PIECES_PER_WORKER: Final = 2
"""One being hashed and one waiting, about a megabyte each."""
_MOST_WORKERS: Final = 8
"""One process cuts and sends the pieces; with more workers than this they would wait for it."""


@contextmanager
def hashing_processes(workers: int | None = None) -> Iterator[Run]:
    """A `run` that spreads pieces over processes, which end with the block.

    Args:
        workers: processes; as many as there are cores, up to 8, unless stated. One means none:
            everything is hashed here.
    """
    count = min(workers or os.cpu_count() or 1, _MOST_WORKERS)
    if count == 1:
        yield map
        return
    with ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn")) as pool:

        def run(work: Callable[[Piece], Climb], pieces: Iterable[Piece]) -> Iterator[Climb]:
            waiting: deque[Future[Climb]] = deque()
            for piece in pieces:
                if len(waiting) == count * _PIECES_PER_WORKER:
                    yield waiting.popleft().result()
                waiting.append(pool.submit(work, piece))
            while waiting:
                yield waiting.popleft().result()

        yield run
