"""Transactions, calls and logs of a local anvil, which mines only when told to.

A transaction is mined alone in the next block, 12 seconds after the one before, whether it fails
or not; what it answered or reverted with is read from its trace. Gas is free unless a test sets a
base fee, so that balances change by values alone. Addresses are lower-case hex.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

SECONDS_PER_BLOCK = 12
GAS = 16_000_000
"""Below the most that one transaction may ask for since Osaka (EIP-7825)."""


@dataclass(frozen=True, slots=True)
class Log:
    """One log as the chain recorded it."""

    address: str
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """A mined transaction that succeeded.

    Attributes:
        logs: all of it, in order, whoever emitted them.
        contract: what a deployment created, else empty.
    """

    block: int
    logs: tuple[Log, ...]
    gas_used: int
    contract: str


class Reverted(Exception):
    """A transaction or call failed.

    Attributes:
        data: what it reverted with.
        reason: the chain's word for it: a revert, or why the EVM stopped.
    """

    def __init__(self, data: bytes, reason: str) -> None:
        super().__init__(f"{reason}: 0x{data.hex()}")
        self.data = data
        self.reason = reason


class Anvil:
    """A local chain behind a web3 provider, which Ape started."""

    def __init__(self, provider: Any) -> None:
        self._provider = provider
        self._gas_price_wei = 0
        self.accounts = [str(account).lower() for account in self.rpc("eth_accounts")]
        self.rpc("evm_setAutomine", False)
        self.rpc("anvil_setBlockTimestampInterval", SECONDS_PER_BLOCK)

    def rpc(self, method: str, *arguments: Any) -> Any:
        """The node's answer; `Reverted` if it is a revert's data."""
        answer = self._provider.make_request(method, list(arguments))
        error = answer.get("error")
        if error is None:
            return answer["result"]
        if isinstance(error.get("data"), str):
            raise Reverted(bytes.fromhex(error["data"][2:]), error["message"])
        raise RuntimeError(f"{method}{arguments}: {error}")

    # ------------------------------------------------------------------------------------ blocks

    def block_number(self) -> int:
        """Number of the last block; a view runs in it, a transaction in the next."""
        return int(self.rpc("eth_blockNumber"), 16)

    def timestamp(self) -> int:
        """Of the last block, in UNIX seconds."""
        return int(self.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    def mine(self, blocks: int = 1) -> None:
        """Let empty blocks pass; takes about 3 ms each."""
        if blocks:
            self.rpc("anvil_mine", hex(blocks))

    def mine_to(self, block: int) -> None:
        """Let blocks pass so that the next transaction is mined in this one."""
        missing = block - 1 - self.block_number()
        if missing < 0:
            raise ValueError(f"block {block} is already mined")
        self.mine(missing)

    def set_next_timestamp(self, seconds: int) -> None:
        """UNIX seconds of the next block."""
        self.rpc("evm_setNextBlockTimestamp", seconds)

    def set_base_fee(self, wei: int) -> None:
        """Base fee of the next block; later ones come down from there as the protocol says."""
        self.rpc("anvil_setNextBlockBaseFeePerGas", hex(wei))
        self._gas_price_wei = wei

    # ------------------------------------------------------------------------------ transactions

    def submit(self, sender: str, to: str | None, data: bytes, value: int = 0) -> str:
        """Hash of a transaction that waits for the next block; see `mine` and `receipt`."""
        transaction = {
            "from": sender,
            "data": "0x" + data.hex(),
            "value": hex(value),
            "gas": hex(GAS),
            "gasPrice": hex(self._gas_price_wei),
        }
        if to is not None:
            transaction["to"] = to
        return str(self.rpc("eth_sendTransaction", transaction))

    def receipt(self, transaction: str) -> Receipt:
        """What a mined transaction did; `Reverted` if it failed."""
        receipt = self.rpc("eth_getTransactionReceipt", transaction)
        if int(receipt["status"], 16) != 1:
            raise self._failure(transaction)
        return Receipt(
            block=int(receipt["blockNumber"], 16),
            logs=tuple(map(_log, receipt["logs"])),
            gas_used=int(receipt["gasUsed"], 16),
            contract=(receipt["contractAddress"] or "").lower(),
        )

    def transact(self, sender: str, to: str | None, data: bytes, value: int = 0) -> Receipt:
        """Mine a transaction alone in the next block; `Reverted` if it failed."""
        transaction = self.submit(sender, to, data, value)
        self.rpc("evm_mine")
        return self.receipt(transaction)

    def call(
        self, sender: str, to: str, data: bytes, *, value: int = 0, at: str = "latest"
    ) -> bytes:
        """What a call would answer in the last block, or in the next one with `at="pending"`."""
        call = {"from": sender, "to": to, "data": "0x" + data.hex(), "value": hex(value)}
        return bytes.fromhex(self.rpc("eth_call", call, at)[2:])

    def _failure(self, transaction: str) -> Reverted:
        options = {"tracer": "callTracer", "tracerConfig": {"onlyTopCall": True}}
        trace = self.rpc("debug_traceTransaction", transaction, options)
        return Reverted(bytes.fromhex(trace.get("output", "0x")[2:]), trace["error"])

    # ------------------------------------------------------------------------------------- state

    def balance(self, account: str) -> int:
        """Ether of an account, in wei."""
        return int(self.rpc("eth_getBalance", account, "latest"), 16)

    def set_balance(self, account: str, wei: int) -> None:
        """Ether out of nothing, without running the account's code."""
        self.rpc("anvil_setBalance", account, hex(wei))

    def become(self, account: str) -> str:
        """The account, which may now send transactions without its key; returned for use."""
        self.rpc("anvil_impersonateAccount", account)
        return account

    def logs(self, address: str, topics: Sequence[str | None] = ()) -> tuple[Log, ...]:
        """All logs of a contract since the first block, oldest first."""
        wanted = {"address": address, "fromBlock": "0x0", "topics": list(topics)}
        return tuple(map(_log, self.rpc("eth_getLogs", wanted)))

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Whatever happens inside is taken back at the end, blocks and time included."""
        point = self.rpc("evm_snapshot")
        try:
            yield
        finally:
            self._gas_price_wei = 0
            self.rpc("evm_revert", point)


def _log(raw: dict[str, Any]) -> Log:
    return Log(
        address=raw["address"].lower(),
        topics=tuple(bytes.fromhex(topic[2:]) for topic in raw["topics"]),
        data=bytes.fromhex(raw["data"][2:]),
    )
