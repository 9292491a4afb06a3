"""Copies of the slashing record: made while it is in use, and put back.

A copy is older than the record as soon as anything is signed. So it is marked when it is made, and
when it is put back: every share is armed before anything is signed with it. A copy from before a
handover is not put back.

Source: docs/slashing.md, "Backups".
"""

from __future__ import annotations

import secrets
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path
from shutil import copyfile
from typing import Final

from operator_node.signer.record_file import (
    SIDE_FILES,
    OnDamage,
    Owner,
    handed_over_note,
    open_file,
    set_aside,
    unusable,
)
from operator_node.signer.tables import Tables
from sdk.errors import StorageError, UsageError
from sdk.files import PRIVATE_MODE, make_private_folder, open_private, refuse_existing, sync_folder

PAGES: Final = 256
"""Copied at a time, 1 MB: a signature waits for that at most."""
PAUSE_S: Final = 0.005
"""Between two of these; also how long a transaction that is under way is left alone."""
_SUSPECT: Final = {"suspect": 1}


def write_copy(source: Path, database: sqlite3.Connection, path: Path) -> None:
    """A consistent copy of an open record, marked as one.

    Args:
        source: the record's own path, for errors.
        database: open; other threads may write meanwhile.
        path: of a file that is not there yet.

    Raises:
        UsageError: `file_exists`, `folder_missing`.
        StorageError: `record_unusable`; nothing is left behind.
    """
    refuse_existing(path)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with open_private(temporary):
            pass
        with closing(sqlite3.connect(temporary, isolation_level=None)) as copy:
            # Else the last step flushes all of the copy while nothing can be recorded.
            copy.execute("PRAGMA synchronous = OFF")
            # SQLite itself pauses only where it has to wait for somebody.
            database.backup(copy, pages=PAGES, sleep=PAUSE_S, progress=_let_others_write)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, nothing beside it
            copy.execute("PRAGMA synchronous = FULL")
            copy.execute("BEGIN EXCLUSIVE")
            Tables(copy).set_meta(_SUSPECT)
            copy.execute("COMMIT")
        refuse_existing(path)
        temporary.rename(path)
        sync_folder(path.parent)
    except sqlite3.Error as problem:
        raise unusable(source, problem) from problem
    except OSError as problem:
        raise _refused(path, problem) from problem
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def put_back(copy: Path, path: Path, owner: Owner) -> Path | None:
    """Puts a copy in the record's place; where the record that was there is now, if there was one.

    Args:
        copy: the file.
        path: of the record, which no process has open.
        owner: whose record it must be.

    Raises:
        ConfigError: `record_of_another`.
        StorageError: `record_handed_over`, `record_damaged`, `record_in_use`, `record_newer`.
        UsageError: `file_missing`.
    """
    if not copy.is_file():
        raise UsageError(f"there is no file {copy}", code="file_missing")
    if handed_over_note(path).exists():
        raise StorageError(
            f"the operator of {path} was handed over to another instance",
            code="record_handed_over",
            hint="To come back, export a handover there and import it here: phalanx node handover.",
        )
    make_private_folder(path.parent)
    if path.exists():
        _check_free(path)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    counter = temporary.with_name(f"{temporary.name}.sequence")
    try:
        copyfile(copy, temporary)
        temporary.chmod(PRIVATE_MODE)
        # Whether it is whole and this operator's. Without a counter it counts as an older copy.
        opened = open_file(temporary, owner, counter_path=counter, on_damage=OnDamage.STOP)
        try:
            Tables(opened.database).set_meta(_SUSPECT)
        finally:
            opened.counter.close()
            opened.database.close()
        aside = set_aside(path, "replaced") if _is_anything_there(path) else None
        temporary.rename(path)
        sync_folder(path.parent)
    except sqlite3.Error as problem:
        raise unusable(path, problem) from problem
    except OSError as problem:
        raise _refused(path, problem) from problem
    finally:
        for left in (temporary, counter, *map(temporary.with_name, _beside(temporary))):
            left.unlink(missing_ok=True)
    return aside


def _is_anything_there(path: Path) -> bool:
    """Also what a record left behind that was moved by hand: SQLite would play it into the copy."""
    return any(path.with_name(path.name + each).exists() for each in SIDE_FILES)


def _check_free(path: Path) -> None:
    """That no process has the record open, be it damaged or not."""
    try:
        with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as database:
            database.execute("PRAGMA locking_mode = EXCLUSIVE")
            database.execute("BEGIN EXCLUSIVE")
            database.execute("ROLLBACK")
    except sqlite3.DatabaseError as problem:
        error = unusable(path, problem)
        if error.code == "record_in_use":
            raise error from problem


def _beside(path: Path) -> tuple[str, str]:
    return f"{path.name}-wal", f"{path.name}-journal"


def _let_others_write(_status: int, _left: int, _pages: int) -> None:
    time.sleep(PAUSE_S)


def _refused(path: Path, problem: OSError) -> StorageError:
    return StorageError(
        f"cannot write {path}: {problem.strerror or problem}",
        hint="Check free space and permissions.",
    )
