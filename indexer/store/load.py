"""The registry back from its current rows, proven to be the one that was written.

Blocking. Rows are read in pieces, so memory holds the registry once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import psycopg

from indexer.project import SHAPES, Shape
from indexer.store.database import translated
from sdk.chain import Point
from sdk.errors import StorageError
from sdk.registry import RegistryState
from sdk.types import BlockNumber

PIECE: Final = 5_000
"""Rows fetched at once."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the tables hold.

    Attributes:
        points: blocks that can be gone back to, the oldest first; none before the first step.
    """

    state: RegistryState
    points: tuple[Point, ...]

    @property
    def tip(self) -> Point | None:
        """Newest block."""
        return self.points[-1] if self.points else None


def load(connection: psycopg.Connection) -> Loaded:
    """Everything current, at one moment.

    Raises:
        StorageError: `database_damaged`, the rows are not those that were written; or it cannot
            be read.
    """
    with translated(), connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        state = RegistryState()
        for shape in SHAPES:
            state.commit(shape.creation(row) for row in _rows(connection, shape))
        cursor = connection.execute("SELECT number, oldest, state_digest FROM cursor").fetchone()
        number, oldest, digest = cursor or (None, None, None)
        points = connection.execute(
            "SELECT number, hash FROM block WHERE number >= %s ORDER BY number", (oldest,)
        ).fetchall()
    if number is not None and (not points or points[-1][0] != number):
        raise damaged(f"block {number}, where they end, is missing")
    if digest is not None and state.digest() != bytes(digest):
        raise damaged("their digest is another than was stored")
    return Loaded(state, tuple(Point(BlockNumber(each), bytes(name)) for each, name in points))


def damaged(reason: str) -> StorageError:
    """The error for tables that no step of ours can have left."""
    return StorageError(
        f"the tables are not as they were written: {reason}",
        code="database_damaged",
        hint="phalanx indexer reset makes them anew from the chain.",
    )


def _rows(connection: psycopg.Connection, shape: Shape) -> Iterator[tuple[Any, ...]]:
    columns = ", ".join(shape.columns)
    statement = f"SELECT {columns} FROM {shape.table} WHERE valid_to IS NULL"  # noqa: S608
    with connection.cursor(name="current", binary=True) as cursor:
        cursor.itersize = PIECE
        cursor.execute(statement.encode())
        for row in cursor:
            yield tuple([int(each) if isinstance(each, Decimal) else each for each in row])
