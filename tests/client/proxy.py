"""An HTTP proxy in front of a node whose rules decide what a request gets instead of an answer."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True)
class Answer:
    """What the proxy sends itself; no body at all breaks the connection off."""

    status: int = 200
    body: bytes | None = b""
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def error(cls, request: dict[str, Any], code: int, message: str, data: Any = None) -> Answer:
        """A JSON-RPC error."""
        error = {"code": code, "message": message} | ({} if data is None else {"data": data})
        body = {"jsonrpc": "2.0", "id": request["id"], "error": error}
        return cls(body=json.dumps(body).encode())

    @classmethod
    def result(cls, request: dict[str, Any], value: Any) -> Answer:
        """A JSON-RPC result."""
        body = {"jsonrpc": "2.0", "id": request["id"], "result": value}
        return cls(body=json.dumps(body).encode())


BROKEN = Answer(body=None)
Rule = Callable[[dict[str, Any]], Answer | None]
"""Gets a JSON-RPC request; None lets it pass to the node."""


class Proxy:
    """Runs while its `with` block does; `seen` holds every request in order."""

    def __init__(self, target: str | None) -> None:
        self.rule: Rule = lambda request: None
        self.seen: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self._target = target
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                data = self.rfile.read(int(self.headers["Content-Length"]))
                request = json.loads(data)
                proxy.seen.append(request)
                proxy.headers.append(dict(self.headers.items()))
                answer = proxy.rule(request) or proxy.forward(data)
                if answer.body is None:
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def forward(self, data: bytes) -> Answer:
        assert self._target is not None
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self._target, data, headers)  # noqa: S310 - loopback
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=30) as response:
            return Answer(body=response.read())

    def count(self, method: str) -> int:
        return sum(request["method"] == method for request in self.seen)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
