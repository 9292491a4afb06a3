"""A real node (anvil) as a `Chain`, reached through web3: slow, and the code unchanged.

Every transaction is mined in a block of its own, so letting 0 blocks pass lets one pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from web3 import HTTPProvider, Web3

from sdk.toolchain.anvil import running_anvil
from sdk.types import Address
from tests.contracts.chain import Outcome, RawLog

OPTIONS = [
    *("--auto-impersonate", "--prune-history"),
    *("--gas-limit", "60000000", "--hardfork", "prague", "--block-base-fee-per-gas", "0"),
]
ANSWER_S = 120
"""Longest wait for one answer; a busy machine may take its time for a hundred blocks."""
TRANSACTION_GAS = 2**24
SECONDS_PER_BLOCK = 12
_REVERTED = 3
"""Error code of the node for a call that reverts, with the data beside it."""


class AnvilChain:
    """One anvil, from which any address sends."""

    longest_jump = 100
    """Anvil takes milliseconds for an empty block, and more as the chain grows."""
    is_in_memory = False

    def __init__(self, web3: Web3) -> None:
        self._web3 = web3
        latest = self._ask("eth_getBlockByNumber", "latest", False)
        self._mined = self.block = int(latest["number"], 16)
        self.timestamp_s = int(latest["timestamp"], 16)
        self.base_fee_wei = 0

    def advance(self, *, blocks: int, seconds: int, base_fee_wei: int) -> None:
        """Mine all blocks but the last, which the next transaction mines; at least one passes."""
        blocks = max(1, blocks)
        if self.block > self._mined:
            self._mine(self.block - self._mined)
        if blocks > 1:
            self._mine(blocks - 1)
        self.block = self._mined + 1
        self.timestamp_s += max(seconds, blocks)
        self.base_fee_wei = base_fee_wei

    def deploy(self, code: bytes, *, sender: Address) -> tuple[Address, tuple[RawLog, ...]]:
        """Create a contract."""
        receipt = self._send({"from": _text(sender), "data": _text(code)})
        if receipt["status"] != "0x1":
            raise RuntimeError(f"a deployment of {len(code)} bytes fails")
        return _raw(receipt["contractAddress"]), tuple(map(_log, receipt["logs"]))

    def transact(self, sender: Address, to: Address, data: bytes, value_wei: int = 0) -> Outcome:
        """Mine a block with this transaction."""
        receipt = self._send(
            {"from": _text(sender), "to": _text(to), "data": _text(data), "value": hex(value_wei)}
        )
        gas_used = int(receipt["gasUsed"], 16)
        if receipt["status"] == "0x1":
            return Outcome(True, b"", tuple(map(_log, receipt["logs"])), gas_used)
        # It changed nothing, so the same call on the same block fails the same way, and says why.
        return replace(self.call(sender, to, data, value_wei), gas_used=gas_used)

    def call(self, sender: Address, to: Address, data: bytes, value_wei: int = 0) -> Outcome:
        """Run a transaction on the last block and forget it."""
        given = {
            "from": _text(sender),
            "to": _text(to),
            "data": _text(data),
            "value": hex(value_wei),
        }
        answer: dict[str, Any] = self._web3.provider.make_request("eth_call", [given, "latest"])  # type: ignore[arg-type, assignment]
        error = answer.get("error")
        if error is None:
            return Outcome(True, _raw(answer["result"]), (), 0)
        if error["code"] == _REVERTED:
            return Outcome(False, _raw(error.get("data", "0x")), (), 0)
        return Outcome(False, b"", (), 0, halted=str(error["message"]))

    def balance_wei(self, account: Address) -> int:
        """Ether of an account."""
        return int(self._ask("eth_getBalance", _text(account), "latest"), 16)

    def give_ether(self, account: Address, amount_wei: int) -> None:
        """Add ether out of nothing."""
        self._ask("anvil_setBalance", _text(account), hex(self.balance_wei(account) + amount_wei))

    def snapshot(self) -> object:
        """A point to come back to."""
        number = self._ask("evm_snapshot")
        return number, self._mined, self.block, self.timestamp_s, self.base_fee_wei

    def revert(self, point: object) -> None:
        """Undo everything since the point."""
        assert isinstance(point, tuple)
        number, self._mined, self.block, self.timestamp_s, self.base_fee_wei = point
        if not self._ask("evm_revert", number):
            raise RuntimeError(f"anvil has no snapshot {number}")
        # Nothing that was sent on the copy may be left to be mined after it.
        self._ask("anvil_dropAllTransactions")

    def _send(self, transaction: dict[str, str]) -> dict[str, Any]:
        if self.block == self._mined:
            self.advance(blocks=1, seconds=SECONDS_PER_BLOCK, base_fee_wei=self.base_fee_wei)
        self._ask("evm_setNextBlockTimestamp", self.timestamp_s)
        self._ask("anvil_setNextBlockBaseFeePerGas", hex(self.base_fee_wei))
        fee = hex(self.base_fee_wei)
        given = transaction | {"gas": hex(TRANSACTION_GAS), "gasPrice": fee}
        receipt: dict[str, Any] = self._ask("eth_sendTransactionSync", given)
        self._mined = int(receipt["blockNumber"], 16)
        if self._mined != self.block:
            raise RuntimeError(f"mined in block {self._mined}, not {self.block}")
        return receipt

    def _mine(self, blocks: int) -> None:
        self._ask("anvil_mine", hex(blocks), hex(1))
        self._mined += blocks

    def _ask(self, method: str, *given: object) -> Any:
        answer: dict[str, Any] = self._web3.provider.make_request(method, list(given))  # type: ignore[arg-type, assignment]
        if "error" in answer:
            raise RuntimeError(f"{method} fails: {answer['error']}")
        return answer["result"]


@contextmanager
def anvil_chain() -> Iterator[AnvilChain]:
    """A fresh anvil on a loopback port of its choice, ended with the block."""
    with running_anvil(*OPTIONS) as url:
        yield AnvilChain(Web3(HTTPProvider(url, {"timeout": ANSWER_S})))


def _log(log: dict[str, Any]) -> RawLog:
    return RawLog(_raw(log["address"]), tuple(map(_raw, log["topics"])), _raw(log["data"]))


def _text(data: bytes) -> str:
    return "0x" + data.hex()


def _raw(text: str) -> Any:
    return bytes.fromhex(text[2:])
