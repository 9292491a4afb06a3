"""One consistent read of the tables at one block: which block that is, and how final it is.

Shell: holds one read-only transaction per `View` and never writes. Every query takes a `View`, so
that all parts of one answer tell of the same block even while the writer goes on. A view begins
with one round trip to the database: the transaction, and what every answer needs to know.

Source: docs/api.md, "Blocks and finality".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import (
    ColumnElement,
    Connection,
    CursorResult,
    Engine,
    Executable,
    Row,
    Table,
    exists,
    select,
)

from indexer.queries.connections import (
    ask,
    driver_of,
    translated,
)
from indexer.queries.errors import NotAvailable, NotFound
from indexer.queries.prepared import Prepared, holding
from indexer.store.signed import signed_metadata
from indexer.store.tables import block, cursor, head
from sdk.types import Address, BlockNumber


class Finality(StrEnum):
    """How certain it is that a block stays; also the names by which readers ask for blocks."""

    LATEST = "latest"
    SAFE = "safe"
    FINALIZED = "finalized"


At = Finality | BlockNumber
"""A block by name or by number."""
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Block:
    """A block that is in the tables.

    Attributes:
        hash: None for an old block without logs of the registry, of which nothing is kept.
        timestamp_s: likewise.
    """

    number: BlockNumber
    hash: bytes | None
    timestamp_s: int | None


@dataclass(frozen=True, slots=True)
class Position:
    """How far the tables go, and where the chain is.

    Attributes:
        newest: block that the tables tell up to.
        oldest: oldest block that the writer can still go back to, None before it knows.
        head: the node's newest block, None before the first question.
        safe: block that the node calls safe, None unless it is on the chain of the tables.
        finalized: the same for finalized.
        seen_at: when the node was asked.
        has_metadata: some owner has said something of what he has.
    """

    chain_id: int
    contract: Address
    first_block: BlockNumber
    newest: Block
    oldest: BlockNumber | None
    head: BlockNumber | None
    safe: BlockNumber | None
    finalized: BlockNumber | None
    is_caught_up: bool
    seen_at: datetime | None
    shares_verified: bool
    has_metadata: bool

    @property
    def lag_blocks(self) -> int | None:
        """Blocks that the chain is ahead of the tables."""
        return None if self.head is None else max(0, self.head - self.newest.number)

    def finality(self, number: BlockNumber) -> Finality:
        """The strongest word that holds of a block of the tables."""
        if self.finalized is not None and number <= self.finalized:
            return Finality.FINALIZED
        if self.safe is not None and number <= self.safe:
            return Finality.SAFE
        return Finality.LATEST


@dataclass(frozen=True, slots=True)
class View:
    """The tables as of one block, inside one transaction.

    Attributes:
        block: what is told about.
    """

    connection: Connection
    position: Position
    block: Block

    @property
    def finality(self) -> Finality:
        """The strongest word that holds of the block."""
        return self.position.finality(self.at)

    @property
    def at(self) -> BlockNumber:
        """Number of the block."""
        return self.block.number

    @property
    def is_newest(self) -> bool:
        """Whether it is the newest block in the tables."""
        return self.block.number == self.position.newest.number

    def holds(self, table: Table) -> ColumnElement[bool]:
        """Which versions of a table's records are those of this block."""
        return holding(table, None if self.is_newest else self.at)

    def ask(self, statement: Prepared, **values: Any) -> list[Any]:
        """All rows of a prepared statement, as named tuples; every such statement has a bound."""
        text = statement.text(is_newest=self.is_newest)
        values = {**text.fixed, **values, "at": self.at}
        return ask(self.connection, text.sql, values, prepare=statement.is_planned_once)

    def ask_first(self, statement: Prepared, **values: Any) -> Any:
        """The first row of a prepared statement, None if there is none."""
        return next(iter(self.ask(statement, **values)), None)

    def remembered(self, name: str, make: Callable[[], Value]) -> Value:
        """What was made for this block before, else made now; one for all threads.

        Only for what the chain up to the block determines, which its hash names. Two per name are
        kept: for the newest block, and for another one. A new one takes the place of the last.
        """
        if self.block.hash is None:
            return make()
        memory = _MEMORIES.setdefault(self.connection.engine, {})
        place = (name, self.is_newest)
        kept = memory.get(place)
        if kept is None or kept[0] != self.block.hash:
            # Two threads may make the same; that does no harm, and a lock would let them wait.
            kept = memory[place] = (self.block.hash, make())
        found: Value = kept[1]
        return found

    def rows(self, statement: Executable) -> list[Row[Any]]:
        """All rows of an answer; every statement that comes here has a bound."""
        return list(self._result(statement))

    def first(self, statement: Executable) -> Row[Any] | None:
        """The first row, None if there is none."""
        return self._result(statement).first()

    def number(self, statement: Executable) -> int:
        """The one whole number that is asked for, 0 for none."""
        return int(self._result(statement).scalar() or 0)

    def _result(self, statement: Executable) -> CursorResult[Any]:
        with translated():
            return self.connection.execute(statement)


