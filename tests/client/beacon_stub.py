"""A small beacon node: the routes that `sdk.client.beacon` asks, over real HTTP.

Tests set its fields. Its head moves only when somebody says so.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Any, Self

FAR_FUTURE = str(2**64 - 1)
SLOTS_PER_EPOCH = 32
SECONDS_PER_SLOT = 12


@dataclass
class StubValidator:
    """One validator of the state."""

    key: str
    index: int
    status: str = "active_ongoing"
    credentials: str = "0x01" + 11 * "00" + 20 * "11"
    activation_epoch: int = 10
    exit_epoch: str = FAR_FUTURE

    def answer(self) -> dict[str, Any]:
        return {
            "index": str(self.index),
            "balance": "32000000000",
            "status": self.status,
            "validator": {
                "pubkey": self.key,
                "withdrawal_credentials": self.credentials,
                "effective_balance": "32000000000",
                "slashed": False,
                "activation_eligibility_epoch": "0",
                "activation_epoch": str(self.activation_epoch),
                "exit_epoch": self.exit_epoch,
                "withdrawable_epoch": FAR_FUTURE,
            },
        }


@dataclass
class BeaconStub:
    """Runs while its `with` block does."""

    genesis_time: int = 1_600_000_000
    head_slot: int = 1000 * SLOTS_PER_EPOCH
    chain_id: int = 31_337
    syncing: dict[str, Any] = field(default_factory=lambda: {"is_syncing": False})
    validators: dict[str, StubValidator] = field(default_factory=dict)
    is_live: Callable[[int, int], bool] = lambda epoch, index: False
    liveness_status: int = 200
    pending: list[tuple[int, int]] = field(default_factory=list)
    """Partial withdrawals that are pending: validator index and withdrawable epoch."""
    pending_status: int = 200
    broken: int = 0
    """How many of the next requests get status 503."""
    advance: Callable[[], None] = lambda: None
    """What `POST /advance` does, for processes that cannot wait."""
    asked: list[str] = field(default_factory=list)

    def add(self, key: str, index: int, **more: Any) -> None:
        self.validators[key] = StubValidator(key, index, **more)

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        self.asked.append(path)
        if self.broken:
            self.broken -= 1
            return 503, None
        parts = path.strip("/").split("/")
        match parts:
            case ["advance"]:
                self.advance()
                return 200, {}
            case ["eth", "v1", "beacon", "genesis"]:
                return 200, {"genesis_time": str(self.genesis_time)}
            case ["eth", "v1", "config", "spec"]:
                return 200, {
                    "SECONDS_PER_SLOT": str(SECONDS_PER_SLOT),
                    "SLOTS_PER_EPOCH": str(SLOTS_PER_EPOCH),
                    "SHARD_COMMITTEE_PERIOD": "256",
                    "DEPOSIT_CHAIN_ID": str(self.chain_id),
                }
            case ["eth", "v1", "node", "syncing"]:
                return 200, {"head_slot": str(self.head_slot), **self.syncing}
            case ["eth", "v1", "beacon", "states", "head", "finality_checkpoints"]:
                epoch = self.head_slot // SLOTS_PER_EPOCH - 2
                return 200, {"finalized": {"epoch": str(epoch), "root": "0x00"}}
            case ["eth", "v1", "beacon", "states", "head", "validators", key]:
                found = self.validators.get(key)
                return (200, found.answer()) if found else (404, None)
            case ["eth", "v1", "beacon", "states", "head", "pending_partial_withdrawals"]:
                if self.pending_status != 200:
                    return self.pending_status, None
                return 200, [
                    {
                        "validator_index": str(index),
                        "amount": "1000000000",
                        "withdrawable_epoch": str(epoch),
                    }
                    for index, epoch in self.pending
                ]
            case ["eth", "v1", "validator", "liveness", epoch] if method == "POST":
                if self.liveness_status != 200:
                    return self.liveness_status, None
                rows = [{"index": i, "is_live": self.is_live(int(epoch), int(i))} for i in body]
                return 200, rows
        return 404, None

    def __enter__(self) -> Self:
        stub = self

        class Handler(BaseHTTPRequestHandler):
            def _reply(self, method: str) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                status, data = stub.answer(method, self.path, body)
                content = json.dumps({"data": data}).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def do_GET(self) -> None:
                self._reply("GET")

            def do_POST(self) -> None:
                self._reply("POST")

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
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
