"""An execution client in memory: a chain that tests mine and reorganise, and rules to misbehave."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import httpx

from sdk.types import Address

CONTRACT = Address(b"\xcc" * 20)
TOPIC = b"\x77" * 32
Rule = Callable[[dict[str, Any]], Any]


class Refuse(Exception):
    """A rule's way to answer with an error."""

    def __init__(self, message: str, code: int = -32005) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


@dataclass
class Node:
    """Answers JSON-RPC over `transport`.

    Attributes:
        blocks: headers and logs as JSON, by number.
        rule: sees each call first; None lets it pass, a value is the result.
        calls: what was asked, in order.
    """

    chain_id: int = 31337
    blocks: list[dict[str, Any]] = field(default_factory=list)
    rule: Rule | None = None
    calls: list[dict[str, Any]] = field(default_factory=list)
    has_timestamps: bool = False
    salt: int = 0

    def mine(
        self,
        blocks: int = 1,
        *,
        logs: int = 0,
        events: Sequence[tuple[Sequence[bytes], bytes]] = (),
    ) -> None:
        """Blocks with so many logs each, or with these topics and data."""
        for _ in range(blocks):
            self.salt += 1
            number = len(self.blocks)
            parent = self.blocks[-1]["hash"] if self.blocks else "0x" + "00" * 32
            name = "0x" + sha256(f"{parent}{self.salt}".encode()).hexdigest()
            said = events or [((TOPIC,), number.to_bytes(32, "big"))] * logs
            log = {
                "address": "0x" + CONTRACT.hex(),
                "blockNumber": hex(number),
                "blockHash": name,
                "transactionHash": name,
                "transactionIndex": "0x0",
                "removed": False,
            }
            if self.has_timestamps:
                log["blockTimestamp"] = hex(1000 + 12 * number)
            self.blocks.append(
                {
                    "number": hex(number),
                    "hash": name,
                    "parentHash": parent,
                    "timestamp": hex(1000 + 12 * number),
                    "logs": [
                        log
                        | {
                            "logIndex": hex(index),
                            "topics": ["0x" + topic.hex() for topic in topics],
                            "data": "0x" + data.hex(),
                        }
                        for index, (topics, data) in enumerate(said)
                    ],
                }
            )

    def reorganise(self, depth: int, blocks: int, *, logs: int = 0) -> None:
        """Replace the last blocks."""
        del self.blocks[len(self.blocks) - depth :]
        self.mine(blocks, logs=logs)

    @property
    def transport(self) -> httpx.MockTransport:
        """What carries requests to this node."""
        return httpx.MockTransport(self.respond)

    def respond(self, request: httpx.Request) -> httpx.Response:
        """One HTTP exchange."""
        asked = json.loads(request.content)
        if isinstance(asked, list):
            return httpx.Response(200, json=[self._answer(each) for each in reversed(asked)])
        return httpx.Response(200, json=self._answer(asked))

    def count(self, method: str) -> int:
        """How often a method was called."""
        return sum(call["method"] == method for call in self.calls)

    def _answer(self, call: dict[str, Any]) -> dict[str, Any]:
        self.calls.append(call)
        try:
            result = None if self.rule is None else self.rule(call)
        except Refuse as refusal:
            error = {"code": refusal.code, "message": refusal.message}
            return {"jsonrpc": "2.0", "id": call["id"], "error": error}
        if result is None:
            result = self._result(call["method"], call["params"])
        return {"jsonrpc": "2.0", "id": call["id"], "result": result}

    def _result(self, method: str, params: list[Any]) -> Any:
        if method == "eth_chainId":
            return hex(self.chain_id)
        if method == "eth_blockNumber":
            return hex(len(self.blocks) - 1)
        if method == "eth_getBlockByNumber":
            number = int(params[0], 16)
            return self.blocks[number] if number < len(self.blocks) else None
        if method == "eth_getLogs" and "blockHash" in params[0]:
            wanted = params[0]["blockHash"]
            found = next((each for each in self.blocks if each["hash"] == wanted), None)
            if found is None:
                raise Refuse("unknown block")
            return found["logs"]
        if method == "eth_getLogs":
            low, high = (int(params[0][name], 16) for name in ("fromBlock", "toBlock"))
            return [log for block in self.blocks[low : high + 1] for log in block["logs"]]
        raise Refuse(f"the method {method} does not exist", -32601)
