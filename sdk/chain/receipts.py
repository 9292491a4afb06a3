"""What a block's header proves about its logs: the bloom, and the root of its receipts.

Pure. A node that hides, adds or changes a log cannot give receipts whose root is the header's, and
a block whose bloom lacks a contract's address has no log of it. Nothing here proves that a header
belongs to the chain, nor which transaction a receipt is of beyond its place: the root covers
status, gas, bloom and logs.

Source: Ethereum Yellow Paper 4.3.1 and appendix D; EIP-2718 (receipts with a type).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

import msgspec
import rlp  # type: ignore[import-untyped]  # no type information upstream

from sdk.events import Log
from sdk.types import Address, BlockNumber, keccak256

BLOOM_BYTES: Final = 256
_BITS: Final = 8 * BLOOM_BYTES
_EMPTY: Final = rlp.encode(b"")
_HASHED_FROM: Final = 32
"""Bytes from which a node of the trie is named by its hash."""
_Node: TypeAlias = "list[bytes | _Node] | bytes"
_Pair: TypeAlias = tuple[tuple[int, ...], bytes]


class ReceiptLog(msgspec.Struct):
    """A log as it stands in a receipt."""

    address: str
    topics: list[str]
    data: str


class Receipt(msgspec.Struct):
    """A transaction's outcome, as `eth_getBlockReceipts` spells it.

    Attributes:
        root: in blocks before Byzantium, instead of the status.
    """

    transactionHash: str  # noqa: N815 - as JSON-RPC spells it
    cumulativeGasUsed: str  # noqa: N815
    logsBloom: str  # noqa: N815
    logs: list[ReceiptLog]
    type: str = "0x0"
    status: str | None = None
    root: str | None = None


def may_hold(bloom: bytes, item: bytes) -> bool:
    """Whether a log with this address or topic can be under this bloom."""
    name = keccak256(item)
    places = [int.from_bytes(name[start : start + 2], "big") % _BITS for start in (0, 2, 4)]
    return all(bloom[BLOOM_BYTES - 1 - place // 8] >> place % 8 & 1 for place in places)


def receipts_root(receipts: Sequence[Receipt]) -> bytes:
    """The root that the header of a block with these receipts has.

    Raises:
        ValueError: a value is no hexadecimal text.
    """
    pairs = [(_nibbles(rlp.encode(place)), _encoded(each)) for place, each in enumerate(receipts)]
    if not pairs:
        return keccak256(_EMPTY)
    return keccak256(rlp.encode(_trie(pairs, 0)))


def logs_of(
    receipts: Sequence[Receipt], *, address: Address, number: BlockNumber, block_hash: bytes
) -> list[Log]:
    """A contract's logs in the order of the block.

    Args:
        receipts: of all the block's transactions, in order.
        address: of the contract.
        number: of the block.
        block_hash: likewise.

    Raises:
        ValueError: a value is no hexadecimal text.
    """
    found = []
    index = 0
    for place, receipt in enumerate(receipts):
        for each in receipt.logs:
            if _bytes(each.address) == address:
                found.append(
                    Log(
                        address=address,
                        topics=tuple([_bytes(topic) for topic in each.topics]),
                        data=_bytes(each.data),
                        block_number=number,
                        block_hash=block_hash,
                        transaction_hash=_bytes(receipt.transactionHash),
                        transaction_index=place,
                        log_index=index,
                    )
                )
            index += 1
    return found


def _encoded(receipt: Receipt) -> bytes:
    """A leaf of the trie."""
    outcome = _bytes(receipt.root) if receipt.status is None and receipt.root else _status(receipt)
    body = rlp.encode(
        [
            outcome,
            int(receipt.cumulativeGasUsed, 16),
            _bytes(receipt.logsBloom),
            [
                [_bytes(each.address), [_bytes(topic) for topic in each.topics], _bytes(each.data)]
                for each in receipt.logs
            ],
        ]
    )
    kind = int(receipt.type, 16)
    return bytes([kind]) + body if kind else bytes(body)


def _status(receipt: Receipt) -> int:
    return int(receipt.status or "0x0", 16)


def _trie(pairs: Sequence[_Pair], depth: int) -> _Node:
    """The node over all keys that agree up to `depth`; no key here begins another."""
    first, value = pairs[0]
    if len(pairs) == 1:
        return [_path(first[depth:], is_leaf=True), value]
    shared = depth
    # Keys are not sorted, so all of them have to agree.
    while all(key[shared] == first[shared] for key, _ in pairs):
        shared += 1
    if shared > depth:
        return [_path(first[depth:shared], is_leaf=False), _named(_trie(pairs, shared))]
    branches: list[list[_Pair]] = [[] for _ in range(16)]
    for pair in pairs:
        branches[pair[0][depth]].append(pair)
    children = [_named(_trie(each, depth + 1)) if each else b"" for each in branches]
    return [*children, b""]


def _named(node: _Node) -> _Node:
    """As its parent holds it: itself if it is short, else its hash."""
    encoded = rlp.encode(node)
    return node if len(encoded) < _HASHED_FROM else keccak256(encoded)


def _path(nibbles: Sequence[int], *, is_leaf: bool) -> bytes:
    """Half bytes with a head that says whether they are odd in number, and end a key."""
    is_odd = len(nibbles) % 2
    head = [2 * is_leaf + is_odd] if is_odd else [2 * is_leaf, 0]
    whole = [*head, *nibbles]
    return bytes(16 * high + low for high, low in zip(whole[::2], whole[1::2], strict=True))


def _nibbles(key: bytes) -> tuple[int, ...]:
    return tuple(half for each in key for half in (each >> 4, each & 15))


def _bytes(text: str) -> bytes:
    if text[:2] != "0x":
        raise ValueError("hex without its prefix")
    return bytes.fromhex(text[2:])
