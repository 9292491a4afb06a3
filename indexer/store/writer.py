"""The one writer: a step of the chain, or its undoing, as one transaction with the cursor.

Blocking. Whatever happens in between, the tables stand at the end of one step or of the next. Each
transaction tells listeners on `CHANNEL` what it was. Commits are not waited for on disk: losing the
last of them in a crash of the machine only means that a few blocks are read again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final, Self

import psycopg

from indexer.project import LOG_COLUMNS, Batch, BlockRow, Closed, Shape
from indexer.store import lookups, tables
from indexer.store.copying import Copier
from indexer.store.database import connect, translated
from indexer.store.identity import Identity
from sdk.chain import Point
from sdk.errors import InvariantBroken, StorageError

CHANNEL: Final = "phalanx"
"""For LISTEN. Payloads are JSON: `kind` (extended or reverted), `number` and `hash` of the newest
block now, `from` (newest block before, null for none), and for extended `logs`, how many came."""
LOCK: Final = 0x7068616C616E78
"""Key of the advisory lock that a writer holds; the letters of our name."""
LOCK_WAIT_MS: Final = 3_000
"""The server takes a moment to notice that a writer was killed in the middle of a statement."""
_VERSION_COLUMNS: Final = ("valid_from", "valid_to", "log_index")
_BY_NAME: Final = {table.name: table for table in tables.VERSIONS}


class Writer:
    """A connection that holds the lock; used by one thread at a time."""

    def __init__(self, url: str, identity: Identity) -> None:
        """Take the lock, and make the first cursor if there is none.

        Raises:
            ConfigError: `database_foreign`, the tables are about another registry.
            StorageError: `writer_running`, another process writes already; or no connection.
        """
        self._connection = connect(url)
        try:
            with translated():
                self._take_lock()
                self._connection.execute("SET synchronous_commit = off")
                identity.claim(self._connection)
                self._missing = lookups.missing(self._connection)
                self._copier = Copier(self._connection)
        except BaseException:
            self._connection.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give up the lock; nothing is pending."""
        self._connection.close()

    @property
    def connection(self) -> psycopg.Connection:
        """In autocommit."""
        return self._connection

    def extend(self, batch: Batch) -> None:
        """Add a step.

        Raises:
            StorageError: nothing was added.
            InvariantBroken: the step does not follow on what the tables hold.
        """
        leaves_out = batch.before is None and batch.remaining >= lookups.LONG
        with translated(), self._connection.transaction():
            if leaves_out:
                lookups.leave_out(self._connection)
            self._move(batch.before, batch.tip, batch.timestamp_s, batch.oldest, batch.digest)
            self._copier.copy(tables.block, BlockRow._fields, batch.blocks)
            self._copier.copy(tables.log, LOG_COLUMNS, batch.logs)
            columns = [column.name for column in tables.divergence.columns]
            if batch.divergences:
                self._copier.copy(tables.divergence, columns, batch.divergences)
            for versions in batch.versions:
                self._close(versions.shape, versions.closed)
                if versions.added:
                    names = (*versions.shape.columns, *_VERSION_COLUMNS)
                    self._copier.copy(_BY_NAME[versions.shape.table], names, versions.added)
            self._connection.execute(
                "DELETE FROM block WHERE log_count = 0 AND number < %s", (batch.oldest,)
            )
            self._tell("extended", batch.before, batch.tip, logs=len(batch.logs))
        if leaves_out:
            self._missing = list(lookups.LOOKUPS)

    def complete(self) -> None:
        """Make the indexes that were left out while a long history was read.

        Raises:
            StorageError: one cannot be made.
        """
        if self._missing:
            with translated():
                lookups.make(self._connection, self._missing)
            self._missing = []

    def roll_back(self, before: Point, to: Point, digest: bytes | None) -> None:
        """Undo all blocks above one that can be gone back to.

        Args:
            before: newest block until now.
            to: newest block from now on.
            digest: of all records then, None if it was not taken.

        Raises:
            StorageError: nothing was undone.
            InvariantBroken: the tables do not hold `before` and `to`.
        """
        with translated(), self._connection.transaction():
            row = self._connection.execute(
                "SELECT timestamp_s, (SELECT oldest FROM cursor) FROM block "
                "WHERE number = %s AND hash = %s",
                (to.number, to.hash),
            ).fetchone()
            if row is None or row[1] is None or to.number < row[1]:
                raise InvariantBroken(f"block {to.number} cannot be gone back to")
            self._move(before, to, row[0], row[1], digest)
            for table in tables.VERSIONS:
                self._undo(table.name, to.number)
            for name, column in (
                ("log", "block_number"),
                ("divergence", "block_number"),
                ("block", "number"),
                ("integrity", "block_number"),
            ):
                statement = f"DELETE FROM {name} WHERE {column} > %s"  # noqa: S608 - names of ours
                self._connection.execute(statement.encode(), (to.number,))
            for tag in ("safe", "finalized"):
                statement = (
                    f"UPDATE head SET {tag}_number = NULL, {tag}_hash = NULL "  # noqa: S608
                    f"WHERE {tag}_number > %s"
                )
                self._connection.execute(statement.encode(), (to.number,))
            self._connection.execute(
                "INSERT INTO reorg (old_number, old_hash, number, hash, seen_at) "
                "VALUES (%s, %s, %s, %s, now())",
                (before.number, before.hash, to.number, to.hash),
            )
            self._tell("reverted", before, to)

    def _take_lock(self) -> None:
        self._connection.execute(f"SET lock_timeout = {LOCK_WAIT_MS}".encode())
        try:
            self._connection.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
        except psycopg.errors.LockNotAvailable:
            raise StorageError(
                "another process writes to this database already",
                code="writer_running",
                hint="One writer is enough; any number of API processes may read.",
            ) from None
        self._connection.execute("SET lock_timeout = DEFAULT")

    def _move(
        self,
        before: Point | None,
        tip: Point,
        timestamp_s: int,
        oldest: int,
        digest: bytes | None,
    ) -> None:
        """Move the cursor, which must be where this step begins."""
        expected = (None, None) if before is None else (before.number, before.hash)
        done = self._connection.execute(
            "UPDATE cursor SET number = %s, hash = %s, timestamp_s = %s, oldest = %s, "
            "state_digest = %s WHERE number IS NOT DISTINCT FROM %s::bigint "
            "AND hash IS NOT DISTINCT FROM %s::bytea",
            (tip.number, tip.hash, timestamp_s, oldest, digest, *expected),
        )
        if done.rowcount != 1:
            raise InvariantBroken(
                f"the tables are not at block {expected[0]}, where this step begins",
                hint="Restart; the chain is followed from where the tables are.",
            )

    def _close(self, shape: Shape, closed: Sequence[Closed]) -> None:
        """End versions of earlier steps."""
        if not closed:
            return
        table = _BY_NAME[shape.table]
        keys = shape.columns[: shape.keys]
        rows = [(*each.key, each.valid_to) for each in closed]
        arrays: list[list[Any]] = [list(values) for values in zip(*rows, strict=True)]
        types = [_array_type(table.c[name].type.python_type) for name in (*keys, "valid_to")]
        given = ", ".join(f"%b::{name}" for name in types)
        matches = "".join(f" AND t.{name} = c.{name}" for name in keys)
        statement = (
            f"UPDATE {shape.table} t SET valid_to = c.valid_to "  # noqa: S608 - names of ours
            f"FROM unnest({given}) AS c({', '.join((*keys, 'valid_to'))}) "
            f"WHERE t.valid_to IS NULL{matches}"
        )
        done = self._connection.execute(statement.encode(), arrays)
        # An empty registry has a network, which is no row.
        if done.rowcount != len(closed) and keys:
            raise InvariantBroken(
                f"{len(closed)} versions of {shape.table} end, but {done.rowcount} are current",
                hint="The tables are damaged: phalanx indexer reset reads the chain anew.",
            )

    def _undo(self, name: str, number: int) -> None:
        """Forget versions that began above a block, and reopen those that ended there."""
        deletion = f"DELETE FROM {name} WHERE valid_from > %s"  # noqa: S608 - names of ours
        self._connection.execute(deletion.encode(), (number,))
        reopening = f"UPDATE {name} SET valid_to = NULL WHERE valid_to > %s"  # noqa: S608
        self._connection.execute(reopening.encode(), (number,))

    def _tell(self, kind: str, before: Point | None, tip: Point, **more: int) -> None:
        payload = {
            "kind": kind,
            "from": None if before is None else before.number,
            "number": tip.number,
            "hash": "0x" + tip.hash.hex(),
            **more,
        }
        self._connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, json.dumps(payload)))


def _array_type(kind: type) -> str:
    return "bytea[]" if kind is bytes else "bigint[]"
