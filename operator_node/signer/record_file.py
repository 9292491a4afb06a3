"""Opening the slashing record's file: whose it is, whether it is whole, whether it is an old copy.

Refuses another network's, operator's or version's file, and one that is in use. A damaged one is
refused or set aside, as its owner chose; it is never deleted. Source: docs/slashing.md.
"""

from __future__ import annotations

import logging
import secrets
import sqlite3
from dataclasses import dataclass, fields
from enum import Enum
from pathlib import Path
from typing import Final

from operator_node.signer.sequence import Sequence, SequenceFile
from operator_node.signer.tables import SCHEMA, TABLE_NAMES, Tables
from sdk.errors import ConfigError, StorageError
from sdk.files import make_private_folder, open_private, sync_folder
from sdk.types import OperatorId

SCHEMA_VERSION: Final = 1
_LOCK_TIMEOUT_S: Final = 1.0
"""A command that only looks is done sooner; another node is not waited for."""
_RECORD_ID_BYTES: Final = 16
SIDE_FILES: Final = ("", "-wal", "-journal")
_CACHE_KIB: Final = 16_000
"""A page per history and duty: those of thousands of validators stay in memory."""
_CHECKED_PROBLEMS: Final = 1
"""One is reason enough."""
HANDED_OVER: Final = "handed_over"
"""The fact that names the handover after which nothing is signed here."""
_ALWAYS_KNOWN: Final = frozenset(
    {"version", "record_id", "sequence", "suspect", "network", "genesis_validators_root"}
)

logger = logging.getLogger(__name__)


class OnDamage(Enum):
    """What to do with a record that cannot be read."""

    REBOUND = "rebound"
    """Set it aside and begin anew: every share signs nothing for the rest of the epoch."""
    STOP = "stop"
    """Refuse to start."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose record it is.

    Attributes:
        network: its name in the settings.
        genesis_validators_root: 32 bytes.
        operator_id: None before the operator is registered; then any is taken.
        operator_key: fingerprint of the operator's public key, None where it is not at hand.
    """

    network: str
    genesis_validators_root: bytes
    operator_id: OperatorId | None = None
    operator_key: str | None = None


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """An open database in exclusive use, and what was found.

    Attributes:
        sequence: the record's own count.
        is_new: there was none before.
        is_suspect: an older copy, or one that nobody can vouch for: every share must be armed.
        set_aside: where a damaged record was put.
    """

    database: sqlite3.Connection
    counter: SequenceFile
    sequence: Sequence
    is_new: bool
    is_suspect: bool
    set_aside: Path | None


def open_file(
    path: Path,
    owner: Owner,
    *,
    counter_path: Path,
    on_damage: OnDamage = OnDamage.REBOUND,
    is_handover: bool = False,
) -> OpenedFile:
    """The record at `path`, made if there is none.

    Raises:
        ConfigError: `record_of_another`, another network's or operator's.
        StorageError: `record_in_use`, `record_newer`, `record_unusable`; `record_damaged` if
            `on_damage` says stop; `record_handed_over` unless `is_handover`.
    """
    make_private_folder(path.parent)
    if not is_handover and handed_over_note(path).exists():
        raise _handed_over(path)
    aside = None
    try:
        database, is_new = _connect(path, owner)
    except sqlite3.DatabaseError as problem:
        if isinstance(problem, sqlite3.OperationalError):
            raise unusable(path, problem) from problem
        if on_damage is OnDamage.STOP:
            raise StorageError(
                f"the slashing record {path} is damaged: {problem}",
                code="record_damaged",
                hint="Restore it from a backup, or set safety.on_damage to rebound.",
            ) from problem
        aside = set_aside(path, "damaged")
        logger.error("slashing record %s was damaged and set aside as %s", path, aside)
        database, is_new = _connect(path, owner)
    try:
        tables = Tables(database)
        meta = tables.meta()
        _check_owner(path, meta, owner)
        if not is_handover and meta.get(HANDED_OVER):
            raise _handed_over(path)
        sequence = Sequence(str(meta["record_id"]), int(str(meta["sequence"])))
        is_suspect = not is_new and (bool(meta["suspect"]) or _is_behind(sequence, counter_path))
        if is_suspect:
            # Remembered until all shares are armed: the counter agrees again from now on.
            tables.set_meta({"suspect": 1})
            logger.warning("slashing record %s is an older copy, or its counter is missing", path)
        tables.set_meta(_known(owner))
        counter = SequenceFile(counter_path)
        counter.write(sequence, durable=True)
    except BaseException:
        database.close()
        raise
    return OpenedFile(database, counter, sequence, is_new, is_suspect, aside)