_MEMORIES: Final[WeakKeyDictionary[Engine, dict[tuple[str, bool], tuple[bytes, Any]]]] = (
    WeakKeyDictionary()
)
"""What views of a database have remembered."""


@contextmanager
def open_view(engine: Engine, at: At = Finality.LATEST) -> Iterator[View]:
    """A view of the tables at a block.

    Raises:
        NotAvailable: the database is away, holds nothing yet, or cannot vouch for such a block.
        NotFound: `block_not_indexed`, a number outside what is indexed.
        Overloaded: no connection became free, or a statement took too long.
    """
    with translated():
        connection = engine.connect()
    with connection:
        try:
            position = _begin(connection)
            yield View(connection, position, _resolve(connection, position, at))
        finally:
            # A rollback would make the driver forget what it prepared.
            with translated():
                if not connection.invalidated:
                    driver_of(connection).commit()


def _begin(connection: Connection) -> Position:
    """A transaction that sees one state of the tables, and how far they go in it.

    Raises:
        NotAvailable: `empty`, no block is indexed yet.
    """
    if _POSITION_NAME not in connection.info:
        text = _POSITION.text(is_newest=True).sql
        with translated():
            driver_of(connection).execute(b"PREPARE %s AS %s" % (_POSITION_NAME, text))
        connection.info[_POSITION_NAME] = True
    row = next(iter(ask(connection, _BEGIN, None, prepare=False)), None)
    if row is None or row.c_number is None:
        raise NotAvailable("no block is indexed yet", code="empty")
    newest = Block(BlockNumber(row.c_number), row.c_hash, row.c_timestamp_s)

    def verified(number: int | None, wanted: bytes | None, held: bytes | None) -> Any:
        """The number if that block is on the chain of the tables.

        A tag ahead of the tables proves nothing about them. One older than the writer can go back
        to is taken: had that block been undone, the writer would have stopped.
        """
        if number is None or number > newest.number:
            return None
        held = newest.hash if number == newest.number else held
        is_settled = held is None and row.c_oldest is not None and number < row.c_oldest
        return BlockNumber(number) if is_settled or held == wanted else None

    return Position(
        chain_id=row.c_chain_id,
        contract=Address(row.c_contract),
        first_block=BlockNumber(row.c_first_block),
        newest=newest,
        oldest=row.c_oldest,
        head=row.h_number,
        safe=verified(row.h_safe_number, row.h_safe_hash, row.safe_held),
        finalized=verified(row.h_finalized_number, row.h_finalized_hash, row.finalized_held),
        is_caught_up=bool(row.h_is_caught_up),
        seen_at=row.h_seen_at,
        shares_verified=row.c_shares_verified,
        has_metadata=row.has_metadata,
    )


_SAFE: Final = block.alias("safe")
_FINALIZED: Final = block.alias("finalized")
_POSITION: Final = Prepared(
    lambda _: select(
        *(each.label(f"c_{each.name}") for each in cursor.c),
        *(each.label(f"h_{each.name}") for each in head.c),
        _SAFE.c.hash.label("safe_held"),
        _FINALIZED.c.hash.label("finalized_held"),
        exists()
        .where(
            signed_metadata.c.chain_id == cursor.c.chain_id,
            signed_metadata.c.contract == cursor.c.contract,
        )
        .label("has_metadata"),
    ).select_from(
        cursor.outerjoin(head, head.c.id == cursor.c.id)
        .outerjoin(_SAFE, _SAFE.c.number == head.c.safe_number)
        .outerjoin(_FINALIZED, _FINALIZED.c.number == head.c.finalized_number)
    )
)
"""Everything at once, because every answer begins with it."""
_POSITION_NAME: Final = b"phalanx_position"
_BEGIN: Final = b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; EXECUTE " + _POSITION_NAME


def _resolve(connection: Connection, position: Position, at: At) -> Block:
    newest = position.newest
    match at:
        case Finality.LATEST:
            return newest
        case Finality.SAFE | Finality.FINALIZED:
            named = position.safe if at is Finality.SAFE else position.finalized
            if named is None:
                raise NotAvailable(
                    f"no {at.value} block is indexed, or the tables are on another fork than it",
                    code="not_final_yet",
                )
            return _block(connection, newest, named)
        case _:
            if not position.first_block <= at <= newest.number:
                raise NotFound(
                    f"block {at} is not indexed; blocks {position.first_block} to "
                    f"{newest.number} are",
                    code="block_not_indexed",
                )
            return _block(connection, newest, at)


def _block(connection: Connection, newest: Block, number: BlockNumber) -> Block:
    if number == newest.number:
        return newest
    text = _BLOCK.text(is_newest=False)
    row = next(iter(ask(connection, text.sql, {"at": number}, prepare=True)), None)
    return Block(number, None, None) if row is None else Block(number, row.hash, row.timestamp_s)


_BLOCK: Final = Prepared(
    lambda moment: select(block.c.hash, block.c.timestamp_s).where(block.c.number == moment.at)
)
