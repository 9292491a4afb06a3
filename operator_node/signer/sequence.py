"""The counter beside the slashing record, by which an old copy of the record is found out.

Every transaction of the record counts up, there and here. A record that is behind its counter was
put back from a backup, and what was signed after that backup is not in it (docs/slashing.md, "What
it does not protect from").

The counter is written after the record is durable, and reaches the disk on its own soon after: the
kill of the process never leaves it behind, a power cut by seconds at most. So it costs no second
wait for the disk on the way of a signature.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sdk.errors import StorageError
from sdk.files import PRIVATE_MODE, read_bounded

_LINE: Final = re.compile(rb"phalanx-sequence ([0-9a-f]{32}) ([0-9]{20})\n")
_FILE_MAX_BYTES: Final = 128
"""A line has 71 bytes."""


@dataclass(frozen=True, slots=True)
class Sequence:
    """Which record, by a random id of 32 hex digits, and how many transactions it has seen."""

    record_id: str
    number: int


class SequenceFile:
    """The counter file, held open.

    Raises:
        StorageError: `sequence_unwritable`, from any method that writes.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, PRIVATE_MODE)
        except OSError as problem:
            raise self._failed(problem) from problem

    @staticmethod
    def read(path: Path) -> Sequence | None:
        """What the counter says; None if there is none, or none that can be read."""
        if not path.exists():
            return None
        found = _LINE.fullmatch(read_bounded(path, limit_bytes=_FILE_MAX_BYTES))
        return None if found is None else Sequence(found[1].decode(), int(found[2]))

    def write(self, sequence: Sequence, *, durable: bool = False) -> None:
        """Counts; with `durable` it is on the disk when this returns."""
        line = f"phalanx-sequence {sequence.record_id} {sequence.number:020d}\n".encode()
        try:
            # One small write in place, which a kill cannot halve.
            os.pwrite(self._descriptor, line, 0)
            if durable:
                os.ftruncate(self._descriptor, len(line))
                os.fsync(self._descriptor)
        except OSError as problem:
            raise self._failed(problem) from problem

    def close(self) -> None:
        """No more counting."""
        os.close(self._descriptor)

    def _failed(self, problem: OSError) -> StorageError:
        return StorageError(
            f"cannot write {self._path}: {problem.strerror or problem}",
            code="sequence_unwritable",
            hint="Check free space and permissions.",
        )
