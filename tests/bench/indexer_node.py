"""A history served over JSON-RPC by a process of its own: slices of a file, nothing computed.

    python -m tests.bench.indexer_node FOLDER COUNT PORT HELD

The last `HELD` blocks with logs are not there at first; each `bench_grow` moves the head to the
next of them.
"""

from __future__ import annotations

import json
import mmap
import subprocess
import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.bench.indexer_history import SECONDS, History, block_hash, made

PORT = 21_900
MOST_LOGS = 10_000
"""As hosted nodes answer at most; more is refused."""


class Node:
    """Answers to what an indexer and web3 ask."""

    def __init__(self, history: History, held: int = 0) -> None:
        """With all blocks but the last `held` that have logs."""
        index = array("Q")
        index.frombytes(history.places.read_bytes())
        self._numbers, self._offsets, self._counts = index[0::3], index[1::3], index[2::3]
        # The last entry is the end of the file.
        self._held = list(reversed(self._numbers[len(self._numbers) - 1 - held : -1]))
        self._head = self._held[-1] - 1 if self._held else history.head
        self._hashes = {"0x" + block_hash(n): n for n in range(self._head - 200, history.head + 1)}
        file = history.logs.open("rb")
        self._logs = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def answer(self, call: dict[str, Any]) -> bytes:
        """One answer."""
        head = b'{"jsonrpc":"2.0","id":%d,' % call["id"]
        result = self._result(call["method"], call["params"])
        return head + result + b"}"

    def _result(self, method: str, params: list[Any]) -> bytes:
        match method, params:
            case "eth_chainId", _:
                return b'"result":"0x1"'
            case "eth_blockNumber", _:
                return b'"result":"%s"' % hex(self._head).encode()
            case "bench_grow", _:
                self._head = self._held.pop()
                return b'"result":"%s"' % hex(self._head).encode()
            case "eth_getBlockByNumber", [tag, _]:
                number = self._head - 64 if tag in ("safe", "finalized") else int(tag, 16)
                return b'"result":' + json.dumps(_header(number)).encode()
            case "eth_getLogs", [{"blockHash": name}]:
                number = self._hashes[name]
                return self._range(number, number)
            case "eth_getLogs", [{"fromBlock": low, "toBlock": high} as wanted]:
                found = self._range(int(low, 16), int(high, 16))
                topics = wanted.get("topics")
                return (
                    found
                    if not topics or not found.startswith(b'"result"')
                    else _only(found, topics[0])
                )
            case _:
                return b'"error":{"code":-32601,"message":"no such method"}'

    def _range(self, low: int, high: int) -> bytes:
        end = len(self._numbers) - 1
        first = min(end, bisect_left(self._numbers, low))
        last = min(end, bisect_left(self._numbers, high + 1))
        if self._counts[last] - self._counts[first] > MOST_LOGS:
            return b'"error":{"code":-32005,"message":"query returned too many results"}'
        found = self._logs[
            self._offsets[first] : max(self._offsets[first], self._offsets[last] - 1)
        ]
        return b'"result":[' + found + b"]"


def _only(found: bytes, topic: str) -> bytes:
    """The logs with this first topic. Nothing is parsed: a real node has an index."""
    before, after = b'"result":[', b"]"
    wanted = b'"topics":["%s"' % topic.encode()
    # No log holds an object, so this is between two of them.
    logs = found[len(before) : -len(after)].removesuffix(b"}").split(b"},")
    return before + b",".join([each + b"}" for each in logs if wanted in each]) + after


def _header(number: int) -> dict[str, str]:
    return {
        "number": hex(number),
        "hash": "0x" + block_hash(number),
        "parentHash": "0x" + block_hash(number - 1),
        "timestamp": hex(1_600_000_000 + SECONDS * number),
    }


@contextmanager
def serving(folder: Path, count: int, *, held: int = 0) -> Iterator[str]:
    """The address of a node in a process of its own."""
    numbers = [str(each) for each in (count, PORT, held)]
    command = [sys.executable, "-m", __name__, str(folder), *numbers]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def main() -> None:
    """Serve until killed."""
    folder, (count, port, held) = Path(sys.argv[1]), map(int, sys.argv[2:5])
    node = Node(made(folder, count), held)

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body in one piece and at once, as real nodes do: else each answer waits 40 ms.
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            if isinstance(asked, list):
                body = b"[" + b",".join(node.answer(each) for each in asked) + b"]"
            else:
                body = node.answer(asked)
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, form: str, *values: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", port), Answers)
    print(f"http://127.0.0.1:{port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
