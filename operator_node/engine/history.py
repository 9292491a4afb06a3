"""Duty records on disk: one row per duty, found again by slot, validator, role and outcome.

Records are added at once in memory and written in batches by whoever calls `flush`, in a worker
thread; what was not written yet is found all the same. A crash may cost the records of the last
seconds, which nothing depends on. Rows of a duty that is told again are replaced.

Source: docs/failure-reasons.md.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Final

import msgspec

from operator_node.duties.reasons import Reason
from operator_node.duties.types import Step
from operator_node.engine.records import DutyRecord, Ending, Heard
from operator_node.wire.ids import RunnerRole
from sdk.errors import StorageError
from sdk.types import OperatorId, Slot

PENDING_KEPT: Final = 20_000
"""Records that wait to be written: a disk that stands still for many minutes costs the oldest."""
MOST_FOUND: Final = 1_000
"""Records of one answer."""
KEPT_SLOTS: Final = 50_400
"""A week on mainnet: about 700,000 duties of 500 committees, under a gigabyte."""

MOST_BYTES: Final = 5_000_000_000
"""As much as an operator expects of records unless told otherwise."""

_REASONS: Final = {reason.word: reason for reason in Reason}
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS duties (
    id TEXT PRIMARY KEY,
    slot INTEGER NOT NULL,
    role INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    validators TEXT NOT NULL,
    record BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS duties_by_slot ON duties (slot);
"""
_WRITE: Final = "INSERT OR REPLACE INTO duties VALUES (?, ?, ?, ?, ?, ?)"
_FIND: Final = """
SELECT record FROM duties
WHERE slot BETWEEN ?1 AND ?2
    AND (?3 IS NULL OR instr(validators, ?3) > 0)
    AND (?4 IS NULL OR role = ?4)
    AND (?5 IS NULL OR outcome = ?5)
ORDER BY slot DESC, id LIMIT ?6
"""
_DELETE_OLDEST: Final = """
DELETE FROM duties WHERE slot <= (SELECT slot FROM duties ORDER BY slot LIMIT 1 OFFSET ?)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which duties to find; None lets all through.

    Attributes:
        first: slot.
        last: slot, included.
        validator: index.
    """

    first: int = 0
    last: int = 2**62
    validator: int | None = None
    role: RunnerRole | None = None
    outcome: Ending | None = None


