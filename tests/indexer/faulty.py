"""A proxy in front of an execution node, over real HTTP, that misbehaves as it is told.

A fault sees each call with the node's true answer, and gives what is answered instead. It may
also refuse the call, answer the request with another status, or not answer at all.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, Final

import httpx

Json = Any
Fault = Callable[[dict[str, Any], Json], Json]
FIRST_PORT: Final = 21_800
LAST_PORT: Final = 21_999
PATIENCE_S: Final = 120.0
_JSON: Final = {"content-type": "application/json"}


class Refuse(Exception):
    """An error in place of the result."""

    def __init__(self, message: str, code: int = -32005) -> None:
        super().__init__(message)
        self.error = {"code": code, "message": message}


class Status(Exception):
    """The whole request fails."""

    def __init__(self, status: int, body: bytes = b"", **headers: str) -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.headers = headers


class Silence(Exception):
    """The request is never answered."""


def honest(call: dict[str, Any], result: Json) -> Json:
    """No fault."""
    return result


@dataclass
class Node:
    """What an indexer takes for an execution node.

    Attributes:
        url: where it answers.
        fault: how it misbehaves; may be changed at any time.
        asked: calls by method.
    """

    upstream: str
    url: str = ""
    fault: Fault = honest
    asked: Counter[str] = field(default_factory=Counter)
    closing: Event = field(default_factory=Event)
    client: httpx.Client = field(
        default_factory=lambda: httpx.Client(timeout=PATIENCE_S, trust_env=False)
    )

    def respond(self, body: bytes) -> bytes:
        """The answer to a request."""
        asked = json.loads(body)
        answer = self.client.post(self.upstream, content=body, headers=_JSON).json()
        if isinstance(asked, dict):
            return json.dumps(self._spoilt(asked, answer)).encode()
        found = {each["id"]: each for each in answer}
        return json.dumps([self._spoilt(each, found[each["id"]]) for each in asked]).encode()

    def _spoilt(self, call: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
        self.asked[call["method"]] += 1
        try:
            result = self.fault(call, answer.get("result"))
        except Refuse as refusal:
            return {"jsonrpc": "2.0", "id": call["id"], "error": refusal.error}
        return answer if "error" in answer else answer | {"result": result}


@contextmanager
def faulty(upstream: str) -> Iterator[Node]:
    """A node that is honest until told otherwise."""
    node = Node(upstream)

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            try:
                self._say(200, node.respond(body), {})
            except Status as failure:
                self._say(failure.status, failure.body, failure.headers)
            except Silence:
                node.closing.wait(PATIENCE_S)
                self.close_connection = True

        def _say(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, form: str, *values: object) -> None:
            return

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, address: object) -> None:
            """The other side gave up waiting: that is what it is for."""

    server = _bound(Server, Answers)
    node.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield node
    finally:
        node.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
        node.client.close()


def _bound(
    kind: type[ThreadingHTTPServer], answers: type[BaseHTTPRequestHandler]
) -> ThreadingHTTPServer:
    """A server at the first free port; above 32767 a bind races with everybody's connections."""
    for port in range(FIRST_PORT, LAST_PORT):
        try:
            return kind(("127.0.0.1", port), answers)
        except OSError:
            continue
    raise RuntimeError(f"no free port from {FIRST_PORT} on")


def is_range(call: dict[str, Any]) -> bool:
    """Whether logs of a range of blocks are asked for."""
    return call["method"] == "eth_getLogs" and "fromBlock" in call["params"][0]


def is_block(call: dict[str, Any]) -> bool:
    """Whether logs of one block are asked for."""
    return call["method"] == "eth_getLogs" and "blockHash" in call["params"][0]


def span(call: dict[str, Any]) -> int:
    """How many blocks a range has."""
    asked = call["params"][0]
    return int(asked["toBlock"], 16) - int(asked["fromBlock"], 16) + 1
