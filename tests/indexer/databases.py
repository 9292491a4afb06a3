"""Real Postgres for tests: one server, a fresh database per test, and all its rows to compare."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, Final

import psycopg
from sqlalchemy import delete, select
from sqlalchemy.engine import make_url

from indexer.store import engine, schema
from indexer.store.tables import METADATA, REBUILDABLE

_NUMBERS: Final = count(1)
_EMPTYING: Final = "; ".join(str(delete(table)) for table in METADATA.sorted_tables).encode()
# Faster than TRUNCATE for tables this small.
_ALL: Final = {
    table.name: str(select(*table.columns).order_by(*table.primary_key.columns)).encode()
    for table in REBUILDABLE
}
_TEMPLATE: Final = "phalanx_template"
Rows = dict[str, list[tuple[Any, ...]]]


def prepare(server: str) -> None:
    """Make the template that all databases of a server are copies of."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {_TEMPLATE}".encode())
        connection.execute(f"CREATE DATABASE {_TEMPLATE}".encode())
    schema.upgrade(engine(renamed(server, _TEMPLATE)))


def hurry(server: str) -> None:
    """Let a server of ours forget what a crash of the machine would take: no test has one."""
    with psycopg.connect(server, autocommit=True) as connection:
        for name in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(f"ALTER SYSTEM SET {name} = off".encode())
        connection.execute("SELECT pg_reload_conf()")


@contextmanager
def fresh(server: str, *, name: str = "") -> Iterator[str]:
    """A database with empty tables, gone afterwards."""
    name = name or f"test_{next(_NUMBERS)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}".encode())
        try:
            yield renamed(server, name)
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def renamed(server: str, name: str) -> str:
    """The address of another database of the same server."""
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def empty(url: str) -> None:
    """All tables as new."""
    with psycopg.connect(url) as connection:
        connection.execute(_EMPTYING)


def reached(url: str) -> int | None:
    """Newest block in the tables."""
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT number FROM cursor").fetchone()
    return None if found is None else found[0]


def rows(url: str) -> Rows:
    """Everything that the chain alone determines, in the order of the keys."""
    found: Rows = {}
    with psycopg.connect(url) as connection:
        for name, statement in _ALL.items():
            found[name] = connection.execute(statement).fetchall()
    return found


def difference(left: Rows, right: Rows) -> str:
    """The first rows that differ, in words; empty for equal tables."""
    for name, ours in left.items():
        theirs = right[name]
        if ours != theirs:
            mine = [row for row in ours if row not in theirs][:2]
            other = [row for row in theirs if row not in ours][:2]
            return f"{name}: {len(ours)} and {len(theirs)} rows; only left {mine}, right {other}"
    return ""
