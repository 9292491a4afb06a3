"""The migrations make the tables that the code describes, comments and all."""

from __future__ import annotations

from typing import Any, Final

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine

from indexer.store import engine, schema
from indexer.store.tables import METADATA
from sdk.errors import ConfigError
from tests.indexer.databases import renamed

pytestmark = pytest.mark.slow
_CATALOGUE: Final = (
    "SELECT table_name, column_name, data_type, numeric_precision, is_nullable, column_default, "
    "is_identity FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2",
    "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 2",
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
    "WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2",
    "SELECT c.relname, a.attname, col_description(c.oid, a.attnum), a.attstorage FROM pg_class c "
    "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 "
    "WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace ORDER BY 1, 2",
    "SELECT relname, obj_description(oid) FROM pg_class WHERE relkind = 'r' "
    "AND relnamespace = 'public'::regnamespace ORDER BY 1",
)


def catalogue(url: str) -> list[list[tuple[Any, ...]]]:
    """Everything that Postgres knows about our tables."""
    with psycopg.connect(url) as connection:
        found = [connection.execute(statement.encode()).fetchall() for statement in _CATALOGUE]
    return [[row for row in rows if row[0] != "alembic_version"] for rows in found]


@pytest.fixture
def bare(server: str) -> Any:
    """The address of a database without tables."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS bare WITH (FORCE)")
        connection.execute("CREATE DATABASE bare TEMPLATE template0")
    return renamed(server, "bare")


def differences(target: Engine) -> list[Any]:
    with target.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), METADATA))


def test_migrations_make_what_the_code_describes(url: str, bare: str) -> None:
    METADATA.create_all(engine(bare))
    migrated, described = catalogue(url), catalogue(bare)
    assert migrated == described
    assert all(migrated)
    assert differences(engine(url)) == []


def test_every_column_and_table_is_explained(url: str) -> None:
    *_, columns, tables = catalogue(url)
    assert [
        row for row in (*columns, *tables) if row[0] and not row[-2 if len(row) == 4 else -1]
    ] == []


def test_going_up_twice_changes_nothing(url: str) -> None:
    before = catalogue(url)
    schema.upgrade(engine(url))
    assert catalogue(url) == before
    assert schema.version(engine(url)) == schema.NEWEST == schema.known_versions()[0]


def test_tables_of_a_newer_program_are_left_alone(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ConfigError, match="9999"):
        schema.upgrade(engine(url))


def test_removing_the_tables_touches_nothing_else(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE somebody_elses (x int)")
    schema.drop(engine(url))
    # What owners signed is not from the chain, so nothing could bring it back.
    assert {row[0] for row in catalogue(url)[0]} == {"somebody_elses", "signed_metadata"}
    schema.upgrade(engine(url))
    assert differences(engine(url)) != []
    assert schema.version(engine(url)) == schema.NEWEST
