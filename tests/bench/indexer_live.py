"""How soon the logs of a new block are rows, once the indexer is at the chain's end.

Twelve times as fast as life: each second the head moves to the next block with logs, and the
indexer looks for it six times, as it does in twelve seconds.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Final

import msgspec
import psycopg
import trio

from indexer.settings import POLL_S
from indexer.store import CHANNEL
from sdk.chain import Rpc

HEADS = 30
EVERY_S = 1.0
FASTER = 12 / EVERY_S
LOOK_S = POLL_S / FASTER
DEADLINE_S = 30.0
_NUMBER: Final[msgspec.json.Decoder[str]] = msgspec.json.Decoder(str)


@dataclass(frozen=True, slots=True)
class Lag:
    """How far behind the head the tables were.

    Attributes:
        behind: blocks with logs that were not there yet, whenever another came.
        ms: from a block's arrival at the node until readers see its rows.
    """

    behind: tuple[int, ...]
    ms: tuple[float, ...]

    def __str__(self) -> str:
        return (
            f"live, {len(self.ms)} blocks, one a second, looked for every {LOOK_S:.2f} s: "
            f"{median(self.behind):.0f} blocks behind (most {max(self.behind)}), "
            f"rows after {median(self.ms):.0f} ms (most {max(self.ms):.0f})"
        )


async def grow(rpc: Rpc, url: str, last: int) -> Lag:
    """Let the chain grow, and watch the tables.

    Args:
        rpc: of a node that holds back `HEADS` blocks.
        url: of the database.
        last: the last of these blocks.

    Raises:
        TimeoutError: nothing reaches the tables.
    """
    seen: dict[int, float] = {}
    announced: list[tuple[int, float]] = []
    listening = threading.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.to_thread.run_sync, partial(_listen, url, last, seen, listening))
        await trio.to_thread.run_sync(listening.wait)
        for _ in range(HEADS):
            number = await rpc.call("bench_grow", form=_NUMBER)
            announced.append((int(number, 16), time.perf_counter()))
            await trio.sleep(EVERY_S)
    return _lag(announced, seen)


def _listen(url: str, last: int, seen: dict[int, float], listening: threading.Event) -> None:
    """Note when each step up to the last block could be seen."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"LISTEN {CHANNEL}".encode())
        listening.set()
        while max(seen, default=0) < last:
            notes = list(connection.notifies(timeout=DEADLINE_S, stop_after=1))
            if not notes:
                raise TimeoutError(f"the tables are at {max(seen, default=None)}, not at {last}")
            for note in notes:
                seen[json.loads(note.payload)["number"]] = time.perf_counter()


def _lag(announced: Sequence[tuple[int, float]], seen: dict[int, float]) -> Lag:
    visible = [min(at for tip, at in seen.items() if tip >= number) for number, _ in announced]
    behind = [
        sum(each > came for each in visible[:place]) for place, (_, came) in enumerate(announced)
    ]
    ms = [1e3 * (at - came) for at, (_, came) in zip(visible, announced, strict=True)]
    return Lag(tuple(behind), tuple(ms))
