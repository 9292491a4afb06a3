"""A real anvil for one run, and transactions on it whose receipts are all that counts.

Everything that could differ between two runs is fixed: accounts, genesis time, twelve seconds per
block, one base fee. Each run has a process of its own, which ends with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from web3 import HTTPProvider, Web3

from sdk.errors import InvariantBroken
from sdk.toolchain.anvil import running_anvil

HARDFORK = "osaka"  # the rule set of the reference figures
GENESIS_S = 1_700_000_000
SECONDS_PER_BLOCK = 12
BASE_FEE_WEI = 1_000_000_000
ACCOUNTS = 12
# Below the cap of one transaction since Osaka (2**24, EIP-7825), above every row.
GAS_LIMIT = 16_000_000


@dataclass(frozen=True, slots=True)
class Log:
    """One log of a receipt."""

    address: str
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a transaction cost and did.

    Attributes:
        gas: gas used, after refunds.
        floor: least that a transaction with this calldata can cost (EIP-7623).
        calldata_gas: what its calldata costs before anything runs.
        contract: address of the contract that it created, if it did.
    """

    gas: int
    floor: int
    calldata_gas: int
    logs: tuple[Log, ...]
    contract: str | None
    transaction: str


class Reverted(InvariantBroken):
    """A transaction of a scenario reverted, so the scenario is wrong or the registry is."""


class Chain:
    """JSON-RPC of one anvil."""

    def __init__(self, w3: Web3) -> None:
        self.w3 = w3
        self.accounts: tuple[str, ...] = tuple(w3.eth.accounts)
        self.request("anvil_setBlockTimestampInterval", SECONDS_PER_BLOCK)

    def request(self, method: str, *parameters: object) -> Any:
        """The result of one call.

        Raises:
            InvariantBroken: anvil answered with an error.
        """
        answer = self.w3.provider.make_request(method, list(parameters))  # type: ignore[arg-type]
        if "result" not in answer:
            raise InvariantBroken(f"anvil refused {method}: {answer.get('error')}")
        return answer["result"]

    def mine(self, blocks: int) -> None:
        """Empty blocks."""
        if blocks:
            self.request("anvil_mine", hex(blocks), hex(SECONDS_PER_BLOCK))

    def pass_time(self, seconds: int) -> None:
        """One block, so much later than the last."""
        latest = self.request("eth_getBlockByNumber", "latest", False)
        self.request("evm_setNextBlockTimestamp", int(latest["timestamp"], 16) + seconds)
        self.request("evm_mine")

    @contextmanager
    def mining_by_itself(self) -> Iterator[None]:
        """Inside, each transaction is mined when it comes."""
        self.request("evm_setAutomine", True)
        yield
        self.request("evm_setAutomine", False)

    @contextmanager
    def restored_afterwards(self) -> Iterator[None]:
        """Whatever happens inside is undone at the end."""
        snapshot = self.request("evm_snapshot")
        yield
        self.request("evm_revert", snapshot)

    def send(self, *, sender: str, to: str | None, data: bytes, value_wei: int = 0) -> Receipt:
        """One transaction in a block of its own.

        Raises:
            Reverted: with the data that it reverted with.
        """
        self.request("anvil_setNextBlockBaseFeePerGas", hex(BASE_FEE_WEI))
        transaction = {"from": sender, "data": "0x" + data.hex(), "value": hex(value_wei)}
        transaction |= {"gas": hex(GAS_LIMIT)} | ({"to": to} if to else {})
        sent = self.request("eth_sendTransaction", transaction)
        self.request("evm_mine")
        receipt = self.request("eth_getTransactionReceipt", sent)
        if int(receipt["status"], 16) != 1:
            before = hex(int(receipt["blockNumber"], 16) - 1)
            answer = self.w3.provider.make_request("eth_call", [transaction, before])  # type: ignore[arg-type]
            raise Reverted(f"reverted: {answer.get('error')}, calldata 0x{data[:4].hex()}")
        return Receipt(
            gas=int(receipt["gasUsed"], 16),
            floor=calldata_floor(data),
            calldata_gas=4 * data.count(0) + 16 * (len(data) - data.count(0)),
            logs=tuple(_log(log) for log in receipt["logs"]),
            contract=receipt["contractAddress"],
            transaction=sent,
        )

    def trace(self, receipt: Receipt) -> list[dict[str, Any]]:
        """Every instruction that the transaction executed."""
        options = {"disableMemory": True, "disableStorage": True}
        answer = self.request("debug_traceTransaction", receipt.transaction, options)
        return list(answer["structLogs"])


def calldata_floor(data: bytes) -> int:
    """Least gas that a transaction with this calldata uses.

    Source: EIP-7623, 10 gas per token, a token per zero byte and four per other byte.
    """
    zeros = data.count(0)
    return 21_000 + 10 * (zeros + 4 * (len(data) - zeros))


@contextmanager
def local_chain(*, tracing: bool = False) -> Iterator[Chain]:
    """A fresh anvil on loopback, on a port that the system chose.

    Args:
        tracing: whether `Chain.trace` can be asked, which slows everything down.

    Raises:
        ConfigError: anvil is not on the PATH, or it did not start.
    """
    options = (
        "--no-mining",  # a block is there when the call that asked for it has answered
        "--disable-code-size-limit",  # so that a contract too large can be measured and reported
        *("--hardfork", HARDFORK, "--timestamp", str(GENESIS_S)),
        *("--accounts", str(ACCOUNTS), "--balance", "1000000"),
        *(("--steps-tracing",) if tracing else ()),
    )
    with running_anvil(*options) as url:
        yield Chain(Web3(HTTPProvider(url)))


def _log(log: dict[str, Any]) -> Log:
    topics = tuple(_bytes(topic) for topic in log["topics"])
    return Log(log["address"], topics, _bytes(log["data"]))


def _bytes(value: str | bytes) -> bytes:
    return bytes.fromhex(value.removeprefix("0x")) if isinstance(value, str) else bytes(value)
