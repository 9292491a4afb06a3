"""The tables in Postgres: made, written by one process, read back, undone. See `tables`."""

from __future__ import annotations

from indexer.store.database import connect, database, engine, translated
from indexer.store.identity import Identity
from indexer.store.load import Loaded, load
from indexer.store.writer import CHANNEL, Writer

__all__ = [
    "CHANNEL",
    "Identity",
    "Loaded",
    "Writer",
    "connect",
    "database",
    "engine",
    "load",
    "translated",
]
