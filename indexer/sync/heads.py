"""What the execution nodes say about the chain's end: newest, safe and finalized block.

Shell. Nothing that is stored rests on it; it says how final an answer is. Where there are several
nodes, a block is only called final if two of them answer, and all who do have it, by its hash.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import msgspec
import psycopg

from indexer.store import translated
from sdk.chain import Call, Point, Rpc
from sdk.chain.reading import read_headers
from sdk.errors import NetworkError
from sdk.types import BlockNumber

log = logging.getLogger(__name__)


ENOUGH: Final = 2
"""Nodes that must say what is final, where there are so many: one of them may lie."""


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
        is_disputed: nodes named blocks final that are not on one chain.
    """

    number: BlockNumber
    safe: Point | None = None
    finalized: Point | None = None
    is_caught_up: bool = False
    is_disputed: bool = False

    @classmethod
    async def ask(cls, rpc: Rpc, number: BlockNumber, others: Sequence[Rpc] = ()) -> Self:
        """The tags of a node with nothing left to read, as far as other nodes agree.

        Args:
            rpc: whose chain is followed.
            number: its newest block.
            others: one per node, when there are several.

        Raises:
            NetworkError: no node answers.
        """
        tags = []
        is_disputed = False
        for tag in ("safe", "finalized"):
            mine = await _tagged(rpc, tag)
            if mine is not None:
                lowest, agree = await _agreed(rpc, mine, tag, others)
                mine = lowest if agree else None
                is_disputed = is_disputed or not agree
            tags.append(mine)
        safe, finalized = tags
        return cls(number, safe, finalized, is_caught_up=True, is_disputed=is_disputed)


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


def withdraw_finality(connection: psycopg.Connection) -> None:
    """Call nothing safe or finalized until it is found to be so again.

    Raises:
        StorageError: it cannot be written.
    """
    with translated():
        connection.execute(
            "UPDATE head SET safe_number = NULL, safe_hash = NULL, finalized_number = NULL, "
            "finalized_hash = NULL"
        )


async def _tagged(rpc: Rpc, tag: str) -> Point | None:
    """The block that a node calls so."""
    try:
        [header] = await rpc.batch([Call("eth_getBlockByNumber", (tag, False))], form=_HEADER)
    except NetworkError as failure:
        if failure.code != "rpc_refused":
            raise
        return None
    return None if header is None else _point(header)


async def _agreed(
    rpc: Rpc, mine: Point, tag: str, others: Sequence[Rpc]
) -> tuple[Point | None, bool]:
    """The lowest block that all who answer call so, and whether they have one chain up to there."""
    said = [(rpc, mine)]
    asked = [other for other in others if other.name != rpc.name]
    for other in asked:
        try:
            theirs = await _tagged(other, tag)
        except NetworkError as failure:
            log.warning("indexer: %s does not say what is %s: %s", other.name, tag, failure)
            continue
        if theirs is None:
            return None, True
        said.append((other, theirs))
    if len(said) < min(ENOUGH, 1 + len(asked)):
        return None, True
    lowest = min((point for _, point in said), key=lambda point: point.number)
    for node, point in said:
        if point == lowest:
            continue
        [found] = await read_headers(node, [lowest.number])
        if found is None or found.hash != lowest.hash:
            log.error(
                "indexer: %s does not have block %d 0x%s; nothing is called %s",
                node.name,
                lowest.number,
                lowest.hash.hex(),
                tag,
            )
            return None, False
    return lowest, True


def _point(header: _Header) -> Point:
    try:
        return Point(BlockNumber(int(header.number, 16)), bytes.fromhex(header.hash[2:]))
    except ValueError:
        raise NetworkError(
            "the node's header cannot be read", code="rpc_answer", hint="Use another node."
        ) from None
