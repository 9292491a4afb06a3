"""All that the tables hold against the contract's audit views, at one block.

A follower whose counts are the registry's counters, and whose words of every operator, cluster and
owner and of the network are the contract's, has missed no log that matters (docs/contracts.md,
"Audit views"). A few dozen calls for thousands of clusters, so it is done again and again. What
differs is where something is missing; `indexer.sync.search` finds out what.

Blocking where the tables are read; shell where the contract is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import psycopg

from indexer.store import connect, translated
from indexer.sync.integrity import Mismatch, Outcome
from indexer.sync.views import ask_views
from indexer.sync.words import (
    CLUSTER_COLUMNS,
    NETWORK_COLUMNS,
    OPERATOR_COLUMNS,
    OWNER_COLUMNS,
    cluster_word,
    network_word,
    operator_word,
    owner_word,
    without_privacy,
)
from sdk.chain import Point, Rpc
from sdk.client.abi import decode_answer
from sdk.errors import ChainError
from sdk.types import Address, BlockNumber

KIND: Final = "audit"
"""In `integrity` and `suspect`."""
WORDS: Final = 200
"""Of one call: two million gas, far below any node's limit for calls."""
MOST_CONTRADICTIONS: Final = 2
"""Looked into at once; an audit after the repair finds the others."""
COUNTERS: Final = "counters"
NETWORK: Final = "network"
_AT: Final = "valid_from <= %(at)s AND (valid_to IS NULL OR valid_to > %(at)s)"
_CONTRADICTIONS: Final = (
    "SELECT DISTINCT l.block_number, l.log_index, l.owner, l.cluster_id, l.operator_ids "
    "FROM divergence d JOIN log l USING (block_number, log_index) "
    "WHERE (l.block_number, l.log_index) > (%s, %s) ORDER BY l.block_number, l.log_index LIMIT %s"
)
Answer = tuple[str, tuple[Any, ...]]
"""A view's name and its arguments."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One subject as the tables have it.

    Attributes:
        subject: `operator 5`, `cluster 0x…`, `owner 0x…`, `network` or `counters`.
        word: that the contract must answer.
        since: newest block that changed it.
        argument: names it in a call: an operator's id, a cluster's id, an owner's address.
        is_private_known: the highest byte is to be compared too.
    """

    subject: str
    word: bytes
    since: BlockNumber
    argument: Any = None
    is_private_known: bool = True

    def agrees(self, found: bytes) -> bool:
        """Whether the contract's word is this one."""
        return self.word == (found if self.is_private_known else without_privacy(found))


@dataclass(frozen=True, slots=True)
class Holdings:
    """All subjects at a block, by the view that tells of them."""

    block: Point
    first: BlockNumber
    counters: Kept
    network: tuple[Kept, ...]
    operators: tuple[Kept, ...]
    clusters: tuple[Kept, ...]
    owners: tuple[Kept, ...]


def holdings(url: str) -> Holdings | None:
    """Everything at the newest block; None while there is none.

    Raises:
        StorageError: it cannot be read.
    """
    with connect(url) as connection, translated(), connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        row = connection.execute("SELECT number, hash, first_block FROM cursor").fetchone()
        if row is None or row[0] is None:
            return None
        block = Point(BlockNumber(row[0]), bytes(row[1]))
        return Holdings(
            block,
            BlockNumber(row[2]),
            _counters(connection, block.number),
            tuple(_kept(connection, NETWORK, block.number)),
            tuple(_kept(connection, "operator", block.number)),
            tuple(_kept(connection, "cluster", block.number)),
            tuple(_kept(connection, "owner", block.number)),
        )


def kept_at(connection: psycopg.Connection, subject: str, at: BlockNumber) -> Kept | None:
    """One subject at an earlier block; None if it was not there yet.

    Raises:
        psycopg.Error: it cannot be read.
    """
    if subject == COUNTERS:
        return _counters(connection, at)
    kind, _, name = subject.partition(" ")
    key: Any = None
    if name:
        key = bytes.fromhex(name[2:]) if name.startswith("0x") else int(name)
    found = list(_kept(connection, kind, at, key))
    return found[0] if found else None


def contradicted(url: str, after: tuple[int, int]) -> list[tuple[tuple[int, int], list[Kept]]]:
    """The first logs that contradict those before them, with the subjects that they name.

    Args:
        url: of the database.
        after: block and place of a log; only later ones.

    Returns:
        Block and place of each log, and its subjects as of its block.

    Raises:
        StorageError: it cannot be read.
    """
    with connect(url) as connection, translated(), connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        rows = connection.execute(
            _CONTRADICTIONS.encode(), (*after, MOST_CONTRADICTIONS)
        ).fetchall()
        found = []
        for number, index, owner, cluster, operators in rows:
            names = [f"operator {each}" for each in operators or ()]
            names += [] if cluster is None else [f"cluster {_hex(cluster)}"]
            names += [] if owner is None else [f"owner {_hex(owner)}"]
            kept = [kept_at(connection, name, number) for name in (COUNTERS, NETWORK, *names)]
            found.append(((number, index), [each for each in kept if each is not None]))
        return found


