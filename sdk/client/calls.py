"""Single questions to the node about the registry: a view, a block, a balance.

Pure operations. A revert becomes the typed exception of its custom error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from eth_typing import ChecksumAddress

from sdk.client.abi import decode_answer, encode_call
from sdk.client.contract_errors import decode_revert
from sdk.client.operation import Operation, Refused, Reply, Result, Rpc, refusal_error, result_of
from sdk.errors import ChainError, NetworkError, PhalanxError, UsageError
from sdk.networks import Network
from sdk.types import BlockNumber

BlockTag = int | str
"""A block number, or `latest`, `pending`, `safe`, `finalized`, `earliest`."""
DEFAULT_WINDOW_BLOCKS: Final = 50_000
_TAGS: Final = ("latest", "pending", "safe", "finalized", "earliest")
_REVERT_CODE: Final = 3
_POOR_WORDS: Final = ("insufficient funds", "insufficient balance")


@dataclass(frozen=True, slots=True)
class Deployment:
    """Which registry, and where its history begins.

    Attributes:
        start_block: block of the registry's deployment; searches for logs end there.
        network: what the node must follow; None accepts any.
        window_blocks: widest range of blocks that one search for logs asks for.
    """

    registry: ChecksumAddress
    start_block: int
    network: Network | None = None
    window_blocks: int = DEFAULT_WINDOW_BLOCKS


@dataclass(frozen=True, slots=True)
class Block:
    """What matters of a block header."""

    number: BlockNumber
    hash: bytes
    timestamp_s: int
    base_fee_wei: int


def block_parameter(block: BlockTag) -> str:
    """A block as JSON-RPC names it.

    Raises:
        UsageError: `block_tag`.
    """
    if isinstance(block, int) and block >= 0:
        return hex(block)
    if block in _TAGS:
        return str(block)
    raise UsageError(
        f"{block!r} names no block", code="block_tag", hint=f"Use a number or {', '.join(_TAGS)}."
    )


def call(
    deployment: Deployment, name: str, *arguments: Any, block: BlockTag = "latest"
) -> Operation[tuple[Any, ...]]:
    """The values of a view of the registry.

    Raises:
        RegistryError: the view reverted.
        ChainError: `no_registry`, the address holds no registry.
    """
    data = yield from call_with(
        {"to": deployment.registry, "data": "0x" + encode_call(name, arguments).hex()},
        block=block,
        subject=name,
    )
    return decode_answer(name, data)


def call_one(
    deployment: Deployment, name: str, *arguments: Any, block: BlockTag = "latest"
) -> Operation[Any]:
    """The only value of a view; errors as `call`."""
    values = yield from call(deployment, name, *arguments, block=block)
    return values[0]


def call_with(transaction: dict[str, str], *, block: BlockTag, subject: str) -> Operation[bytes]:
    """What `eth_call` of this transaction returns.

    Raises:
        RegistryError: it reverted.
        NetworkError: the node refused for another reason.
    """
    request = Rpc("eth_call", (transaction, block_parameter(block)), subject)
    reply = yield request
    if isinstance(reply, Result):
        return hex_bytes(reply.value, request)
    raise revert_or_refusal(request, reply)


def revert_or_refusal(request: Rpc, reply: Reply) -> PhalanxError:
    """The typed exception if the contract reverted, a `NetworkError` if the node refused."""
    if not isinstance(reply, Refused):
        return refusal_error(request, reply)
    data = revert_data(reply)
    if data is None:
        return _poverty(request, reply) or refusal_error(request, reply)
    return decode_revert(data, subject=request.subject, message=reply.message)


def _poverty(request: Rpc, reply: Refused) -> ChainError | None:
    """The error if the node refuses because the account cannot pay; None for other reasons."""
    if not any(words in reply.message.lower() for words in _POOR_WORDS):
        return None
    account = request.params[0].get("from", "the account") if request.params else "the account"
    return ChainError(
        f"{request.subject}: {account} cannot pay for it (the node says: {reply.message[:160]})",
        code="insufficient_funds",
        hint="Fund the account, or send less.",
        data={"account": account},
    )


def revert_data(reply: Refused) -> bytes | None:
    """Revert data in a node's error, empty if it reverted without; None if it is no revert.

    Nodes differ: the data is a text, a text after a word, or a member of an object.
    """
    found = reply.data
    if isinstance(found, dict):
        found = found.get("data", found.get("result"))
    if isinstance(found, str):
        _, mark, digits = found.partition("0x")
        try:
            if mark:
                return bytes.fromhex(digits.strip().strip('"'))
        except ValueError:
            pass
    is_revert = reply.code == _REVERT_CODE or "revert" in reply.message.lower()
    return b"" if is_revert else None


def block_header(block: BlockTag = "latest") -> Operation[Block]:
    """A block's header.

    Raises:
        NetworkError: `block_unknown`.
    """
    request = Rpc("eth_getBlockByNumber", (block_parameter(block), False), f"block {block}")
    found = yield from result_of(request)
    try:
        return Block(
            number=BlockNumber(int(found["number"], 16)),
            hash=bytes.fromhex(found["hash"].removeprefix("0x")),
            timestamp_s=int(found["timestamp"], 16),
            base_fee_wei=int(found.get("baseFeePerGas") or "0x0", 16),
        )
    except (TypeError, KeyError, ValueError, AttributeError):
        raise NetworkError(
            f"the node does not know block {block}",
            code="block_unknown",
            hint="It may still be synchronising, or have pruned its history.",
        ) from None


def chain_id() -> Operation[int]:
    """The chain the node follows."""
    return (yield from quantity(Rpc("eth_chainId", (), "chain id")))


def quantity(request: Rpc) -> Operation[int]:
    """A number that the node answers in hex.

    Raises:
        NetworkError: `rpc_answer`, it answered something else.
    """
    found = yield from result_of(request)
    try:
        return int(found, 16)
    except (TypeError, ValueError):
        raise _malformed(request) from None


def hex_bytes(found: object, request: Rpc) -> bytes:
    """Bytes that the node answered in hex.

    Raises:
        NetworkError: `rpc_answer`, it answered something else.
    """
    try:
        if isinstance(found, bytes):
            return bytes(found)
        if isinstance(found, str) and found.startswith("0x"):
            return bytes.fromhex(found[2:])
    except ValueError:
        pass
    raise _malformed(request)


def _malformed(request: Rpc) -> NetworkError:
    return NetworkError(
        f"{request.subject}: the node's answer to {request.method} cannot be read",
        code="rpc_answer",
        hint="Use another node.",
    )
