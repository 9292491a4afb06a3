"""A history served over JSON-RPC by a process of its own: slices of a file, nothing computed.

python -m tests.bench.indexer_node FOLDER COUNT PORT
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

    def __init__(self, history: History) -> None:
        index = array("Q")
        index.frombytes(history.places.read_bytes())
        self._numbers, self._offsets, self._counts = index[0::3], index[1::3], index[2::3]
        self._head = history.head
        self._hashes = {"0x" + block_hash(n): n for n in range(self._head - 200, self._head + 1)}
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


def _is_result(found: bytes) -> bool:
    return found.startswith(b'"result"')


def _only(found: bytes, topic: Any) -> bytes:
    logs = json.loads(b"{" + found + b"}")["result"]
    return b'"result":' + json.dumps([each for each in logs if each["topics"][0] == topic]).encode()


def _header(number: int) -> dict[str, str]:
    return {
        "number": hex(number),
        "hash": "0x" + block_hash(number),
        "parentHash": "0x" + block_hash(number - 1),
        "timestamp": hex(1_600_000_000 + SECONDS * number),
    }


@contextmanager
def serving(folder: Path, count: int) -> Iterator[str]:
    """The address of a node in a process of its own."""
    command = [sys.executable, "-m", __name__, str(folder), str(count), str(PORT)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def main() -> None:
    """Serve until killed."""
    folder, count, port = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    node = Node(made(folder, count))

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

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
