"""What is asked of a chain, and sent to it, as plain JSON-RPC.

Transactions are signed by `signing` and sent raw, so that the hash is known, and written down,
before sending. Never sees a key, and never imports Ape, which takes seconds to start.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import requests

from deploy.contracts_parts import calls
from deploy.contracts_parts.signing import Signer
from sdk.errors import ChainError, NetworkError
from sdk.types import checksum_address, parse_hex

GAS_MARGIN = 1.2
"""Over the estimate: state may change between estimate and block."""
BASE_FEE_MARGIN = 2
"""Six full blocks raise the base fee that far; what is not used is not paid."""
MAX_WAIT_S = 900
ANSWER_TIMEOUT_S = 60
LOG_RANGE_BLOCKS = 5_000
"""What public endpoints answer in one request."""
IMPLEMENTATION_SLOT = "0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc"


Transport = Callable[[str, list[Any]], dict[str, Any]]
"""A method and its parameters → the whole JSON-RPC answer; raises whatever it likes."""


class Reverted(ChainError):
    """A call or estimate reverted; `data` of the revert is in `reason_data`."""

    def __init__(self, message: str, reason_data: bytes) -> None:
        super().__init__(message, code="reverted")
        self.reason_data = reason_data


@dataclass(frozen=True, slots=True)
class Fees:
    """Wei per gas: what a transaction costs now, and what it may cost at most."""

    now: int
    priority: int
    most: int


class Chain:
    """One connected chain.

    Args:
        ask: carries a request to the node.

    Attributes:
        chain_id: EIP-155 id.
        genesis: hash of block 0: tells restarted development chains apart.
    """

    def __init__(self, ask: Transport) -> None:
        self._ask = ask
        self.chain_id = int(self.rpc("eth_chainId"), 16)
        self.genesis = str(self.rpc("eth_getBlockByNumber", "0x0", False)["hash"])

    def rpc(self, method: str, *parameters: Any) -> Any:
        """The result of one JSON-RPC request.

        Raises:
            Reverted: the call reverted.
            NetworkError: any other refusal, or no answer.
        """
        try:
            answer = self._ask(method, list(parameters))
        except Exception as problem:  # every transport has its own; URLs may hold keys
            raise NetworkError(
                f"the node does not answer {method} ({type(problem).__name__})",
                hint="Check --rpc-url; the same command goes on where it stopped.",
            ) from None
        error = answer.get("error")
        if error is None:
            return answer.get("result")
        message, data = str(error.get("message", "no message"))[:300], error.get("data")
        if "revert" in message.lower():
            shown = data if isinstance(data, str) and data.startswith("0x") else "0x"
            raise Reverted(f"{method}: {message}", parse_hex(shown, what="revert data"))
        raise NetworkError(f"the node refused {method}: {message}")

    @property
    def is_development(self) -> bool:
        """Whether the node is anvil, which runs no chain anybody relies on."""
        return str(self.rpc("web3_clientVersion")).lower().startswith("anvil")

    def now_s(self) -> int:
        """Timestamp of the latest block."""
        return int(self.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    def block(self) -> int:
        """Number of the latest block."""
        return int(self.rpc("eth_blockNumber"), 16)

    def nonce(self, account: str, *, at: str = "latest") -> int:
        """Transactions the account has sent."""
        return int(self.rpc("eth_getTransactionCount", account, at), 16)

    def balance_wei(self, account: str) -> int:
        """Ether of the account."""
        return int(self.rpc("eth_getBalance", account, "latest"), 16)

    def code(self, account: str) -> bytes:
        """Code at the address, empty if there is none."""
        return parse_hex(self.rpc("eth_getCode", account, "latest"), what="code")

    def implementation(self, proxy: str) -> str:
        """What the proxy's ERC-1967 slot names."""
        word = parse_hex(
            self.rpc("eth_getStorageAt", proxy, IMPLEMENTATION_SLOT, "latest"), what="slot"
        )
        return checksum_address(word[-20:])

    def call(
        self,
        to: str | None,
        data: bytes,
        *,
        sender: str | None = None,
        value: int = 0,
        overrides: Mapping[str, Any] | None = None,
    ) -> bytes:
        """What the call would return now; without `to`, the code it would create."""
        request = {"data": "0x" + data.hex(), "value": hex(value)}
        if to:
            request["to"] = to
        if sender:
            request["from"] = sender
        extra = [dict(overrides)] if overrides else []
        return parse_hex(self.rpc("eth_call", request, "latest", *extra), what="result")

    def read(self, to: str, signature: str, *arguments: Any, returns: str) -> Any:
        """Decoded result of a view, `returns` being its types, comma-separated."""
        data = self.call(to, calls.call(signature, *arguments))
        return calls.result(returns.split(","), data)

    def estimate(
        self,
        sender: str,
        to: str | None,
        data: bytes,
        *,
        value: int = 0,
        overrides: Mapping[str, Any] | None = None,
    ) -> int:
        """Gas the transaction would use, given code that is not there yet (`overrides`)."""
        request = {"from": sender, "data": "0x" + data.hex(), "value": hex(value)}
        if to:
            request["to"] = to
        extra = [dict(overrides)] if overrides else []
        return int(self.rpc("eth_estimateGas", request, "latest", *extra), 16)

    def fees(self) -> Fees:
        """Fees of the latest block."""
        base = int(self.rpc("eth_getBlockByNumber", "latest", False)["baseFeePerGas"], 16)
        priority = int(self.rpc("eth_maxPriorityFeePerGas"), 16)
        return Fees(now=base + priority, priority=priority, most=BASE_FEE_MARGIN * base + priority)

    def logs(self, address: str, topics: list[Any], *, from_block: int) -> list[dict[str, Any]]:
        """Logs since a block, oldest first."""
        found: list[dict[str, Any]] = []
        last = self.block()
        for start in range(from_block, last + 1, LOG_RANGE_BLOCKS):
            end = min(last, start + LOG_RANGE_BLOCKS - 1)
            found += self.rpc(
                "eth_getLogs",
                {
                    "address": address,
                    "topics": topics,
                    "fromBlock": hex(start),
                    "toBlock": hex(end),
                },
            )
        return found

    def is_pending(self, transaction: str) -> bool:
        """Whether the node holds the transaction in no block yet."""
        known = self.rpc("eth_getTransactionByHash", transaction)
        return known is not None and known.get("blockNumber") is None

    def send(
        self,
        signer: Signer,
        to: str | None,
        data: bytes,
        *,
        nonce: int,
        value: int = 0,
        on_signed: Callable[[str], None] = lambda _: None,
    ) -> str:
        """Sign and send; the hash. `on_signed` learns the hash before anybody else does."""
        gas = int(self.estimate(signer.address, to, data, value=value) * GAS_MARGIN)
        fees = self.fees()
        signed = signer.sign(
            type=2,
            chain_id=self.chain_id,
            receiver=to,
            data=data,
            value=value,
            nonce=nonce,
            gas_limit=gas,
            max_fee=fees.most,
            max_priority_fee=fees.priority,
        )
        on_signed(signed.hash)
        self.rpc("eth_sendRawTransaction", "0x" + signed.raw.hex())
        return signed.hash

    def wait(self, transaction: str, *, confirmations: int) -> dict[str, Any]:
        """The receipt, once as many blocks confirm it.

        Raises:
            ChainError: it was mined and failed.
            NetworkError: not mined in time.
        """
        pause = 0.1 if confirmations == 1 else 2.0
        for _ in range(int(MAX_WAIT_S / pause)):
            receipt = self.rpc("eth_getTransactionReceipt", transaction)
            if receipt and self.block() >= int(receipt["blockNumber"], 16) + confirmations - 1:
                if int(receipt["status"], 16) != 1:
                    raise ChainError(f"transaction {transaction} was mined and failed")
                return dict(receipt)
            time.sleep(pause)
        raise NetworkError(
            f"transaction {transaction} is not mined after {MAX_WAIT_S} s",
            hint="The same command goes on waiting for it.",
        )


@contextmanager
def connect(rpc_url: str) -> Iterator[Chain]:
    """The chain behind an HTTP URL, for a dry run: nothing here can sign.

    Raises:
        NetworkError: the node does not answer.
    """
    with closing(requests.Session()) as session:

        def ask(method: str, parameters: list[Any]) -> dict[str, Any]:
            request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
            answer = session.post(rpc_url, json=request, timeout=ANSWER_TIMEOUT_S)
            # The status is no guide: some nodes give a revert one of its own.
            found = answer.json()
            if not isinstance(found, dict) or "jsonrpc" not in found:
                raise ValueError("no JSON-RPC answer")
            return found

        yield Chain(ask)