async def audit(rpc: Rpc, registry: Address, held: Holdings) -> tuple[Outcome, tuple[Kept, ...]]:
    """Ask the contract for everything; what was compared, and what differs.

    Raises:
        NetworkError: no node answers, or none knows the block any more.
        ChainError: what answers is no registry.
    """
    groups = [(held.counters,), held.network, *_pieces(held.operators)]
    groups += [*_pieces(held.clusters), *_pieces(held.owners)]
    groups = [each for each in groups if each]
    answers = await ask_words(rpc, registry, groups, held.block)
    differing: list[Kept] = []
    wrong: list[Mismatch] = []
    for group, words in zip(groups, answers, strict=True):
        for each, word in zip(group, words, strict=True):
            if not each.agrees(word):
                differing.append(each)
                wrong.append(Mismatch(KIND, each.subject, _hex(each.word), _hex(word)))
    subjects = frozenset((KIND, each.subject) for group in groups for each in group)
    outcome = Outcome(held.block, {KIND: len(subjects)}, subjects, tuple(wrong))
    return outcome, tuple(differing)


async def ask_words(
    rpc: Rpc, registry: Address, groups: Sequence[Sequence[Kept]], block: Point | BlockNumber
) -> list[list[bytes]]:
    """The contract's words, group by group; an operator that it does not know has an empty one.

    Args:
        rpc: to ask.
        registry: likewise.
        groups: of one kind each, up to `WORDS`, operators in unbroken order.
        block: whose state; by number only where it is final.

    Raises:
        NetworkError, ChainError: as `audit`.
    """
    calls = [_call(group) for group in groups]
    found = []
    for group, (name, _), data in zip(
        groups, calls, await ask_views(rpc, registry, calls, block), strict=True
    ):
        if data is None:
            raise ChainError(
                f"the contract refuses {name}",
                code="no_registry",
                hint="Check the address of the registry, and from which block on it is there.",
            )
        values = decode_answer(name, data)
        words = [_counted(values)] if name == "getRegistryCounters" else _listed(values)
        found.append([*words, *[bytes(32)] * (len(group) - len(words))])
    return found


def _call(group: Sequence[Kept]) -> Answer:
    """The view that tells of a group."""
    kind = group[0].subject.partition(" ")[0]
    arguments = [each.argument for each in group]
    match kind:
        case "operator":
            return "getOperatorWords", (arguments[0], arguments[-1])
        case "cluster":
            return "getClusterWords", (arguments,)
        case "owner":
            return "getOwnerWords", (arguments,)
        case "network":
            return "getNetworkWord", ()
        case _:
            return "getRegistryCounters", ()


def _listed(values: Sequence[Any]) -> list[bytes]:
    [words] = values
    return [words] if isinstance(words, bytes) else list(words)


def _counted(values: Sequence[Any]) -> bytes:
    """Operators, clusters and validators as one word; the block is known."""
    return b"".join([int(each).to_bytes(8, "big") for each in values[:3]]).rjust(32, b"\0")


_COUNTS: Final = (
    f"SELECT (SELECT count(*) FROM operator_version WHERE {_AT}), "  # noqa: S608 - of ours
    f"(SELECT count(*) FROM cluster_version WHERE {_AT}), "
    f"(SELECT coalesce(sum(validator_count), 0) FROM network_version WHERE {_AT})"
)


def _counters(connection: psycopg.Connection, at: BlockNumber) -> Kept:
    row = connection.execute(_COUNTS.encode(), {"at": at}).fetchone()
    return Kept(COUNTERS, _counted(row or (0, 0, 0)), BlockNumber(0))


_KINDS: Final[dict[str, tuple[str, tuple[str, ...], Callable[[Sequence[Any]], bytes]]]] = {
    "operator": ("operator_version", OPERATOR_COLUMNS, operator_word),
    "cluster": ("cluster_version", CLUSTER_COLUMNS, cluster_word),
    "owner": ("account_version", OWNER_COLUMNS, owner_word),
    NETWORK: ("network_version", NETWORK_COLUMNS, network_word),
}
"""Table, columns and word of each kind of subject; the first column names it."""


def _kept(
    connection: psycopg.Connection, kind: str, at: BlockNumber, key: Any = None
) -> Iterator[Kept]:
    """All subjects of a kind at a block, or the one with this key, in the order of their names."""
    table, columns, word = _KINDS[kind]
    where = _AT if key is None else f"{_AT} AND {columns[0]} = %(key)s"
    order = "" if kind == NETWORK else f" ORDER BY {columns[0]}"
    statement = f"SELECT valid_from, {', '.join(columns)} FROM {table} WHERE {where}{order}"  # noqa: S608
    with connection.cursor(binary=True) as cursor:
        for since, *values in cursor.execute(statement.encode(), {"at": at, "key": key}):
            row: list[Any] = [int(each) if isinstance(each, Decimal) else each for each in values]
            is_operator = kind == "operator"
            name = "" if kind == NETWORK else f" {row[0] if is_operator else _hex(row[0])}"
            yield Kept(
                kind + name,
                word(row),
                BlockNumber(since),
                _hex(row[0]) if kind == "owner" else row[0],
                is_private_known=not is_operator or row[-1] is None,
            )


def _pieces(kept: Sequence[Kept]) -> Iterator[tuple[Kept, ...]]:
    """At most `WORDS` at a time, operators without a gap between their ids."""
    piece: list[Kept] = []
    for each in kept:
        follows = not piece or not isinstance(each.argument, int)
        if not follows:
            follows = each.argument == piece[-1].argument + 1
        if not follows or len(piece) == WORDS:
            yield tuple(piece)
            piece = []
        piece.append(each)
    if piece:
        yield tuple(piece)


def _hex(data: bytes) -> str:
    return "0x" + bytes(data).hex()