def handed_over_note(path: Path) -> Path:
    """The file that says, beside the record, that it was handed over.

    A backup of the record from before knows nothing of it.
    """
    return path.with_name(f"{path.name}.handed-over")


def _handed_over(path: Path) -> StorageError:
    return StorageError(
        f"the slashing record {path} was handed over to another instance, this one never signs",
        code="record_handed_over",
        hint="To come back, export a handover there and import it here: phalanx node handover.",
    )


def unusable(path: Path, problem: sqlite3.Error) -> StorageError:
    """The error for a database that does not work: locked, read-only, full."""
    if getattr(problem, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
        return StorageError(
            f"the slashing record {path} is in use",
            code="record_in_use",
            hint="A node runs with it; stop that node first.",
        )
    return StorageError(
        f"the slashing record {path} does not work: {problem}",
        code="record_unusable",
        hint="Check the disk, its free space and permissions; nothing was signed.",
    )


def _connect(path: Path, owner: Owner) -> tuple[sqlite3.Connection, bool]:
    """The database, and whether it is a new one."""
    if not path.exists():
        with open_private(path):
            pass  # a private file before anything is in it
        sync_folder(path.parent)
    database = sqlite3.connect(
        path, timeout=_LOCK_TIMEOUT_S, isolation_level=None, check_same_thread=False
    )
    try:
        # In this order: with the lock held for good, the log needs no shared memory.
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        # A commit is one append and one flush. The older journals need two or three flushes, and
        # lose no less.
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute(f"PRAGMA cache_size = {-_CACHE_KIB}")
        database.execute("BEGIN EXCLUSIVE")
        names = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
        if names:
            _check_whole(path, database, names)
        else:
            _create(database, owner)
        database.execute("COMMIT")
    except BaseException:
        database.close()
        raise
    return database, not names


def _create(database: sqlite3.Connection, owner: Owner) -> None:
    for statement in SCHEMA:
        database.execute(statement)
    facts: dict[str, object] = {
        "version": SCHEMA_VERSION,
        "record_id": secrets.token_hex(_RECORD_ID_BYTES),
        "sequence": 0,
        "suspect": 0,
    }
    Tables(database).set_meta(facts | _known(owner))


def _check_whole(path: Path, database: sqlite3.Connection, names: set[str]) -> None:
    if not names >= TABLE_NAMES:
        raise sqlite3.DatabaseError(f"tables are missing, there are {', '.join(sorted(names))}")
    meta = Tables(database).meta()
    if not meta.keys() >= _ALWAYS_KNOWN:
        raise sqlite3.DatabaseError("it does not say whose it is")
    version = meta["version"]
    if version != SCHEMA_VERSION:
        raise StorageError(
            f"the slashing record {path} has schema {version}, this program knows {SCHEMA_VERSION}",
            code="record_newer",
            hint="It was used by a newer version of the node; run that one.",
        )
    ((answer,),) = database.execute(f"PRAGMA quick_check({_CHECKED_PROBLEMS})")
    if answer != "ok":
        raise sqlite3.DatabaseError(str(answer))


def _known(owner: Owner) -> dict[str, object]:
    facts = {each.name: getattr(owner, each.name) for each in fields(owner)}
    return {name: value for name, value in facts.items() if value is not None}


def _check_owner(path: Path, meta: dict[str, object], owner: Owner) -> None:
    for name, expected in _known(owner).items():
        found = meta.get(name, expected)
        if found != expected:
            raise ConfigError(
                f"the slashing record {path} is of {_text(name, found)}, this node of "
                f"{_text(name, expected)}",
                code="record_of_another",
                hint="Check db.Path, the network and the operator key in the settings.",
            )


def _text(name: str, value: object) -> str:
    shown = f"0x{value.hex()}" if isinstance(value, bytes) else str(value)
    return f"{name.replace('_', ' ')} {shown}"


def _is_behind(sequence: Sequence, counter_path: Path) -> bool:
    counted = SequenceFile.read(counter_path)
    if counted is None or counted.record_id != sequence.record_id:
        return True
    return sequence.number < counted.number


def set_aside(path: Path, why: str) -> Path:
    """Gives a record another name, out of the way; that name."""
    number = 1
    while (aside := path.with_name(f"{path.name}.{why}-{number}")).exists():
        number += 1
    # The record itself last: were this killed in between, what is left of it is an older copy and
    # armed as one; a journal without its record would be played into the next one.
    for suffix in reversed(SIDE_FILES):
        file = path.with_name(path.name + suffix)
        if file.exists():
            file.rename(aside.with_name(aside.name + suffix))
    return aside
