"""The tables made and brought up to date, by migrations.

Blocking. Whoever writes makes them; whoever reads only checks that they are there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine

from indexer.store.database import translated
from indexer.store.signed import signed_metadata
from indexer.store.tables import METADATA
from sdk.errors import ConfigError

NEWEST: Final = "0002"
"""Of the migrations that this program knows."""
_FOLDER: Final = Path(__file__).parent / "migrations"
_HINT: Final = "Run the newer program, or phalanx indexer reset with this one."


def upgrade(target: Engine) -> None:
    """Make the tables, or bring them up to date, in one transaction.

    Raises:
        ConfigError: `database_newer`, a newer program made them.
        StorageError: the database refuses.
    """
    with translated(), target.begin() as connection:
        try:
            command.upgrade(_config(connection), "head")
        except CommandError as failure:
            raise ConfigError(
                f"the tables are of a version that this program does not know ({failure})",
                code="database_newer",
                hint=_HINT,
            ) from None


def version(target: Engine) -> str | None:
    """Which migration the tables are at, None for none."""
    with translated(), target.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def known_versions() -> tuple[str, ...]:
    """All migrations, the newest first."""
    scripts = ScriptDirectory.from_config(_config(None))
    return tuple(script.revision for script in scripts.walk_revisions())


def drop(target: Engine) -> None:
    """Remove every table that can be made again; nothing else in the database is touched."""
    derived = [table for table in METADATA.sorted_tables if table is not signed_metadata]
    with translated(), target.begin() as connection:
        METADATA.drop_all(connection, tables=derived)
        connection.exec_driver_sql("DROP TABLE IF EXISTS alembic_version")


def _config(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["connection"] = connection
    return config
