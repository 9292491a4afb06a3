"""Any history of blocks, reorganisations, cut connections and kills, against a fresh sync.

    python -m tests.indexer.reorgs --sequences 10000 --kills 400 --seed 1 --record reorgs.jsonl

Each sequence mines and reorganises a chain (up to 64 blocks deep) while an indexer follows it into
Postgres, is closed and opened again, loses its connection in the middle of transactions, or is
killed (SIGKILL) in a process of its own. At the end all rows must be those of an indexer that reads
the final chain once. A failing sequence prints its seed, which replays it. With a
record, the same command goes on where it was ended.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from multiprocessing.synchronize import Semaphore
from pathlib import Path
from threading import Lock, Thread

from indexer.store import database
from sdk.errors import StorageError
from tests.indexer import databases
from tests.indexer.chain import FIRST, Chain
from tests.indexer.following import Following, sabotage

DEEPEST = 64
LONGEST = 180
"""Blocks of a chain at its beginning: more than are remembered, so that ranges are read too."""
MOVES = ("mine", "mine", "reorganise", "reorganise", "take", "take", "restart", "cut")
RENEW_AFTER = 100
"""Sequences after which the databases are made anew: deleted rows slow them down."""
LONGEST_START_S = 60.0
LONGEST_STEP_S = 5.0
"""Without one there is nothing left to read."""
LONGEST_LIFE_S = 0.1
"""Of a process that will be killed, after some of its steps."""
FIRST_PORT = 21_500


@dataclass
class Sequence:
    """One history.

    Attributes:
        kills: how many moves are kills.
        done: what happened how often.
    """

    seed: int
    server: str
    url: str
    kills: int = 0
    done: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.chance = random.Random(f"sequence {self.seed}")
        self.chain = Chain(busy=self.chance.choice((0.1, 0.3, 0.6)))
        self.lines = count(1)
        self.highest = 0
        self.following: Following | None = None

    def run(self) -> databases.Rows:
        """All moves, then to the end of the chain; the rows then."""
        self.mine(FIRST + 1 + self.chance.randrange(self.chance.choice((8, 40, LONGEST))))
        moves = [self.chance.choice(MOVES) for _ in range(self.chance.randrange(2, 9))]
        for _ in range(self.kills):
            moves.insert(self.chance.randrange(len(moves) + 1), "kill")
        try:
            for move in moves:
                getattr(self, move)()
                self.done[move] += 1
            # Beyond all that was seen, or fewer blocks would be remembered than by the other.
            self.mine(max(1, self.highest + 1 - self.chain.head))
            self.opened().take()
        finally:
            self.close()
        return databases.rows(self.url)

    def mine(self, blocks: int | None = None) -> None:
        """Some blocks more."""
        many = self.chance.choice((1, 1, 2, 5, 20)) if blocks is None else blocks
        self.chain.mine(*(next(self.lines) for _ in range(many)))

    def reorganise(self) -> None:
        """Another end of the chain, no deeper than may be below all that was seen."""
        lowest = max(FIRST, self.highest - DEEPEST)
        deepest = min(DEEPEST, self.chain.head - lowest)
        if deepest < 1:
            return
        depth = self.chance.choice((1, 1, 2, 7, deepest, self.chance.randrange(1, deepest + 1)))
        depth = min(depth, deepest)
        blocks = max(0, depth + self.chance.choice((-2, -1, 0, 1, 1, 2, 5)))
        self.chain.reorganise(depth, *(next(self.lines) for _ in range(blocks)))
        self.done["deepest"] = max(self.done["deepest"], depth)

    def take(self) -> None:
        """Read some of what there is, or all."""
        self.opened().take(self.chance.choice((1, 2, 3, 100_000)))
        self.see()

    def restart(self) -> None:
        """Close it, as often nothing happens in between."""
        self.close()
        if self.chance.random() < 0.5:
            self.take()

    def cut(self) -> None:
        """Lose the connection at some statement."""
        following = self.opened()
        sabotage(following.writer, self.server, at=self.chance.randrange(1, 60))
        try:
            following.take()
        except StorageError:
            self.done["aborted"] += 1
        self.see()
        self.close()

    def kill(self) -> None:
        """Follow in a process that is killed at some moment."""
        self.close()
        before = databases.reached(self.url)
        with serving(self.chain) as node:
            context = multiprocessing.get_context("forkserver")
            steps = context.Semaphore(0)
            victim = context.Process(target=be_killed, args=(self.url, node, steps))
            victim.start()
            steps.acquire(timeout=LONGEST_START_S)
            for _ in range(self.chance.randrange(4)):
                steps.acquire(timeout=LONGEST_STEP_S)
            victim.join(self.chance.random() * LONGEST_LIFE_S)
            victim.kill()
            victim.join()
        reached = databases.reached(self.url)
        how = "at the end" if reached == self.chain.head else "before the end"
        self.done[f"killed {how}" if reached != before else "killed before a commit"] += 1
        # It may have read all of it.
        self.highest = max(self.highest, self.chain.head)

    def see(self) -> None:
        self.highest = max(self.highest, self.chain.head)

    def opened(self) -> Following:
        if self.following is None:
            self.following = Following(self.url, transport=self.chain.transport)
        return self.following

    def close(self) -> None:
        if self.following is not None:
            self.done["reloads"] += self.following.reloads
            self.following.writer.close()
            self.following = None


def be_killed(url: str, node: str, steps: Semaphore) -> None:
    """What the victim does: it follows in small steps until nothing is left, and waits."""
    with Following(url, node=node, widest=2) as following:
        steps.release()
        while following.take(1):
            steps.release()
        time.sleep(60)


def expected(chain: Chain, url: str) -> databases.Rows:
    """The rows of an indexer that reads the final chain once."""
    with Following(url, transport=chain.transport) as following:
        following.take()
    return databases.rows(url)


@contextmanager
def serving(chain: Chain) -> Iterator[str]:
    """The address of a node that answers over a socket."""
    lock = Lock()

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            with lock:
                answer = chain.respond(body)
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, form: str, *values: object) -> None:
            return

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, address: object) -> None:
            """The other side was killed: that is what it is for."""

    server = _bound(Server, Answers)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _bound(
    kind: type[ThreadingHTTPServer], answers: type[BaseHTTPRequestHandler]
) -> ThreadingHTTPServer:
    """A server at the first free port from `FIRST_PORT` on."""
    for port in range(FIRST_PORT, FIRST_PORT + 200):
        try:
            return kind(("127.0.0.1", port), answers)
        except OSError:
            continue
    raise RuntimeError(f"no free port from {FIRST_PORT} on")


def failure_of(
    seed: int, server: str, mine: str, other: str, *, kills: int = 0
) -> tuple[str, Counter[str]]:
    """What differs after a sequence, empty if nothing does, and what happened in it."""
    databases.empty(mine)
    databases.empty(other)
    sequence = Sequence(seed, server, mine, kills)
    found = sequence.run()
    return databases.difference(found, expected(sequence.chain, other)), sequence.done


def main() -> int:
    """Run what the arguments ask for; 0 only if no sequence differed."""
    parser = argparse.ArgumentParser(prog="python -m tests.indexer.reorgs")
    parser.add_argument("--sequences", type=int, default=100)
    parser.add_argument("--kills", type=int, default=5, help="sequences with a killed process")
    parser.add_argument("--seed", type=int, default=1, help="of the first sequence")
    parser.add_argument(
        "--record", type=Path, help="file to go on from, a line of counts per piece"
    )
    given = parser.parse_args()
    multiprocessing.get_context("forkserver").set_forkserver_preload([__name__])
    total = Counter() if given.record is None else recorded(given.record)
    every = max(1, given.sequences // given.kills) if given.kills else 0
    with tempfile.TemporaryDirectory() as folder, database(None, Path(folder) / "data") as server:
        databases.hurry(server)
        databases.prepare(server)
        for start in range(total["sequences"], given.sequences, RENEW_AFTER):
            places = range(start, min(start + RENEW_AFTER, given.sequences))
            seeds = {given.seed + place: int(every > 0 and place % every == 0) for place in places}
            started = time.monotonic()
            piece = run_piece(server, seeds)
            if piece is None:
                return 1
            total = added(total, piece)
            facts = {"first_seed": min(seeds), "seconds": round(time.monotonic() - started)}
            if given.record is not None:
                with given.record.open("a") as record:
                    record.write(json.dumps(facts | dict(sorted(piece.items()))) + "\n")
            print(f"{facts['seconds']} s: {dict(sorted(total.items()))}", flush=True)
    print(f"no sequence differed, seeds {given.seed} to {given.seed + given.sequences - 1}")
    return 0


def run_piece(server: str, seeds: Mapping[int, int]) -> Counter[str] | None:
    """What happened in some sequences, each with so many kills; None if one differed."""
    total: Counter[str] = Counter()
    with databases.fresh(server) as mine, databases.fresh(server) as other:
        for seed, kills in seeds.items():
            wrong, done = failure_of(seed, server, mine, other, kills=kills)
            total = added(total, done + Counter(sequences=1))
            if wrong:
                print(f"sequence {seed} (kills {kills}) differs: {wrong}")
                return None
    return total


def added(total: Counter[str], done: Counter[str]) -> Counter[str]:
    """Counts of both, and the deeper of their deepest reorganisations."""
    both = total + done
    both["deepest"] = max(total["deepest"], done["deepest"])
    return both


def recorded(record: Path) -> Counter[str]:
    """All that a record tells of."""
    total: Counter[str] = Counter()
    if record.exists():
        for line in record.read_text().splitlines():
            counts = Counter(json.loads(line))
            del counts["first_seed"], counts["seconds"]
            total = added(total, counts)
    return total


if __name__ == "__main__":
    sys.exit(main())
