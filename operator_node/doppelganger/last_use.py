"""Whether this very slashing record was in use on this very machine a short while ago.

If so, an ordinary restart or crash is all that happened: the record is in exclusive use, so that
the process that had it is gone. A copy of the data folder, elsewhere or beside it, is another file;
a machine that booted, or was cloned, is another machine. Doubt means no: the node listens first.

Source: docs/slashing.md, "Twins".
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

import msgspec

from sdk.errors import InputError
from sdk.files import read_bounded, write_private

RECENT_MS: Final = 3_600_000
"""Whoever moves an operator to another machine and back takes longer."""
TOUCH_MS: Final = 60_000
"""Between two notes of the time: a small part of the above."""
BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
"""A random name that Linux gives itself at each boot; containers have that of their machine."""
_FILE_BYTES: Final = 4_096

_log = logging.getLogger(__name__)


class _Use(msgspec.Struct, frozen=True):
    boot: str
    inode: int
    device: int
    at_ms: int


class LastUse:
    """The note beside the slashing record."""

    def __init__(self, path: Path, *, record: Path, boot_id: Path = BOOT_ID) -> None:
        """Reads nothing yet.

        Args:
            path: of the note.
            record: the slashing record's file, open and in exclusive use.
            boot_id: names the running machine.
        """
        self._path = path
        self._record = record
        self._boot_id = boot_id
        self._noted_ms = 0

    def is_recent(self, now_ms: int) -> bool:
        """Whether the record was in use here less than an hour before."""
        if not self._path.exists():
            return False
        try:
            noted = msgspec.json.decode(
                read_bounded(self._path, limit_bytes=_FILE_BYTES), type=_Use
            )
        except (InputError, msgspec.DecodeError) as problem:
            _log.warning("%s cannot be used, this node listens first: %s", self._path, problem)
            return False
        here = self._use(noted.at_ms)
        return here is not None and noted == here and 0 <= now_ms - noted.at_ms < RECENT_MS

    def note(self, now_ms: int) -> None:
        """The record is in use now; written once a minute.

        Raises:
            StorageError: the disk refused.
        """
        if 0 <= now_ms - self._noted_ms < TOUCH_MS or (use := self._use(now_ms)) is None:
            return
        write_private(self._path, msgspec.json.encode(use), overwrite=True)
        self._noted_ms = now_ms

    def forget(self) -> None:
        """The next start listens first, whenever it is."""
        self._path.unlink(missing_ok=True)
        self._noted_ms = 0

    def _use(self, at_ms: int) -> _Use | None:
        """None on a machine without a name."""
        try:
            boot = self._boot_id.read_text().strip()
            file = self._record.stat()
        except OSError:
            return None
        return _Use(boot, file.st_ino, file.st_dev, at_ms) if boot else None
