"""The registry on disk: records, undo records, and how far the chain was read.

SQLite in WAL mode with full sync. Whatever a step changes is one transaction, so that a kill at any
instant leaves a registry as of some block. It is a copy of the chain: a damaged file is set aside
and the chain read again. It holds shares as they stand on the chain, encrypted; never a secret.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Final

from operator_node.registry.codec import (
    SCHEMA,
    Kind,
    Row,
    change_of,
    damaged,
    growth,
    inverted,
    pack_undo,
    rows_of,
    unpack_undo,
)
from operator_node.registry.values import Batch, ExitRequest, Identity, Oddity, Stored
from sdk.chain import Point
from sdk.errors import ConfigError, StorageError
from sdk.registry import Change, RegistryState
from sdk.types import BlockNumber, PublicKey

log = logging.getLogger(__name__)

EXITS_KEPT_BLOCKS: Final = 8_192
"""Exit messages are valid for 7,200 slots (docs/protocol.md, "Gossip validation")."""
ODDITIES_KEPT: Final = 10_000
"""Whoever pays for more of them can write refused events as long as he likes."""
CACHE_KIB: Final = 16_384
"""First passes touch records all over the table."""
LOCK_WAIT_S: Final = 1.0
"""A file that is open elsewhere stays so until that process ends."""
MOST_SET_ASIDE: Final = 9
"""Damaged files kept; with more the disk is the problem."""
_DAMAGE: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_TABLES: Final = """
CREATE TABLE identity (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE record (
    kind INTEGER, key BLOB, value BLOB NOT NULL, PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE TABLE undo (block INTEGER PRIMARY KEY, changes BLOB NOT NULL);
CREATE TABLE point (number INTEGER PRIMARY KEY, hash BLOB NOT NULL, time_s INTEGER NOT NULL);
CREATE TABLE share (digest BLOB PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE exit (
    block INTEGER, log_index INTEGER, key BLOB NOT NULL, time_s INTEGER NOT NULL,
    PRIMARY KEY (block, log_index)
) WITHOUT ROWID;
CREATE TABLE begun (key BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE oddity (
    block INTEGER, log_index INTEGER, reason TEXT NOT NULL, detail TEXT NOT NULL,
    PRIMARY KEY (block, log_index)
) WITHOUT ROWID;
"""
_ADDED: Final = "CREATE TABLE IF NOT EXISTS certain (block INTEGER PRIMARY KEY)"
"""Blocks with exits that were proven; stores from before it have none."""


def open_store(path: Path, identity: Identity) -> tuple[Store, Stored]:
    """The store and all that is in it; a new one if there is none, or if it is damaged.

    Raises:
        ConfigError: `store_foreign`, it belongs to another network, contract or operator;
            `store_newer`, a newer program wrote it.
        StorageError: it cannot be opened or made; another process has it open.
    """
    try:
        return _opened(path, identity)
    except StorageError as failure:
        if failure.code != "store_damaged":
            raise
        aside = set_aside(path)
        log.error("%s Kept as %s.", failure, aside.name)
    store, stored = _opened(path, identity)
    return store, replace(stored, was_damaged=True)


class Store:
    """An open store. Used by one thread at a time."""

    def __init__(self, path: Path, identity: Identity) -> None:
        """Open or make the file; `open_store` also checks and loads it."""
        self._path = path
        with _translated(path):
            self._db = sqlite3.connect(
                path, timeout=LOCK_WAIT_S, isolation_level=None, check_same_thread=False
            )
            try:
                self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
                self._db.execute("PRAGMA journal_mode = WAL")
                self._db.execute("PRAGMA synchronous = FULL")
                self._db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
                if not self._db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
                    self._make(identity)
                self._check(identity)
                self._db.execute(_ADDED)
            except BaseException:
                self._db.close()
                raise

    def close(self) -> None:
        """Nothing is pending: every step was a transaction."""
        self._db.close()

    def load(self) -> Stored:
        """All that is stored.

        Raises:
            StorageError: `store_damaged`, or it cannot be read.
        """
        state = RegistryState()
        with _translated(self._path):
            if self._db.execute("PRAGMA quick_check").fetchone() != ("ok",):
                raise damaged(f"{self._path} fails its check")
            count = 0
            rows = self._db.execute("SELECT kind, key, value FROM record ORDER BY kind")
            for kind, key, value in rows:
                state.commit([change_of(Row(_kind(kind), key, value))])
                count += kind != Kind.NETWORK
            rows = self._db.execute("SELECT number, hash, time_s FROM point ORDER BY number")
            found = [(Point(number, digest), time_s) for number, digest, time_s in rows]
            stored_count = self._db.execute("SELECT value FROM identity WHERE name = 'rows'")
            if stored_count.fetchone() != (str(count),):
                raise damaged(f"{self._path} has lost records")
            exits = tuple(
                ExitRequest(*row)
                for row in self._db.execute("SELECT block, log_index, key, time_s FROM exit")
            )
            shares = dict(self._db.execute("SELECT digest, data FROM share"))
            begun = frozenset(PublicKey(key) for (key,) in self._db.execute("SELECT * FROM begun"))
            certain = frozenset(
                BlockNumber(block) for (block,) in self._db.execute("SELECT block FROM certain")
            )
        if any(sha256(data).digest() != digest for digest, data in shares.items()):
            raise damaged(f"{self._path} holds a share that changed")
        time_s = found[-1][1] if found else 0
        points = tuple(point for point, _ in found)
        return Stored(state, points, time_s, shares, exits, begun, certain)

    def extend(self, batch: Batch, begun: Iterable[PublicKey] = ()) -> None:
        """Keep what a step changed, in one transaction.

        Args:
            batch: what it changed.
            begun: validators to be let in; loaded again until `settle` has them.

        Raises:
            StorageError: nothing was kept.
        """
        oldest, newest = batch.points[0].number, batch.points[-1].number
        undo = [(block, pack_undo(changes)) for block, changes in batch.changes if block > oldest]
        flat = [change for _, changes in batch.changes for change in changes]
        run = self._db.executemany
        with _translated(self._path), self._transaction():
            self._write(flat)
            self._begin(begun)
            run("INSERT INTO undo VALUES (?, ?)", undo)
            run("INSERT OR IGNORE INTO share VALUES (?, ?)", batch.shares.items())
            run("INSERT INTO exit VALUES (?, ?, ?, ?)", batch.exits)
            run("INSERT INTO oddity VALUES (?, ?, ?, ?)", batch.oddities)
            run(
                "INSERT OR IGNORE INTO point VALUES (?, ?, ?)",
                [
                    (each.number, each.hash, batch.times.get(each.number, 0))
                    for each in batch.points
                ],
            )
            self._db.execute("DELETE FROM point WHERE number < ?", (oldest,))
            self._db.execute("DELETE FROM undo WHERE block <= ?", (oldest,))
            for table in ("exit", "certain"):
                statement = f"DELETE FROM {table} WHERE block < ?"  # noqa: S608 - names of ours
                self._db.execute(statement, (newest - EXITS_KEPT_BLOCKS,))
            if batch.oddities:
                self._forget_oddities()

    def undo_above(self, block: BlockNumber) -> list[Change]:
        """All changes of the blocks above, in order.

        Raises:
            StorageError: `store_damaged`, or it cannot be read.
        """
        with _translated(self._path):
            found = self._db.execute(
                "SELECT changes FROM undo WHERE block > ? ORDER BY block", (block,)
            ).fetchall()
        return [change for (data,) in found for change in unpack_undo(data)]

    def roll_back(
        self, to: Point, changes: Sequence[Change], begun: Iterable[PublicKey] = ()
    ) -> int:
        """Take back `undo_above`, in one transaction; the time of the block gone back to.

        Args:
            to: the block.
            changes: of `undo_above`.
            begun: as for `extend`.

        Raises:
            StorageError: nothing was taken back.
        """
        with _translated(self._path), self._transaction():
            self._write(inverted(changes))
            self._begin(begun)
            for table, column in (
                ("undo", "block"),
                ("point", "number"),
                ("exit", "block"),
                ("certain", "block"),
                ("oddity", "block"),
            ):
                statement = f"DELETE FROM {table} WHERE {column} > ?"  # noqa: S608 - names of ours
                self._db.execute(statement, (to.number,))
            row = self._db.execute("SELECT time_s FROM point WHERE number = ?", (to.number,))
            time_s: int = row.fetchone()[0]
        return time_s

    def clear(self) -> None:
        """Forget everything, in one transaction: the chain is read again from the beginning.

        Raises:
            StorageError: nothing was forgotten.
        """
        with _translated(self._path), self._transaction():
            for table in ("record", "undo", "point", "share", "exit", "begun", "oddity", "certain"):
                self._db.execute(f"DELETE FROM {table}")  # noqa: S608 - names of ours
            self._db.execute("UPDATE identity SET value = '0' WHERE name = 'rows'")

    def settle(self, keys: Iterable[PublicKey]) -> None:
        """These validators were let in, or are none of ours any more.

        Raises:
            StorageError: they are loaded again.
        """
        with _translated(self._path), self._transaction():
            self._db.executemany("DELETE FROM begun WHERE key = ?", [(key,) for key in keys])

    def keep_certain(self, blocks: Iterable[BlockNumber]) -> None:
        """The exits of these blocks were proven.

        Raises:
            StorageError: they are proven again after a start.
        """
        with _translated(self._path), self._transaction():
            rows = [(block,) for block in blocks]
            self._db.executemany("INSERT OR IGNORE INTO certain VALUES (?)", rows)

    def oddities(self) -> list[Oddity]:
        """Logs that nodes refuse or cannot read, the oldest first."""
        with _translated(self._path):
            rows = self._db.execute("SELECT * FROM oddity ORDER BY block, log_index")
            return [Oddity(*row) for row in rows]

    def drop_shares(self, digests: Sequence[bytes]) -> None:
        """Forget shares that nothing refers to any more."""
        with _translated(self._path), self._transaction():
            self._db.executemany("DELETE FROM share WHERE digest = ?", [(d,) for d in digests])

    def _begin(self, keys: Iterable[PublicKey]) -> None:
        """In the transaction of the step itself: a kill after it must not let them in unseen."""
        self._db.executemany("INSERT OR IGNORE INTO begun VALUES (?)", [(key,) for key in keys])

    def _write(self, changes: Sequence[Change]) -> None:
        """Bring the records to where these changes lead."""
        rows = rows_of(changes)
        gone = [(row.kind, row.key) for row in rows if row.value is None]
        self._db.executemany("DELETE FROM record WHERE kind = ? AND key = ?", gone)
        kept = [row for row in rows if row.value is not None]
        self._db.executemany("INSERT OR REPLACE INTO record VALUES (?, ?, ?)", kept)
        self._db.execute(
            "UPDATE identity SET value = CAST(value + ? AS TEXT) WHERE name = 'rows'",
            (growth(changes),),
        )

    def _forget_oddities(self) -> None:
        """All but the newest; by a look-up, as this runs for every refused event."""
        last = self._db.execute(
            "SELECT block, log_index FROM oddity ORDER BY block DESC, log_index DESC "
            "LIMIT 1 OFFSET ?",
            (ODDITIES_KEPT,),
        ).fetchone()
        if last is not None:
            self._db.execute("DELETE FROM oddity WHERE (block, log_index) <= (?, ?)", last)

    def _make(self, identity: Identity) -> None:
        facts = {"schema": str(SCHEMA), "rows": "0", **identity.facts()}
        with self._transaction():
            for statement in _TABLES.split(";"):
                self._db.execute(statement)
            self._db.executemany("INSERT INTO identity VALUES (?, ?)", facts.items())

    def _check(self, identity: Identity) -> None:
        found = dict(self._db.execute("SELECT name, value FROM identity"))
        schema = int(found.get("schema", "0"))
        if schema > SCHEMA:
            raise ConfigError(
                f"{self._path} has schema {schema}, this program knows up to {SCHEMA}",
                code="store_newer",
                hint="Run the newer program, or move the file away to read the chain again.",
            )
        if schema < SCHEMA:
            raise damaged(f"{self._path} has no usable schema")
        for name, value in identity.facts().items():
            if found.get(name) != value:
                raise ConfigError(
                    f"{self._path} belongs to {name} {found.get(name) or 'unset'}, "
                    f"configured is {value or 'unset'}",
                    code="store_foreign",
                    hint="Correct the setting, or move the file away to read the chain again.",
                )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Failures of SQLite as our own."""
    try:
        yield
    except sqlite3.Error as failure:
        # The low byte is the kind of error, the rest a detail. Without a code it is a value that
        # Python cannot take.
        if getattr(failure, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF in _DAMAGE:
            raise damaged(f"{path} is damaged ({failure})") from failure
        raise StorageError(
            f"{path}: {failure}",
            code="store_failed",
            hint="Check the disk, and that no other process has the file open.",
        ) from failure


def _opened(path: Path, identity: Identity) -> tuple[Store, Stored]:
    store = Store(path, identity)
    try:
        return store, store.load()
    except BaseException:
        store.close()
        raise


def _kind(number: int) -> Kind:
    try:
        return Kind(number)
    except ValueError:
        raise damaged(f"a record of unknown kind {number}") from None


def set_aside(path: Path) -> Path:
    """Where a damaged file is kept from now on; its journal is part of the damage.

    Raises:
        StorageError: too many lie there already.
    """
    for number in range(1, MOST_SET_ASIDE + 1):
        aside = path.with_name(f"{path.name}.damaged-{number}")
        if not aside.exists():
            path.rename(aside)
            for ending in ("-wal", "-shm"):
                path.with_name(path.name + ending).unlink(missing_ok=True)
            return aside
    raise StorageError(
        f"{path} is damaged, and {MOST_SET_ASIDE} damaged ones lie beside it",
        code="store_failed",
        hint="Check the disk, then remove them.",
    )
