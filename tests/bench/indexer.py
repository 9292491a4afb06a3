"""Backfill of a registry's whole life: ours against web3, with and without checking signatures.

    python -m tests.bench indexer                     a tenth of mainnet's size
    python -m tests.bench.indexer --logs 1100000      all of it; writes 3 GB into .build first

web3 reads the 20,000 logs of a small history event by event (`get_logs`) and inserts each row by
itself: once in one transaction per range, which is the kinder way, and once in one per row, which
is what a program does that must not lose its place. Node, Postgres and indexer share the machine,
as they will. At the end the chain grows, to see how far behind we are.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import trio
from web3 import HTTPProvider, Web3

from indexer.metrics import Metrics
from indexer.store import Identity, connect, database, load
from indexer.sync import Judges, Sync, Unchecking, judges
from sdk.chain import Fetcher, Point, Rpc, fetcher
from sdk.client.abi import registry_abi
from sdk.types import BlockNumber
from tests.bench.indexer_history import CONTRACT, EMPTY, FIRST, WHOLE, History, made
from tests.bench.indexer_live import HEADS, LOOK_S, Lag, grow
from tests.bench.indexer_node import serving
from tests.indexer import databases

FOLDER = Path(__file__).parents[2] / ".build" / "bench"
SMALL = 20_000
TENTH = WHOLE // 10
RANGES = 8
"""Of the small history, for web3: none may have more logs than the node answers."""
_TABLE = (
    "CREATE TABLE IF NOT EXISTS plain (block bigint, log_index int, name text, args jsonb, "
    "transaction bytea, address bytea, data text, PRIMARY KEY (block, log_index))"
)


@dataclass(frozen=True, slots=True)
class Taken:
    """What a backfill took.

    Attributes:
        seconds: by the clock.
        own_seconds: of processor time in the indexer's process, without Postgres and helpers.
        helper_seconds: of processor time in the processes that fetch logs and check signatures.
        megabytes: most memory of the indexer's process.
        helper_megabytes: most memory of the largest of the other processes.
        lag: how far behind it was afterwards, if the chain grew.
    """

    logs: int
    seconds: float
    own_seconds: float
    helper_seconds: float
    megabytes: float
    helper_megabytes: float
    lag: Lag | None = None

    @property
    def rate(self) -> float:
        """Logs per second by the clock."""
        return self.logs / self.seconds


def run(count: int = TENTH) -> None:
    """Prints the table."""
    with TemporaryDirectory() as folder, database(None, Path(folder) / "data") as server:
        databases.prepare(server)
        small, whole = made(FOLDER, SMALL), made(FOLDER, count)
        with serving(FOLDER, SMALL) as node:
            theirs = _measured(server, partial(_theirs, node, small))
            singly = _measured(server, partial(_theirs, node, small, autocommit=True))
            ours = _measured(server, partial(_ours, node, small, verify=False))
        with serving(FOLDER, count) as node:
            plain = _measured(server, partial(_ours, node, whole, verify=False))
            checked = _measured(server, partial(_ours, node, whole, verify=True))
            loading = _measured(server, partial(_ours, node, whole, verify=False, reload=True))
        with serving(FOLDER, SMALL, held=HEADS) as node:
            live = _measured(server, partial(_ours, node, small, verify=True, grows=True))
    print("Indexer, backfill over HTTP into Postgres on the same machine:\n")
    print(
        "| what | logs | s | logs/s | own CPU, s | helpers, CPU s | most memory, MB "
        "| largest helper, MB |"
    )
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, taken in (
        ("web3 `get_logs`, a row at a time, a commit per range", theirs),
        ("web3 `get_logs`, a row at a time, a commit per row", singly),
        ("ours, signatures not checked", ours),
        ("ours, signatures not checked", plain),
        ("ours, signatures checked", checked),
    ):
        print(
            f"| {name} | {taken.logs:,} | {taken.seconds:.1f} | {taken.rate:,.0f} "
            f"| {taken.own_seconds:.1f} | {taken.helper_seconds:.1f} | {taken.megabytes:.0f} "
            f"| {taken.helper_megabytes:.0f} |"
        )
    for way, its in (("range", theirs), ("row", singly)):
        print(
            f"\nours / web3 with a commit per {way}, logs/s without checking: "
            f"{plain.rate / its.rate:.1f} ({ours.rate / its.rate:.1f} on the same {SMALL:,} logs)"
        )
    print(f"load again after a restart: {loading.seconds:.1f} s")
    print(f"{live.lag}\n", flush=True)


def _measured(server: str, work: Callable[[str], Taken]) -> Taken:
    """In a process of its own, on an empty database."""
    context = get_context("spawn")
    with databases.fresh(server) as url, ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(work, url).result()


def _ours(
    node: str,
    history: History,
    url: str,
    *,
    verify: bool,
    reload: bool = False,
    grows: bool = False,
) -> Taken:
    """A whole indexer until nothing is left to read; or what follows: a load, or new blocks."""
    last = history.head - EMPTY if grows else None
    started = time.perf_counter()
    if verify:
        with judges() as judging:
            ended, lag = trio.run(_follow, node, url, judging, last)
    else:
        ended, lag = trio.run(_follow, node, url, Unchecking(), last)
    if reload:
        started = time.perf_counter()
        with connect(url) as connection:
            load(connection)
        ended = time.perf_counter()
    return _taken(ended - started, history.count, lag)


async def _follow(
    node: str, url: str, judging: Judges, last: int | None
) -> tuple[float, Lag | None]:
    """When nothing was left to read, and what came afterwards."""
    with fetcher() as fetching:
        return await _followed(node, url, judging, last, fetching)


async def _followed(
    node: str, url: str, judging: Judges, last: int | None, fetching: Fetcher
) -> tuple[float, Lag | None]:
    done = trio.Event()

    def reached(tip: Point) -> None:
        done.set()

    async with Rpc([node]) as rpc, trio.open_nursery() as nursery:
        sync = Sync(
            rpc,
            url,
            Identity(1, CONTRACT, BlockNumber(FIRST), not isinstance(judging, Unchecking)),
            judges=judging,
            metrics=Metrics(),
            pause=partial(trio.sleep, LOOK_S),
            advanced=reached,
            fetcher=fetching,
        )
        nursery.start_soon(sync.run)
        await done.wait()
        ended = time.perf_counter()
        lag = None if last is None else await grow(rpc, url, last)
        nursery.cancel_scope.cancel()
    return ended, lag


def _theirs(node: str, history: History, url: str, *, autocommit: bool = False) -> Taken:
    """What a plain program does: one event after the other, one row after the other."""
    w3 = Web3(HTTPProvider(node))
    contract = w3.eth.contract(Web3.to_checksum_address(CONTRACT), abi=list(registry_abi()))
    names = {
        *("OperatorAdded", "OperatorPrivacyStatusUpdated", "OperatorFeeExecuted", "ValidatorAdded"),
        *("OperatorFeeDeclared", "OperatorWithdrawn", "FeeRecipientAddressUpdated"),
        *("ValidatorRemoved", "ValidatorExited", "ClusterDeposited", "ClusterWithdrawn"),
    }
    width = (history.head - FIRST) // RANGES + 1
    written = 0
    started = time.perf_counter()
    with psycopg.connect(url, autocommit=autocommit) as connection:
        connection.execute(_TABLE)
        for low in range(FIRST, history.head + 1, width):
            high = min(low + width - 1, history.head)
            for name in sorted(names):
                event: Any = contract.events[name]
                for each in event.get_logs(from_block=low, to_block=high):
                    arguments = Web3.to_json(dict(each["args"]))
                    connection.execute(
                        "INSERT INTO plain VALUES (%s, %s, %s, %s, %s, %s, %s)",
                        (
                            *(each["blockNumber"], each["logIndex"], name, arguments),
                            *(bytes(each["transactionHash"]), CONTRACT, json.dumps(name)),
                        ),
                    )
                    written += 1
            connection.commit()  # Nothing is left to commit where each row was by itself.
    return _taken(time.perf_counter() - started, written)


def _taken(seconds: float, logs: int, lag: Lag | None = None) -> Taken:
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Taken(
        logs,
        seconds,
        own.ru_utime + own.ru_stime,
        children.ru_utime + children.ru_stime,
        own.ru_maxrss / 1024,
        children.ru_maxrss / 1024,
        lag,
    )


def main() -> None:
    """As the arguments say."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.indexer")
    parser.add_argument("--logs", type=int, default=TENTH)
    given = parser.parse_args()
    print(f"load before the run: {os.getloadavg()[0]:.1f}\n")
    run(given.logs)


if __name__ == "__main__":
    main()
