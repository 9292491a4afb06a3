"""Connections that only read, each answer bounded in time, and their failures as ours.

Shell. Statements go to the driver as they were prepared, past SQLAlchemy, whose pool is used.

Source: docs/api.md, "Speed".
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, Final, cast

import msgspec
import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.rows import namedtuple_row
from psycopg.types.json import set_json_loads
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.event import listens_for
from sqlalchemy.exc import ArgumentError, OperationalError, ProgrammingError

from indexer.queries.errors import NotAvailable, Overloaded
from sdk.errors import ConfigError

STATEMENT_TIMEOUT_MS: Final = 5_000
"""Lists take milliseconds; what takes seconds is a question that we do not want to answer."""
CONNECT_TIMEOUT_S: Final = 5
CONNECTIONS: Final = 8
"""Per process, which uses one core: more at once would only take turns. Requests beyond that wait
for `POOL_WAIT_S`, then are told to come again."""
POOL_WAIT_S: Final = 5.0
PREPARED: Final = 400
"""Statements that one connection keeps; there are under a hundred, in forms by width of numbers."""
_CANCELLED: Final = "57014"
"""SQLSTATE of a statement that took too long."""
_NO_TABLE: Final = "42P01"


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
    # Compiling a plan to machine code takes longer than any answer here.
    settings = (f"statement_timeout={STATEMENT_TIMEOUT_MS}", "default_transaction_read_only=on")
    limits = " ".join(f"-c {each}" for each in (*settings, "jit=off"))
    made = create_engine(
        parsed,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=POOL_WAIT_S,
        pool_pre_ping=False,
        pool_use_lifo=True,
        isolation_level="AUTOCOMMIT",  # `open_view` begins, and the pool ends
        hide_parameters=True,
        connect_args={"options": limits, "connect_timeout": CONNECT_TIMEOUT_S},
    )

    @listens_for(made, "connect")
    def connected(driver: psycopg.Connection, _: Any) -> None:
        driver.adapters.register_loader("numeric", _Whole)
        set_json_loads(msgspec.json.decode, driver)
        driver.prepared_max = PREPARED

    return made


class _Whole(Loader):
    """Whole numbers as int: amounts have more digits than floats, and no fractions."""

    def load(self, data: Buffer) -> int | Decimal:
        text = bytes(data)
        return Decimal(text.decode()) if b"." in text else int(text)


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
    except (
        *(OperationalError, ProgrammingError),
        *(psycopg.OperationalError, psycopg.ProgrammingError),
    ) as failure:
        state = getattr(getattr(failure, "orig", failure), "sqlstate", None)
        if state == _CANCELLED:
            raise Overloaded(
                f"the question takes longer than {STATEMENT_TIMEOUT_MS} ms"
            ) from failure
        if state == _NO_TABLE:
            raise NotAvailable("the database holds no registry yet", code="empty") from failure
        if isinstance(failure, ProgrammingError | psycopg.ProgrammingError):
            raise
        raise NotAvailable("the database does not answer", code="database") from failure


def driver_of(connection: Connection) -> psycopg.Connection:
    """The driver's connection, which takes statements that were prepared."""
    found: Any = connection.connection.driver_connection
    return cast(psycopg.Connection, found)


def ask(connection: Connection, sql: bytes, values: Any, *, prepare: bool | None) -> list[Any]:
    """The rows of the last of some statements, as named tuples.

    Args:
        connection: of `open_database`.
        sql: as the driver takes it.
        values: by name.
        prepare: the database keeps its plan; None leaves it to the driver.

    Raises:
        NotAvailable: the database is away or has no tables.
        Overloaded: it took too long.
    """
    driver = driver_of(connection)
    try:
        with translated():
            found = driver.cursor(row_factory=namedtuple_row).execute(sql, values, prepare=prepare)
            while found.nextset():
                pass
            return found.fetchall()
    except NotAvailable:
        if driver.closed:
            # So are all others, if the server went away.
            connection.invalidate()
            connection.engine.dispose()
        raise
