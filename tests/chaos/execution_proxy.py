"""An execution node that is away, stands still, or tells another history than the chain has.

The true one stands behind it. Lies are told in every answer alike: what is hidden is in no log, no
bloom filter and no receipt, so that only what the beacon chain knows of the block can show them.

Source: ethereum/execution-apis (eth_getLogs, eth_getBlockByNumber, eth_getBlockReceipts).
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any, Final, assert_never

import trio

from sdk.events import Event
from sdk.events.decode import encode
from tests.chaos.serving import Exchange, Proxy

NO_BLOOM: Final = "0x" + 256 * "00"
FULL_BLOOM: Final = "0x" + 256 * "ff"
ALTERED_BIT: Final = 0x01
ERROR: Final = 500


class Mode(StrEnum):
    """How the node behaves."""

    WELL = "well"
    ABSENT = "absent"
    """Ends every connection without an answer."""
    SILENT = "silent"
    ERRORS = "errors"
    FROZEN = "frozen"
    """Its newest block is the one that was newest when this began."""
    HIDING = "hiding"
    """Has no logs in blocks that are newer than that."""
    ALTERING = "altering"
    """Has others in them: one bit of the data is turned."""
    INVENTING = "inventing"
    """Has one more in the first block that is newer."""


class ExecutionProxy(Proxy):
    """Stands before the registry's chain, for one operator.

    Args:
        target: of the true node.
        contract: the registry's address.
    """

    def __init__(self, target: str, contract: str) -> None:
        super().__init__(target)
        self._contract = contract
        self._mode = Mode.WELL
        self._since = 0
        self._invented: dict[str, Any] | None = None
        self._first_hash: str | None = None

    @property
    def mode(self) -> Mode:
        """How it behaves now."""
        return self._mode

    async def turn(self, mode: Mode, *, invented: Event | None = None) -> int:
        """Behave so from now on, and return the newest block of the true chain.

        Args:
            mode: how.
            invented: what the registry is said to have emitted.
        """
        self._since = int(await self._ask("eth_blockNumber"), 16)
        self._first_hash = None
        self._invented = None if invented is None else _log_of(invented, self._contract)
        self._mode = mode
        self.hang_up()
        return self._since

    async def meet(self, exchange: Exchange) -> None:
        match self._mode:
            case Mode.WELL:
                await self.splice(exchange)
            case Mode.ABSENT:
                return
            case Mode.SILENT:
                await trio.sleep_forever()
            case Mode.ERRORS:
                await exchange.reply(ERROR, b'{"message": "chaos"}')
            case Mode.FROZEN | Mode.HIDING | Mode.ALTERING | Mode.INVENTING:
                await self._find_first()
                asked = json.loads(exchange.request.body)
                calls = {
                    each["id"]: each for each in (asked if isinstance(asked, list) else [asked])
                }
                await exchange.forward(self.client, lambda body: self._lied(calls, body))
            case _:
                assert_never(self._mode)

    async def _ask(self, method: str, *parameters: object) -> Any:
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
        return (await self.client.post("/", json=request)).json()["result"]

    async def _find_first(self) -> None:
        """The hash of the block that gets an invented log, once the chain has it."""
        if self._mode is Mode.INVENTING and self._first_hash is None:
            found = await self._ask("eth_getBlockByNumber", hex(self._since + 1), False)
            self._first_hash = None if found is None else found["hash"]

    def _lied(self, calls: dict[object, dict[str, Any]], body: bytes) -> bytes:
        told = json.loads(body)
        for answer in told if isinstance(told, list) else [told]:
            call = calls.get(answer.get("id"))
            if call is not None and "result" in answer:
                answer["result"] = self._result(call, answer["result"])
        return json.dumps(told).encode()

    def _result(self, call: dict[str, Any], result: Any) -> Any:
        match call["method"]:
            case "eth_blockNumber" if self._mode is Mode.FROZEN:
                return hex(min(int(result, 16), self._since))
            case "eth_getBlockByNumber" | "eth_getBlockByHash" if result is not None:
                return self._block(result)
            case "eth_getLogs":
                return self._logs(call["params"][0], result)
            case "eth_getBlockReceipts" if result is not None:
                return self._receipts(result)
            case _:
                return result

    def _is_new(self, number: str) -> bool:
        return int(number, 16) > self._since

    def _block(self, block: dict[str, Any]) -> dict[str, Any] | None:
        if not self._is_new(block["number"]):
            return block
        match self._mode:
            case Mode.FROZEN:
                return None
            case Mode.HIDING:
                return block | {"logsBloom": NO_BLOOM}
            case Mode.INVENTING:
                return block | {"logsBloom": FULL_BLOOM}
            case _:
                return block

    def _logs(self, wanted: dict[str, Any], logs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        old = [each for each in logs if not self._is_new(each["blockNumber"])]
        new = [each for each in logs if self._is_new(each["blockNumber"])]
        match self._mode:
            case Mode.ALTERING:
                return [*old, *map(_altered, new)]
            case Mode.INVENTING:
                return self._with_invented(wanted, logs)
            case _:
                return old

    def _with_invented(
        self, wanted: dict[str, Any], logs: list[dict[str, Any]]
    ) -> list[dict[str, Any]]:
        """The logs and one that never was, placed where the question has room for it."""
        first = self._since + 1
        if self._first_hash is None or self._invented is None:
            return logs
        if "blockHash" in wanted:
            has_room = wanted["blockHash"] == self._first_hash
        else:
            low, high = wanted.get("fromBlock", ""), wanted.get("toBlock", "")
            is_range = low.startswith("0x") and high.startswith("0x")
            has_room = is_range and int(low, 16) <= first <= int(high, 16)
        if not has_room:
            return logs
        return [*logs, {**self._invented, "blockNumber": hex(first), "blockHash": self._first_hash}]

    def _receipts(self, receipts: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [
            each
            if not self._is_new(each["blockNumber"])
            else each | {"logs": self._logs({}, each["logs"])}
            for each in receipts
        ]


def _altered(log: dict[str, Any]) -> dict[str, Any]:
    """With another last byte."""
    data = log["data"]
    last = int(data[-2:], 16) ^ ALTERED_BIT if len(data) > len("0x") else 0
    return log | {"data": f"{data[:-2]}{last:02x}"}


def _log_of(event: Event, contract: str) -> dict[str, Any]:
    topics, data = encode(event)
    return {
        "address": contract,
        "topics": [f"0x{each.hex()}" for each in topics],
        "data": f"0x{data.hex()}",
        "transactionHash": "0x" + 32 * "c5",
        "transactionIndex": "0x0",
        "logIndex": "0x0",
        "removed": False,
    }
