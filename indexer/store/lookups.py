"""Indexes that only readers need, left out while a long history is read for the first time.

Blocking. Keeping them up to date takes Postgres as long as the rows themselves; made at the end,
sorted, they take a third of it. Which of them are missing is asked of Postgres, so a writer that
was killed in between leaves nothing to remember. Keys and whatever is unique stay: they are guards.
A migration that drops an index has to say IF EXISTS.

Meanwhile the shares of a registration also stay beside the rest of its row: putting them elsewhere,
in two pieces with an index of their own, takes a third of the time of a row of `log`.
"""

from __future__ import annotations

import logging
from typing import Any, Final

import psycopg
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex

from indexer.store import tables

log = logging.getLogger(__name__)

LONG: Final = 20_000
"""Blocks. A shorter history is read in seconds either way."""
WHOLE_ROW: Final = 8_160
"""Bytes: the most that Postgres takes, a page without its header."""
_IS_CHANGED: Final = "SELECT 1 FROM pg_class WHERE oid = 'log'::regclass AND reloptions IS NOT NULL"
_DIALECT: Final[Any] = postgresql.dialect()  # type: ignore[no-untyped-call]
LOOKUPS: Final[dict[str, str]] = {
    str(index.name): str(CreateIndex(index).compile(dialect=_DIALECT))
    for table in (tables.log, *tables.VERSIONS)
    for index in sorted(table.indexes, key=lambda each: str(each.name))
    if not index.unique
}
"""By name, what makes them."""


def missing(connection: psycopg.Connection) -> list[str]:
    """Those that are not there.

    Raises:
        psycopg.Error: the database does not say.
    """
    rows = connection.execute(
        "SELECT indexname FROM pg_indexes WHERE schemaname = current_schema()"
    )
    there = {name for (name,) in rows}
    return [name for name in LOOKUPS if name not in there]


def leave_out(connection: psycopg.Connection) -> None:
    """Drop them all, which takes no time while the tables are empty.

    Raises:
        psycopg.Error: they cannot be dropped.
    """
    connection.execute(f"DROP INDEX IF EXISTS {', '.join(LOOKUPS)}".encode())
    connection.execute(f"ALTER TABLE log SET (toast_tuple_target = {WHOLE_ROW})".encode())


def make(connection: psycopg.Connection, names: list[str]) -> None:
    """Make these, each by itself; readers are not kept out meanwhile.

    Raises:
        psycopg.Error: one cannot be made; those before it stay.
    """
    # A table that somebody split since then has no such options.
    if connection.execute(_IS_CHANGED).fetchone():
        connection.execute("ALTER TABLE log RESET (toast_tuple_target)")
    for name in names:
        log.info("indexer: makes the index %s", name)
        connection.execute(LOOKUPS[name].encode())
