"""One consistent read of the tables at one block: which block that is, and how final it is.

Shell: holds one read-only transaction per `View` and never writes. Every query takes a `View`, so
that all parts of one answer tell of the same block even while the writer goes on.

Source: docs/api.md, "Blocks and finality".
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    CursorResult,
    Engine,
    Executable,
    Row,
    Table,
    and_,
    create_engine,
    or_,
    select,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, OperationalError, ProgrammingError

from indexer.queries.errors import NotAvailable, NotFound, Overloaded
from indexer.store.tables import block, cursor, head
from sdk.errors import ConfigError
from sdk.types import Address, BlockNumber

STATEMENT_TIMEOUT_MS: Final = 5_000
"""Lists take milliseconds; what takes seconds is a question that we do not want to answer."""
CONNECT_TIMEOUT_S: Final = 5
CONNECTIONS: Final = 16
"""Per process. Requests beyond that wait for `POOL_WAIT_S`, then are told to come again."""
POOL_WAIT_S: Final = 5.0
_CANCELLED: Final = "57014"
"""SQLSTATE of a statement that took too long."""
_NO_TABLE: Final = "42P01"


class Finality(StrEnum):
    """How certain it is that a block stays; also the names by which readers ask for blocks."""

    LATEST = "latest"
    SAFE = "safe"
    FINALIZED = "finalized"


At = Finality | BlockNumber
"""A block by name or by number."""


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

    def holds(self, table: Table) -> ColumnElement[bool]:
        """Which versions of a table's records are those of this block."""
        if self.at == self.position.newest.number:
            return table.c.valid_to.is_(None)  # the indexes of current rows serve this form
        ended = table.c.valid_to
        return and_(table.c.valid_from <= self.at, or_(ended.is_(None), ended > self.at))

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


def open_database(url: str, *, connections: int = CONNECTIONS) -> Engine:
    """Connections that can only read, each answer bounded in time; none is opened yet.

    Args:
        url: `postgresql://…`; a read replica will do.
        connections: most at once.

    Raises:
        ConfigError: no such URL.
    """
    try:
        parsed = make_url(url).set(drivername="postgresql+psycopg")
    except ArgumentError:
        raise ConfigError(
            "the database URL cannot be read",
            code="database_url",
            hint="Write postgresql://user@host/name, with the password in PGPASSWORD or ~/.pgpass.",
        ) from None
    limits = f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c default_transaction_read_only=on"
    return create_engine(
        parsed,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=POOL_WAIT_S,
        pool_pre_ping=False,
        isolation_level="REPEATABLE READ",
        hide_parameters=True,
        connect_args={"options": limits, "connect_timeout": CONNECT_TIMEOUT_S},
    )


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
        position = read_position(connection)
        yield View(connection, position, _resolve(connection, position, at))


@contextmanager
def translated() -> Iterator[None]:
    """Failures of the database as errors of ours, without addresses or statements.

    Raises:
        NotAvailable: it is away or has no tables.
        Overloaded: it took too long.
    """
    try:
        yield
    except TimeoutError as failure:
        raise Overloaded("all connections to the database are in use") from failure
    except (OperationalError, ProgrammingError) as failure:
        state = getattr(failure.orig, "sqlstate", None)
        if state == _CANCELLED:
            raise Overloaded(
                f"the question takes longer than {STATEMENT_TIMEOUT_MS} ms"
            ) from failure
        if state == _NO_TABLE:
            raise NotAvailable("the database holds no registry yet", code="empty") from failure
        if isinstance(failure, ProgrammingError):
            raise
        raise NotAvailable("the database does not answer", code="database") from failure


def read_position(connection: Connection) -> Position:
    """How far the tables go.

    Raises:
        NotAvailable: `empty`, no block is indexed yet.
    """
    with translated():
        row = connection.execute(_POSITION).first()
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
    )


_SAFE: Final = block.alias("safe")
_FINALIZED: Final = block.alias("finalized")
_POSITION: Final = select(
    *(each.label(f"c_{each.name}") for each in cursor.c),
    *(each.label(f"h_{each.name}") for each in head.c),
    _SAFE.c.hash.label("safe_held"),
    _FINALIZED.c.hash.label("finalized_held"),
).select_from(
    cursor.outerjoin(head, head.c.id == cursor.c.id)
    .outerjoin(_SAFE, _SAFE.c.number == head.c.safe_number)
    .outerjoin(_FINALIZED, _FINALIZED.c.number == head.c.finalized_number)
)
"""Everything at once, because every answer begins with it."""


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
    statement = select(block.c.hash, block.c.timestamp_s).where(block.c.number == number)
    with translated():
        row = connection.execute(statement).first()
    return Block(number, None, None) if row is None else Block(number, row.hash, row.timestamp_s)
