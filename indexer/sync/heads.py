"""What the execution node says about the chain's end: newest, safe and finalized block.

Shell. Nothing that is stored rests on it; it says how final an answer is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import msgspec
import psycopg

from indexer.store import translated
from sdk.chain import Call, Point, Rpc
from sdk.errors import NetworkError
from sdk.types import BlockNumber


class _Header(msgspec.Struct):
    number: str
    hash: str


_HEADER: Final[msgspec.json.Decoder[_Header | None]] = msgspec.json.Decoder(_Header | None)


@dataclass(frozen=True, slots=True)
class Heads:
    """The chain's end.

    Attributes:
        safe: None if the node does not say, as before the first justified epoch.
        finalized: likewise.
        is_caught_up: nothing was left to read.
    """

    number: BlockNumber
    safe: Point | None = None
    finalized: Point | None = None
    is_caught_up: bool = False

    @classmethod
    async def ask(cls, rpc: Rpc, number: BlockNumber) -> Self:
        """The tags of a node with nothing left to read.

        Raises:
            NetworkError: no node answers.
        """
        found = []
        for tag in ("safe", "finalized"):
            try:
                [header] = await rpc.batch(
                    [Call("eth_getBlockByNumber", (tag, False))], form=_HEADER
                )
            except NetworkError as failure:
                if failure.code != "rpc_refused":
                    raise
                header = None
            found.append(None if header is None else _point(header))
        safe, finalized = found
        return cls(number, safe, finalized, is_caught_up=True)


def write_heads(connection: psycopg.Connection, heads: Heads) -> None:
    """Replace what was known of the chain's end.

    A block is only called safe or finalized if it is one of ours: a node on another fork must not
    make anybody believe in this one. What was known before stays until a node agrees again.

    Raises:
        StorageError: it cannot be written.
    """
    with translated(), connection.transaction():
        connection.execute(
            "INSERT INTO head (id, number, is_caught_up, seen_at) VALUES (1, %s, %s, now()) "
            "ON CONFLICT (id) DO UPDATE SET number = excluded.number, "
            "is_caught_up = excluded.is_caught_up, seen_at = excluded.seen_at",
            (heads.number, heads.is_caught_up),
        )
        for statement, point in ((_SAFE, heads.safe), (_FINALIZED, heads.finalized)):
            if point is not None:
                connection.execute(statement, (point.number, point.hash, point.number, point.hash))


_SAFE: Final = (
    "UPDATE head SET safe_number = %s, safe_hash = %s "
    "WHERE EXISTS (SELECT FROM block WHERE number = %s AND hash = %s)"
)
_FINALIZED: Final = (
    "UPDATE head SET finalized_number = %s, finalized_hash = %s "
    "WHERE EXISTS (SELECT FROM block WHERE number = %s AND hash = %s)"
)


def _point(header: _Header) -> Point:
    try:
        return Point(BlockNumber(int(header.number, 16)), bytes.fromhex(header.hash[2:]))
    except ValueError:
        raise NetworkError(
            "the node's header cannot be read", code="rpc_answer", hint="Use another node."
        ) from None
