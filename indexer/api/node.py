"""One execution node that an API process may ask: gas, confirmations, what is pending.

Shell: blocking, for worker threads, without a database connection in hand. It only asks, never
sends. Whatever a node does not answer in time is said to be unchecked, never guessed. Its address
is never shown, because it often holds a key.

Source: ethereum/execution-apis (JSON-RPC); EIP-1271.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import Any, Final, TypeVar

import httpx
import msgspec

from sdk.client.abi import decode_answer, encode_call
from sdk.client.calls import call_with, chain_id, quantity, revert_or_refusal
from sdk.client.operation import (
    Operation,
    Patience,
    Pause,
    Refused,
    Reply,
    Request,
    Result,
    Rpc,
    Silent,
    persist,
    refusal_error,
)
from sdk.errors import ChainError, ConfigError, NetworkError
from sdk.types import Address, BlockNumber, ClusterId, checksum_address

ANSWER_S: Final = 3.0
"""A node in the same place takes milliseconds; the rest of an answer must not wait longer."""
MOST_ANSWER_BYTES: Final = 1 << 20
"""What is asked has answers of a few hundred bytes."""
ASKED_AT_ONCE: Final = 8
"""Of one process; who comes then is told that nothing was checked."""
NO_NODE: Final = "this API has no execution node"
_FORM: Final = {"Content-Type": "application/json"}
_ONCE: Final = Patience(attempts=1)
_MAGIC: Final = bytes.fromhex("1626ba7e")
"""What `isValidSignature` returns for a valid one (EIP-1271), and its selector."""

T = TypeVar("T")


class NotChecked(Exception):
    """The node did not say; `reason` is for whoever asked."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a node says of a call.

    Attributes:
        gas: None if it would revert.
        revert: why it would.
    """

    gas: int | None
    revert: ChainError | None = None


class Node:
    """An execution node of the chain that the tables tell of."""

    def __init__(self, url: str, *, transport: httpx.BaseTransport | None = None) -> None:
        """Nothing is asked yet.

        Args:
            url: `http` or `https`.
            transport: what carries requests, for tests.

        Raises:
            ConfigError: the address is none.
        """
        if not url.startswith(("http://", "https://")):
            raise ConfigError(
                "the execution node's address is no http or https one",
                hint="Expected something like http://127.0.0.1:8545.",
            )
        self._url = url
        self._chain_id: int | None = None
        self._turns = BoundedSemaphore(ASKED_AT_ONCE)
        self._client = httpx.Client(transport=transport, timeout=ANSWER_S, trust_env=False)

    def close(self) -> None:
        """End its connections."""
        self._client.close()

    def estimate(
        self, function: str, *, sender: str, to: Address, data: str, value_wei: int, chain: int
    ) -> Estimate:
        """Gas of a call in the next block, without margin.

        Args:
            function: its name, for errors.
            sender: EIP-55.
            to: the registry.
            data: calldata in hex.
            value_wei: ether sent.
            chain: id of the chain that it is for.

        Raises:
            NotChecked: the node does not say.
        """
        transaction = {
            "from": sender,
            "to": checksum_address(to),
            "data": data,
            "value": hex(value_wei),
        }
        request = Rpc("eth_estimateGas", (transaction,), function)
        try:
            return Estimate(self._ask(_estimated(request), chain))
        except ChainError as revert:
            return Estimate(None, revert)

    def commitment(self, cluster: ClusterId, *, to: Address, chain: int) -> tuple[int, bytes]:
        """The node's newest block, and what the registry stores of a cluster there.

        Raises:
            NotChecked: the node does not say.
        """
        with self._told():
            number = self._ask(quantity(Rpc("eth_blockNumber", (), "newest block")), chain)
            data = encode_call("getClusterHash", (cluster,))
            found = self._view("getClusterHash", data, to=to, block=number, chain=chain)
            return number, bytes(found[0])

    def pending_nonce(self, owner: Address, *, to: Address, chain: int) -> int:
        """The owner's registration nonce after what the node has in its pool.

        Raises:
            NotChecked: the node does not say.
        """
        with self._told():
            data = encode_call("getOwnerNonce", (checksum_address(owner),))
            found = self._view("getOwnerNonce", data, to=to, block="pending", chain=chain)
            return int(found[0])

    def accepts(self, wallet: Address, digest: bytes, signature: bytes, *, chain: int) -> bool:
        """Whether a contract says that a signature is its own (EIP-1271).

        Raises:
            NotChecked: the node does not say.
        """
        length = len(signature).to_bytes(32, "big")
        padded = signature + bytes(-len(signature) % 32)
        data = _MAGIC + digest + (64).to_bytes(32, "big") + length + padded
        call = {"to": checksum_address(wallet), "data": "0x" + data.hex()}
        try:
            found = self._ask(call_with(call, block="latest", subject="isValidSignature"), chain)
        except ChainError:
            return False
        return found == _MAGIC + bytes(28)

    def _view(
        self, name: str, data: bytes, *, to: Address, block: BlockNumber | int | str, chain: int
    ) -> tuple[Any, ...]:
        call = {"to": checksum_address(to), "data": "0x" + data.hex()}
        return decode_answer(name, self._ask(call_with(call, block=block, subject=name), chain))

    @contextmanager
    def _told(self) -> Iterator[None]:
        """A view that reverts says nothing that can be relied on."""
        try:
            yield
        except ChainError as failure:
            raise NotChecked(f"the execution node: {failure.message}") from failure

    def _ask(self, operation: Operation[T], chain: int) -> T:
        """The operation's result, from a node of this chain."""
        if not self._turns.acquire(blocking=False):
            raise NotChecked("the execution node is busy with other questions")
        try:
            if self._chain_id is None:
                self._chain_id = self._run(chain_id())
            if self._chain_id != chain:
                raise NotChecked(f"the execution node is of chain {self._chain_id}, not {chain}")
            return self._run(operation)
        except NetworkError as failure:
            raise NotChecked(f"the execution node does not answer ({failure.code})") from failure
        finally:
            self._turns.release()

    def _run(self, operation: Operation[T]) -> T:
        lasting = persist(operation, _ONCE)
        try:
            request = next(lasting)
            while True:
                request = lasting.send(self._perform(request))
        except StopIteration as stop:
            found: T = stop.value
            return found

    def _perform(self, request: Request) -> Reply:
        if isinstance(request, Pause):
            return Result(None)  # nothing is asked twice, so nothing waits
        asked = {"jsonrpc": "2.0", "id": 1, "method": request.method, "params": request.params}
        content, body = msgspec.json.encode(asked), bytearray()
        try:
            with self._client.stream("POST", self._url, content=content, headers=_FORM) as got:
                for chunk in got.iter_bytes():
                    body += chunk
                    if len(body) > MOST_ANSWER_BYTES:
                        return Silent("the answer is too large")
                status = got.status_code
            answer = msgspec.json.decode(bytes(body))
        except (httpx.HTTPError, httpx.StreamError) as failure:
            # Their texts may quote the address.
            return Silent(type(failure).__name__)
        except msgspec.DecodeError:
            return Silent("the answer cannot be read", status)
        return _reply(answer)


def _estimated(request: Rpc) -> Operation[int]:
    """Raises `ChainError` if the call would revert, `NetworkError` if nobody says."""
    reply = yield request
    if isinstance(reply, Refused):
        raise revert_or_refusal(request, reply)
    try:
        return int(reply.value if isinstance(reply, Result) else "", 16)
    except (TypeError, ValueError):
        raise refusal_error(request, reply) from None


def _reply(answer: Any) -> Reply:
    if not isinstance(answer, dict):
        return Silent("the answer is no JSON-RPC object")
    error = answer.get("error")
    if not isinstance(error, dict):
        return Result(answer.get("result"))
    code = error.get("code")
    message = str(error.get("message", ""))
    return Refused(code if isinstance(code, int) else None, message, error.get("data"))
