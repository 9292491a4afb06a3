"""The tables taken back to any block, so that everything above it is read again.

Blocking. Unlike a rollback, which follows the chain, this is for repairs: a log was missing, so all
that was made of the logs behind it is thrown away. Records are versions, so no undo log is needed.
"""

from __future__ import annotations

import json

import psycopg

from indexer.store import tables
from indexer.store.database import translated
from indexer.store.writer import CHANNEL, Writer
from sdk.chain import Block
from sdk.errors import InvariantBroken
from sdk.types import BlockNumber


def rewind(writer: Writer, to: Block) -> None:
    """Forget everything above a block, which becomes the newest; those below stay remembered.

    Args:
        writer: that nobody else uses at the moment.
        to: a block of the chain, at most the newest one.

    Raises:
        StorageError: nothing was forgotten.
        InvariantBroken: the tables are not beyond this block.
    """
    connection = writer.connection
    with translated(), connection.transaction():
        row = connection.execute("SELECT number, hash FROM cursor FOR UPDATE").fetchone()
        if row is None or row[0] is None or row[0] < to.number:
            raise InvariantBroken(f"the tables are not beyond block {to.number}")
        for table in tables.VERSIONS:
            _forget(connection, table.name, "valid_from", to.number)
            reopening = f"UPDATE {table.name} SET valid_to = NULL WHERE valid_to > %s"  # noqa: S608
            connection.execute(reopening.encode(), (to.number,))
        for name, column in (
            ("log", "block_number"),
            ("divergence", "block_number"),
            ("block", "number"),
            ("integrity", "block_number"),
        ):
            _forget(connection, name, column, to.number)
        connection.execute(
            "INSERT INTO block (number, hash, timestamp_s, log_count) VALUES (%s, %s, %s, 0) "
            "ON CONFLICT (number) DO NOTHING",
            (to.number, to.hash, to.timestamp_s),
        )
        connection.execute(
            "UPDATE cursor SET number = %s, hash = %s, timestamp_s = %s, "
            "oldest = least(oldest, %s), state_digest = NULL",
            (to.number, to.hash, to.timestamp_s, to.number),
        )
        connection.execute(
            "UPDATE head SET safe_number = NULL, safe_hash = NULL, finalized_number = NULL, "
            "finalized_hash = NULL, is_caught_up = false"
        )
        connection.execute(
            "INSERT INTO reorg (old_number, old_hash, number, hash, seen_at) "
            "VALUES (%s, %s, %s, %s, now())",
            (*row, to.number, to.hash),
        )
        told = {"kind": "reverted", "from": row[0], "number": to.number, "hash": _hex(to.hash)}
        connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, json.dumps(told)))


def _forget(connection: psycopg.Connection, table: str, column: str, number: BlockNumber) -> None:
    """Delete the rows of a table above a block."""
    statement = f"DELETE FROM {table} WHERE {column} > %s"  # noqa: S608 - names of ours
    connection.execute(statement.encode(), (number,))


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
