"""An execution client in memory: a chain that tests mine and reorganise, and rules to misbehave."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import msgspec
import rlp  # type: ignore[import-untyped]  # no type information upstream

from sdk.chain.receipts import BLOOM_BYTES, Receipt, receipts_root
from sdk.types import Address, keccak256

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
        has_receipts: serves receipts; headers have their roots in any case.
    """

    chain_id: int = 31337
    blocks: list[dict[str, Any]] = field(default_factory=list)
    rule: Rule | None = None
    calls: list[dict[str, Any]] = field(default_factory=list)
    has_timestamps: bool = False
    has_receipts: bool = True
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
            said = events or [((TOPIC,), number.to_bytes(32, "big"))] * logs
            self.blocks.append(self._block(number, said))

    def _block(self, number: int, said: Sequence[tuple[Sequence[bytes], bytes]]) -> dict[str, Any]:
        parts = [
            {
                "address": _hex(CONTRACT),
                "topics": [_hex(topic) for topic in topics],
                "data": _hex(data),
            }
            for topics, data in said
        ]
        bloom = _hex(bloom_of([CONTRACT, *(topic for topics, _ in said for topic in topics)]))
        receipts: list[dict[str, Any]] = [
            {
                "transactionHash": _hex(keccak256(f"{number} {self.salt}".encode())),
                "cumulativeGasUsed": hex(21_000 * (1 + len(parts))),
                "logsBloom": bloom,
                "logs": parts,
                "type": "0x2",
                "status": "0x1",
            }
        ] * bool(parts)
        header: dict[str, str] = {
            "parentHash": self.blocks[-1]["hash"] if self.blocks else "0x" + "00" * 32,
            "sha3Uncles": "0x" + "11" * 32,
            "miner": "0x" + "22" * 20,
            "stateRoot": _hex(keccak256(f"state {self.salt}".encode())),
            "transactionsRoot": "0x" + "33" * 32,
            "receiptsRoot": _hex(receipts_root(msgspec.convert(receipts, list[Receipt]))),
            "logsBloom": bloom if parts else "0x" + "00" * BLOOM_BYTES,
            "difficulty": "0x0",
            "number": hex(number),
            "gasLimit": "0x1c9c380",
            "gasUsed": receipts[0]["cumulativeGasUsed"] if receipts else "0x0",
            "timestamp": hex(1000 + 12 * number),
            "extraData": _hex(self.salt.to_bytes(8, "big")),
            "mixHash": "0x" + "44" * 32,
            "nonce": "0x0000000000000000",
            "baseFeePerGas": "0x7",
        }
        name = _hex(hash_of(header))
        log = {
            "blockNumber": hex(number),
            "blockHash": name,
            "transactionHash": receipts[0]["transactionHash"] if receipts else "0x",
            "transactionIndex": "0x0",
            "removed": False,
        }
        if self.has_timestamps:
            log["blockTimestamp"] = header["timestamp"]
        logs = [log | each | {"logIndex": hex(index)} for index, each in enumerate(parts)]
        return header | {"hash": name, "logs": logs, "receipts": receipts}

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
            if result is None:
                result = self._result(call["method"], call["params"])
        except Refuse as refusal:
            error = {"code": refusal.code, "message": refusal.message}
            return {"jsonrpc": "2.0", "id": call["id"], "error": error}
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
            return self._named(params[0]["blockHash"])["logs"]
        if method == "eth_getBlockReceipts" and self.has_receipts:
            return self._named(params[0])["receipts"]
        if method == "eth_getLogs":
            low, high = (int(params[0][name], 16) for name in ("fromBlock", "toBlock"))
            return [log for block in self.blocks[low : high + 1] for log in block["logs"]]
        raise Refuse(f"the method {method} does not exist", -32601)

    def _named(self, name: str) -> dict[str, Any]:
        found = next((each for each in self.blocks if each["hash"] == name), None)
        if found is None:
            raise Refuse("unknown block")
        return found


def hash_of(header: dict[str, str]) -> bytes:
    """What names a header of these fields, which are in their order."""
    numbers = {"difficulty", "number", "gasLimit", "gasUsed", "timestamp", "baseFeePerGas"}
    values = [
        int(text, 16) if name in numbers else bytes.fromhex(text[2:])
        for name, text in header.items()
    ]
    return keccak256(rlp.encode(values))


def bloom_of(items: Sequence[bytes]) -> bytes:
    """With the bits of these addresses and topics."""
    bits = 0
    for each in items:
        name = keccak256(each)
        for start in (0, 2, 4):
            bits |= 1 << int.from_bytes(name[start : start + 2], "big") % (8 * BLOOM_BYTES)
    return bits.to_bytes(BLOOM_BYTES, "big")


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
