"""The API under load: lists, things, search and snapshots of a registry's whole life.

    python -m tests.bench api                                    a tenth of mainnet's size
    python -m tests.bench.indexer_api --logs 1100000             all of it
    python -m tests.bench.indexer_api --database postgresql://…  a database filled before

A block goes by every few seconds, as on the chain. Postgres, API and this program share the
machine, and what each of them takes is shown. A database given is written to: blocks without logs.
"""

from __future__ import annotations

import argparse
import gc
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

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
from tests.bench.indexer_api_load import Figures, Question, closed, opened, percentile_ms
from tests.bench.indexer_api_processor import of_postgres, spent_s, used_s, with_children
from tests.bench.indexer_api_questions import MIX, drawn, endless, mixed
from tests.bench.indexer_history import CONTRACT, FIRST, WHOLE, block_hash, made
from tests.bench.indexer_node import serving

FOLDER: Final = Path(__file__).parents[2] / ".build" / "bench"
PORT: Final = 21_950
PROCESSES: Final = 4
"""Of the API: two per core, for each of them waits for the database or its turn."""
PER_SECOND: Final = 200
"""Of the open loop: what the API must answer within `WITHIN_MS`, 99 of 100."""
WITHIN_MS: Final = 50
BLOCK_S: Final = 12.0
WARM_S: Final = 15.0
CLOSED_S: Final = 2.0
"""For each route; eight times as long for all together."""
OPEN_S: Final = 60.0
ASKERS: Final = 8
UNLIMITED: Final = ("--rate", "1000000", "--burst", "1000000")


def run(
    count: int = WHOLE // 10,
    url: str | None = None,
    *,
    processes: int = PROCESSES,
    per_second: int = PER_SECOND,
    routes: bool = True,
) -> None:
    """Prints the tables.

    Args:
        count: logs of the history, if a database is filled.
        url: of one that is filled.
        processes: of the API.
        per_second: questions of the open loop.
        routes: ask each route alone, too.
    """
    with ExitStack() as stack:
        if url is None:
            folder = stack.enter_context(TemporaryDirectory())
            url = stack.enter_context(database(None, Path(folder) / "data"))
            _fill(url, count)
        questions = drawn(url)
        # Else looking for garbage among them would let answers wait.
        gc.collect()
        gc.freeze()
        server = stack.enter_context(_serving(url, processes))
        trio.run(partial(_measure, Machine(url, server), questions, per_second, routes=routes))


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
def _serving(url: str, processes: int) -> Iterator[int]:
    """API processes, the first one's id; limits are raised, as for a proxy that counts itself."""
    options = ["--database", url, "--listen", f"127.0.0.1:{PORT}", *UNLIMITED, "--json"]
    options += ["--processes", str(processes)]
    command = [sys.executable, "-c", "from indexer.app import api; api()", *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            told = process.stderr.readline()
            if "serving" not in told:
                raise RuntimeError(f"the API does not start: {told}{process.stderr.read()}")
            yield process.pid
        finally:
            process.terminate()


@dataclass(frozen=True, slots=True)
class Machine:
    """What runs on this machine.

    Attributes:
        url: of the database.
        server: id of the API's first process.
    """

    url: str
    server: int

    def spent(self) -> tuple[dict[int, float], dict[int, float]]:
        """Processor time that the API and Postgres have used so far."""
        return spent_s(with_children(self.server)), spent_s(of_postgres(self.url))


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement, with what it took of the processors."""

    name: str
    figures: Figures
    api_s: float
    postgres_s: float

    def cells(self) -> list[str]:
        """As the table has them."""
        seen, times = self.figures, self.figures.of()
        took = (self.api_s, self.postgres_s, seen.processor_s)
        return [
            f"{seen.answers / seen.seconds:,.0f}",
            *(f"{percentile_ms(times, each):.1f}" for each in (50, 99)),
            *(f"{1_000 * each / seen.answers:.2f}" for each in took),
            f"{seen.received / seen.answers / 1_000:.1f}",
            str(seen.failed),
        ]


async def _measured(machine: Machine, name: str, load: Callable[[], Awaitable[Figures]]) -> Row:
    api, postgres = machine.spent()
    figures = await load()
    api_after, postgres_after = machine.spent()
    return Row(name, figures, used_s(api, api_after), used_s(postgres, postgres_after))


async def _measure(
    machine: Machine, questions: Sequence[Question], per_second: int, *, routes: bool
) -> None:
    ask = partial(closed, "127.0.0.1", PORT, connections=ASKERS)
    mix = mixed(questions)
    alone = dict.fromkeys((each.kind, each.route) for each in questions) if routes else {}
    rows = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_blocks, machine.url)
        await ask(mix, seconds=WARM_S)
        for kind, route in sorted(alone, key=lambda each: (list(MIX).index(each[0]), each)):
            its = endless([each for each in questions if each.route == route])
            load = partial(ask, its, seconds=CLOSED_S)
            rows.append(await _measured(machine, f"{kind}: {route}", load))
        load = partial(ask, mix, seconds=8 * CLOSED_S)
        rows.append(await _measured(machine, "all, mixed", load))
        busy = os.getloadavg()[0]
        load = partial(opened, "127.0.0.1", PORT, mix, per_second=per_second, seconds=OPEN_S)
        steady = await _measured(machine, f"all, mixed, {per_second}/s", load)
        nursery.cancel_scope.cancel()
    _print_rows([*rows, steady])
    _print_steady(steady, per_second, busy)


def _print_rows(rows: Sequence[Row]) -> None:
    print(f"Without pause by {ASKERS} at once, but for the last line:\n")
    print("| what | answers/s | p50, ms | p99, ms | API | Postgres | asking | kB | not 200 |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for row in rows:
        print(f"| {row.name} | {' | '.join(row.cells())} |")
    print("\nAPI, Postgres, asking: milliseconds of processor time per answer.")


def _print_steady(row: Row, per_second: int, busy: float) -> None:
    seen = row.figures
    print(f"\nat {per_second}/s (load before it {busy:.1f}):\n")
    print("| kind | answers | p50, ms | p90, ms | p99, ms | most, ms |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, times in (*((kind, seen.of(kind)) for kind in MIX), ("all", seen.of())):
        cells = (f"{percentile_ms(times, each):.1f}" for each in (50, 90, 99, 100))
        print(f"| {name} | {len(times):,} | {' | '.join(cells)} |")
    cores = [each / seen.seconds for each in (row.api_s, row.postgres_s, seen.processor_s)]
    print(
        f"\nbusy cores: API {cores[0]:.2f}, Postgres {cores[1]:.2f}, asking {cores[2]:.2f}; "
        f"asked late: p50 {percentile_ms(seen.late_s, 50):.1f} ms, "
        f"p99 {percentile_ms(seen.late_s, 99):.1f} ms"
    )
    late_ms = percentile_ms(seen.of(), 99)
    print(f"p99 at {per_second}/s: {late_ms:.1f} ms, wanted {WITHIN_MS} ms\n", flush=True)


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
    parser.add_argument("--processes", type=int, default=PROCESSES)
    parser.add_argument("--rate", type=int, default=PER_SECOND)
    parser.add_argument("--only-mixed", action="store_true")
    asked = parser.parse_args()
    print(f"load before the run: {os.getloadavg()[0]:.1f}\n")
    run(
        asked.logs,
        asked.database,
        processes=asked.processes,
        per_second=asked.rate,
        routes=not asked.only_mixed,
    )


if __name__ == "__main__":
    main()
