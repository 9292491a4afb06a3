"""Another process reads the same logs, fails in the same words, and may die at any time."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import trio

from sdk.chain import Fetcher, Rpc, fetcher
from sdk.chain.reading import ParsedLogs, parsed, read_logs
from sdk.errors import NetworkError
from sdk.types import Address

pytestmark = pytest.mark.slow
CONTRACT = Address(b"\xcc" * 20)
HEX = "0x" + "ab" * 32
PATIENCE_S = 60.0
REFUSED, UNREADABLE, BUSY, GARBAGE, SLOW = 1_000, 2_000, 3_000, 4_000, 5_000
"""First blocks that stand for what a node may do."""


def raw_log(number: int, data: str) -> dict[str, Any]:
    return {
        "address": "0x" + CONTRACT.hex(),
        "topics": [HEX, HEX],
        "data": data,
        "blockNumber": hex(number),
        "blockHash": HEX,
        "blockTimestamp": hex(12 * number),
        "transactionHash": HEX,
        "transactionIndex": "0x0",
        "logIndex": hex(number),
        "removed": False,
    }


class Answers(BaseHTTPRequestHandler):
    """A node; `release` lets the slow answer go."""

    release = threading.Event()

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        low = int(asked["params"][0]["fromBlock"], 16)
        answer: dict[str, Any] = {"jsonrpc": "2.0", "id": asked["id"]}
        if low == REFUSED:
            answer["error"] = {"code": -32005, "message": "too many results"}
        elif low == UNREADABLE:
            answer["result"] = [raw_log(low, "0xzz")]
        else:
            answer["result"] = [raw_log(low, "0x" + "01" * 40), raw_log(low + 1, "0x")]
        if low == SLOW:
            self.release.wait(PATIENCE_S)
        body = b"no json" if low == GARBAGE else json.dumps(answer).encode()
        self.send_response(429 if low == BUSY else 200)
        self.send_header("content-length", str(len(body)))
        self.send_header("retry-after", "7")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, form: str, *values: object) -> None:
        return


@pytest.fixture(scope="module")
def node() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    Answers.release.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def fetching() -> Iterator[Fetcher]:
    with fetcher() as made:
        yield made


def ready(fetching: Fetcher) -> None:
    """Wait until the process is there."""
    fetching._ready()
    assert fetching._connection is not None
    if not fetching._is_ready:
        assert fetching._connection.poll(PATIENCE_S)
    assert fetching._ready() is not None


def fetched(fetching: Fetcher, node: str, low: int) -> ParsedLogs:
    async def main() -> ParsedLogs:
        async with Rpc([node]) as rpc:
            return await fetching.logs(rpc, CONTRACT, low, low + 1)

    return trio.run(main)


def read_here(node: str, low: int) -> ParsedLogs:
    async def main() -> ParsedLogs:
        async with Rpc([node]) as rpc:
            return parsed(rpc, await read_logs(rpc, CONTRACT, low, low + 1), CONTRACT, low, low + 1)

    return trio.run(main)


def test_it_reads_what_would_be_read_here(fetching: Fetcher, node: str) -> None:
    ready(fetching)
    logs, times = fetched(fetching, node, 5)
    assert (logs, times) == read_here(node, 5)
    assert len(logs) == 2
    assert times == {5: 60, 6: 72}


@pytest.mark.parametrize("low", [REFUSED, UNREADABLE, BUSY, GARBAGE])
def test_it_fails_as_it_would_here(fetching: Fetcher, node: str, low: int) -> None:
    ready(fetching)
    with pytest.raises(NetworkError) as there:
        fetched(fetching, node, low)
    with pytest.raises(NetworkError) as here:
        read_here(node, low)
    assert (there.value.code, str(there.value)) == (here.value.code, str(here.value))
    assert there.value.data == here.value.data
    assert len(fetched(fetching, node, 8)[0]) == 2


def test_a_node_that_is_not_there_is_passed_over(fetching: Fetcher, node: str) -> None:
    async def main() -> tuple[ParsedLogs, str]:
        async with Rpc(["http://127.0.0.1:1", node]) as rpc:
            return await fetching.logs(rpc, CONTRACT, 5, 6), rpc.name

    ready(fetching)
    assert trio.run(main) == (read_here(node, 5), node)


def test_nobody_gets_the_answer_to_a_question_that_was_given_up(
    fetching: Fetcher, node: str
) -> None:
    async def main() -> ParsedLogs:
        async with Rpc([node]) as rpc:
            with trio.move_on_after(0.05):
                await fetching.logs(rpc, CONTRACT, SLOW, SLOW + 1)
            Answers.release.set()
            await trio.to_thread.run_sync(ready, fetching)
            return await fetching.logs(rpc, CONTRACT, 5, 6)

    ready(fetching)
    assert trio.run(main) == read_here(node, 5)


def test_until_it_is_there_logs_are_read_here(node: str) -> None:
    with fetcher() as fresh:
        assert fetched(fresh, node, 5) == read_here(node, 5)
        assert not fresh._is_ready


def test_when_it_dies_logs_are_read_here(node: str) -> None:
    with fetcher() as mortal:
        ready(mortal)
        assert mortal._process is not None
        mortal._process.kill()
        mortal._process.join()
        assert fetched(mortal, node, 5) == read_here(node, 5)
        assert fetched(mortal, node, 9) == read_here(node, 9)
        assert mortal._process is None


def test_it_ends_when_all_is_read_and_starts_again(node: str) -> None:
    with fetcher() as made:
        ready(made)
        first = made._process
        assert first is not None
        made.rest()
        assert first.exitcode is not None
        ready(made)
        assert fetched(made, node, 5) == read_here(node, 5)