class History:
    """The records of one node. All methods may be called from any thread."""

    def __init__(
        self,
        path: Path | None,
        *,
        kept_slots: int = KEPT_SLOTS,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        """Opens the file, or makes it.

        Args:
            path: of the SQLite file; None keeps the records in memory.
            kept_slots: older records are forgotten by `prune`.
            most_bytes: when there is more, the oldest are forgotten by `prune` sooner.

        Raises:
            StorageError: the file cannot be opened, or is none of these.
        """
        self._lock = Lock()
        """Of the file; held while the disk is waited for."""
        self._pending_lock = Lock()
        """Never held for longer than a moment: `add` is called on the event loop."""
        self._path = ":memory:" if path is None else str(path)
        self._kept_slots = kept_slots
        self._most_bytes = most_bytes
        self._pending: dict[str, DutyRecord] = {}
        self._base = self._try(self._open)

    def add(self, record: DutyRecord) -> None:
        """Remembers a record, instead of an earlier one of the same duty; returns at once."""
        with self._pending_lock:
            self._pending.pop(record.id, None)
            self._pending[record.id] = record
            if len(self._pending) > PENDING_KEPT:
                del self._pending[next(iter(self._pending))]

    @property
    def is_written(self) -> bool:
        """Whether `flush` has nothing to do."""
        return not self._pending

    def flush(self) -> None:
        """Writes what was added, in one transaction.

        Raises:
            StorageError: it could not be written; it is kept for the next time.
        """
        with self._lock:
            self._try(self._write)

    def find(self, wanted: Filter, *, limit: int = MOST_FOUND) -> tuple[DutyRecord, ...]:
        """Records from the latest slot on, `MOST_FOUND` at most.

        Raises:
            StorageError: the file cannot be read or written.
        """
        mark = None if wanted.validator is None else f",{wanted.validator},"
        role = None if wanted.role is None else int(wanted.role)
        outcome = None if wanted.outcome is None else wanted.outcome.value
        most = min(limit, MOST_FOUND)
        question = (wanted.first, wanted.last, mark, role, outcome, most)
        with self._lock:
            self._try(self._write)
            rows = self._try(lambda: self._base.execute(_FIND, question).fetchall())
        return tuple(_decode(row[0]) for row in rows)

    def named(self, name: str) -> DutyRecord | None:
        """The record of one duty.

        Raises:
            StorageError: the file cannot be read or written.
        """
        ask = "SELECT record FROM duties WHERE id = ?"
        with self._lock:
            self._try(self._write)
            row = self._try(lambda: self._base.execute(ask, (name,)).fetchone())
        return None if row is None else _decode(row[0])

    def prune(self, slot: int) -> None:
        """Forgets what is too old in this slot, and the oldest of what is too much.

        Raises:
            StorageError: the file cannot be written.
        """
        oldest = slot - self._kept_slots
        with self._lock:
            self._try(lambda: self._base.execute("DELETE FROM duties WHERE slot < ?", (oldest,)))
            self._try(self._make_room)

    def close(self) -> None:
        """Writes the rest and closes the file.

        Raises:
            StorageError: the rest could not be written.
        """
        with self._lock:
            try:
                self._try(self._write)
            finally:
                self._base.close()

    def _open(self) -> sqlite3.Connection:
        # Autocommit: transactions are begun where they are meant. The lock serves all threads.
        base = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        base.execute("PRAGMA journal_mode = WAL")
        base.execute("PRAGMA synchronous = NORMAL")
        base.executescript(_SCHEMA)
        return base

    def _write(self) -> None:
        with self._pending_lock:
            batch, self._pending = self._pending, {}
        if not batch:
            return
        try:
            self._base.execute("BEGIN")
            self._base.executemany(_WRITE, map(_row, batch.values()))
            self._base.execute("COMMIT")
        except sqlite3.Error:
            if self._base.in_transaction:
                self._base.execute("ROLLBACK")
            with self._pending_lock:
                self._pending = {**batch, **self._pending}
            raise

    def _make_room(self) -> None:
        """A tenth at a time; the file keeps its size, and what is free in it is used again."""
        while self._used_bytes() > self._most_bytes:
            (count,) = self._base.execute("SELECT count(*) FROM duties").fetchone()
            if not count:
                return
            self._base.execute(_DELETE_OLDEST, (count // 10,))

    def _used_bytes(self) -> int:
        pages, free, size = (
            self._base.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        used: int = (pages - free) * size
        return used

    def _try(self, step: Callable[[], Any]) -> Any:
        try:
            return step()
        except sqlite3.Error as error:
            raise StorageError(
                f"duty records in {self._path}: {error}",
                code="duty_records",
                hint="Check the disk's space and the file's owner; the file may be deleted while "
                "the node is stopped, nothing depends on it.",
                data={"path": self._path},
            ) from error


def _row(record: DutyRecord) -> tuple[str, int, int, str, str, bytes]:
    validators = "".join(f",{index}" for index in record.validators) + ","
    place = (record.id, record.slot, int(record.role), record.outcome.value, validators)
    return (*place, _encode(record))


def _encode(record: DutyRecord) -> bytes:
    fields = {
        "id": record.id,
        "role": int(record.role),
        "slot": record.slot,
        "committee": record.committee,
        "validators": record.validators,
        "started_ms": record.started_ms,
        "steps": [(step.value, at_ms) for step, at_ms in record.steps],
        "round": record.round,
        "leader": record.leader,
        "sent": record.sent,
        "heard": [(h.operator, h.messages, h.first_ms, h.last_ms) for h in record.heard],
        "reason": None if record.reason is None else record.reason.word,
        "submitted": record.submitted,
        "detail": record.detail,
    }
    return msgspec.json.encode(fields, enc_hook=str)


def _decode(data: bytes) -> DutyRecord:
    fields = msgspec.json.decode(data)
    reason, leader = fields["reason"], fields["leader"]
    return DutyRecord(
        id=fields["id"],
        role=RunnerRole(fields["role"]),
        slot=Slot(fields["slot"]),
        committee=tuple(OperatorId(each) for each in fields["committee"]),
        validators=tuple(fields["validators"]),
        started_ms=fields["started_ms"],
        steps=tuple((Step(word), at_ms) for word, at_ms in fields["steps"]),
        round=fields["round"],
        leader=None if leader is None else OperatorId(leader),
        sent=fields["sent"],
        heard=tuple(Heard(*each) for each in fields["heard"]),
        reason=None if reason is None else _REASONS[reason],
        submitted=tuple(fields["submitted"]),
        detail=fields["detail"],
    )
