"""The API under load: lists, things, search and snapshots of a registry's whole life.

    python -m tests.bench api                                    a tenth of mainnet's size
    python -m tests.bench.indexer_api --logs 1100000             all of it
    python -m tests.bench.indexer_api --database postgresql://…  a database filled before

Every question is about another thing, so no answer is remembered from the question before, and a
block goes by every few seconds, as on the chain. Postgres, API and this program share the machine.
A database given is written to: blocks without logs.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import psycopg
import trio

from indexer.metrics import Metrics
from indexer.project import Batch, BlockRow
from indexer.store import Identity, database, schema
from indexer.store import engine as tables_of
from indexer.store.writer import Writer
from indexer.sync import Sync, Unchecking
from sdk.chain import Point, Rpc
from sdk.types import Address, BlockNumber
from tests.bench.indexer_api_load import Figures, Question, closed, opened
from tests.bench.indexer_history import CONTRACT, FIRST, WHOLE, block_hash, made
from tests.bench.indexer_node import serving

FOLDER: Final = Path(__file__).parents[2] / ".build" / "bench"
PORT: Final = 21_950
PER_SECOND: Final = 200
"""Of the open loop: what the API must answer within `WITHIN_MS`, 99 of 100."""
WITHIN_MS: Final = 50
BLOCK_S: Final = 12.0
WARM_S: Final = 5.0
CLOSED_S: Final = 8.0
OPEN_S: Final = 60.0
ASKERS: Final = 8
SUBJECTS: Final = 5_000
"""Of each kind that are asked about, drawn from the tables."""
UNLIMITED: Final = ("--rate", "1000000", "--burst", "1000000")
MIX: Final = {"detail": 45, "list": 20, "snapshot": 20, "search": 15}
"""Of a hundred questions. Lists have pages of 100, the default."""


def run(count: int = WHOLE // 10, url: str | None = None) -> None:
    """Prints the table."""
    with ExitStack() as stack:
        if url is None:
            folder = stack.enter_context(TemporaryDirectory())
            url = stack.enter_context(database(None, Path(folder) / "data"))
            _fill(url, count)
        questions = {kind: _endless(each) for kind, each in _questions(url).items()}
        port = stack.enter_context(_serving(url))
        trio.run(_measure, url, port, questions)


def _fill(url: str, count: int) -> None:
    """A history in the tables, read as an indexer reads it."""
    made(FOLDER, count)
    schema.upgrade(tables_of(url))
    with serving(FOLDER, count) as node:
        trio.run(_follow, node, url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


async def _follow(node: str, url: str) -> None:
    done = trio.Event()
    async with Rpc([node]) as rpc:
        sync = Sync(
            rpc,
            url,
            Identity(1, CONTRACT, BlockNumber(FIRST), verifies_shares=False),
            judges=Unchecking(),
            metrics=Metrics(),
            pause=partial(trio.sleep, 1),
            advanced=lambda _: done.set(),
        )
        async with trio.open_nursery() as nursery:
            nursery.start_soon(sync.run)
            await done.wait()
            nursery.cancel_scope.cancel()


@contextmanager
def _serving(url: str) -> Iterator[int]:
    """An API process; its limits are raised, as for a proxy that counts by itself."""
    options = ["--database", url, "--listen", f"127.0.0.1:{PORT}", *UNLIMITED, "--json"]
    command = [sys.executable, "-c", "from indexer.app import api; api()", *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            told = process.stderr.readline()
            if "serving" not in told:
                raise RuntimeError(f"the API does not start: {told}{process.stderr.read()}")
            yield PORT
        finally:
            process.terminate()


def _questions(url: str) -> dict[str, list[Question]]:
    """All questions by kind, in no order."""
    with psycopg.connect(url) as connection:

        def some(what: str, table: str, where: str = "valid_to IS NULL") -> list[Any]:
            statement = f"SELECT {what} FROM {table} WHERE {where} LIMIT {SUBJECTS}"  # noqa: S608
            rows = connection.execute(statement.encode()).fetchall()
            return [f"0x{row[0].hex()}" if isinstance(row[0], bytes) else row[0] for row in rows]

        operators = some("operator_id", "operator_version")
        clusters = some("cluster_id", "cluster_version")
        owners = some("owner", "account_version")
        keys = some("public_key", "validator_version")
        transactions = some("DISTINCT transaction_hash", "log", "block_number % 7 = 0")
        last = connection.execute("SELECT number FROM cursor").fetchone()
    assert last is not None
    blocks = range(FIRST, last[0], max(1, (last[0] - FIRST) // SUBJECTS))
    paths = {
        "detail": [
            [f"/v1/operators/{each}" for each in operators],
            [f"/v1/clusters/{each}" for each in clusters],
            [f"/v1/validators/{each}" for each in keys],
            [f"/v1/accounts/{each}" for each in owners],
        ],
        "list": [
            [f"/v1/operators?sort=fee&max_fee_wei={10**10 + each}" for each in range(SUBJECTS)],
            [
                f"/v1/clusters?sort={sort}&desc={desc}&limit={limit}"
                for sort in ("created", "validators", "effective_balance")
                for desc in ("true", "false")
                for limit in range(51, 101)
            ],
            [f"/v1/clusters?operator={each}" for each in operators],
            [f"/v1/validators?cluster={each}" for each in clusters],
            [f"/v1/events?to_block={each}" for each in blocks],
            [f"/v1/operators/{each}/validators" for each in operators],
            [f"/v1/clusters/{each}/history" for each in clusters],
        ],
        "snapshot": [[f"/v1/clusters/{each}/snapshot" for each in clusters]],
        "search": [
            [f"/v1/search?q={each}" for each in operators],
            [f"/v1/search?q={each[:10]}" for each in keys],
            [f"/v1/search?q={each}" for each in owners],
            [f"/v1/search?q={each}" for each in transactions],
        ],
    }
    chance = random.Random("questions")
    found: dict[str, list[Question]] = {}
    for kind, groups in paths.items():
        # As many of each group, though there are more keys than operators.
        most = max(map(len, groups))
        every = [Question(kind, each) for group in groups for each in (group * most)[:most]]
        chance.shuffle(every)
        found[kind] = every
    return found


def _endless(questions: Sequence[Question]) -> Iterator[Question]:
    while True:
        yield from questions


def _mixed(questions: dict[str, Iterator[Question]]) -> Iterator[Question]:
    chance = random.Random("mixed")
    kinds, weights = list(MIX), list(MIX.values())
    while True:
        (kind,) = chance.choices(kinds, weights)
        yield next(questions[kind])


async def _measure(url: str, port: int, questions: dict[str, Iterator[Question]]) -> None:
    ask = partial(closed, "127.0.0.1", port)
    mixed = _mixed(questions)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_blocks, url)
        await ask(mixed, connections=ASKERS, seconds=WARM_S)
        rows: list[tuple[str, Figures]] = []
        for kind in MIX:
            found = await ask(questions[kind], connections=ASKERS, seconds=CLOSED_S)
            rows.append((f"{kind}, {ASKERS} without pause", found))
        found = await ask(mixed, connections=ASKERS, seconds=CLOSED_S)
        rows.append((f"mixed, {ASKERS} without pause", found))
        load = os.getloadavg()[0]
        steady = await opened("127.0.0.1", port, mixed, per_second=PER_SECOND, seconds=OPEN_S)
        nursery.cancel_scope.cancel()
    rows += [(f"mixed, {PER_SECOND}/s", steady)]
    print("API, one process, with Postgres and those who ask on the same machine:\n")
    print("| what | answers/s | p50, ms | p99, ms | kB each | not 200 |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, figures in rows:
        _print(name, figures, figures.percentile_ms(50), figures.percentile_ms(99))
    print(f"\nat {PER_SECOND}/s by kind (load before it {load:.1f}):\n")
    print("| kind | answers | p50, ms | p99, ms |")
    print("| --- | ---: | ---: | ---: |")
    for kind, times in steady.times_s.items():
        middle, late = steady.percentile_ms(50, kind), steady.percentile_ms(99, kind)
        print(f"| {kind} | {len(times):,} | {middle:.1f} | {late:.1f} |")
    late = steady.percentile_ms(99)
    print(f"\np99 at {PER_SECOND}/s: {late:.1f} ms, wanted {WITHIN_MS} ms\n", flush=True)


def _print(name: str, figures: Figures, middle_ms: float, late_ms: float) -> None:
    each_kb = figures.received / figures.answers / 1_000
    failed = figures.answers - figures.statuses[200]
    print(
        f"| {name} | {figures.answers / figures.seconds:,.0f} | {middle_ms:.1f} | {late_ms:.1f} "
        f"| {each_kb:.1f} | {failed} |"
    )


async def _blocks(url: str) -> None:
    """Blocks without logs, one after the other, as the writer adds them."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT chain_id::bigint, contract, first_block, shares_verified, number, hash, "
            "timestamp_s, oldest FROM cursor"
        ).fetchone()
    assert row is not None
    chain_id, contract, first, verified, number, name, time_s, oldest = row
    identity = Identity(chain_id, Address(contract), first, verified)
    with Writer(url, identity) as writer:
        while True:
            before = Point(number, name)
            number, time_s, oldest = number + 1, time_s + int(BLOCK_S), oldest + 1
            name = bytes.fromhex(block_hash(number))
            added = [BlockRow(number, name, time_s, 0)]
            batch = Batch(before, Point(number, name), time_s, oldest, blocks=added)
            await trio.to_thread.run_sync(writer.extend, batch)
            await trio.sleep(BLOCK_S)


def main() -> None:
    """As the arguments say."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.indexer_api")
    parser.add_argument("--logs", type=int, default=WHOLE // 10)
    parser.add_argument("--database", default=None)
    asked = parser.parse_args()
    print(f"load before the run: {os.getloadavg()[0]:.1f}\n")
    run(asked.logs, asked.database)


if __name__ == "__main__":
    main()
