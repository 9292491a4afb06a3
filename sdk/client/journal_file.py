"""A journal on disk: one JSON document, replaced as a whole, used by one process at a time.

What must survive a kill is saved before the step that it is about. A journal holds public values
only: keys of validators, hashes, block numbers.
"""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Generic, Self, TypeVar

import msgspec

from sdk.errors import InputError, StorageError, UsageError
from sdk.files import PRIVATE_MODE, read_bounded, write_private
from sdk.json_documents import read_json

T = TypeVar("T")

JOURNAL_MAX_BYTES: Final = 16 * 1024 * 1024
"""About 100,000 validators."""


class _Head(msgspec.Struct):
    format: str
    version: int


class JournalFile(Generic[T]):
    """The journal in `path`, locked while its `with` block runs.

    Args:
        path: the journal; it need not exist yet.
        shape: dataclass of its content, with fields `format` and `version`.
        format: what `format` must be.
        version: what `version` must be.

    Raises:
        UsageError: `journal_in_use`.
        StorageError: the folder cannot be written.
    """

    def __init__(self, path: Path, shape: type[T], *, format: str, version: int) -> None:
        self.path = path
        self._shape = shape
        self._format = format
        self._version = version
        self._lock_path = path.with_name(f"{path.name}.lock")
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        self._descriptor = self._lock()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._descriptor is not None:
            self._lock_path.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = None

    def load(self) -> T | None:
        """The journal's content, None if there is no such file.

        Raises:
            InputError: `journal_damaged`, or a file of another kind.
        """
        if not self.path.exists():
            return None
        data = read_bounded(self.path, limit_bytes=JOURNAL_MAX_BYTES)
        head = self._read(data, _Head)
        if (head.format, head.version) != (self._format, self._version):
            raise InputError(
                f"{self.path} is no journal of this kind and version",
                code="journal_damaged",
                hint="Name another file; this one is left as it is.",
            )
        content: T = self._read(data, self._shape)
        return content

    def save(self, content: T) -> None:
        """Replaces the file; when this returns, the content survives a kill and a power cut."""
        facts: dict[str, Any] = asdict(content)  # type: ignore[call-overload]  # T is a dataclass
        write_private(self.path, json.dumps(facts, indent=1).encode() + b"\n", overwrite=True)

    def _read(self, data: bytes, shape: Any) -> Any:
        return read_json(
            data,
            shape,
            source=str(self.path),
            limit_bytes=JOURNAL_MAX_BYTES,
            code="journal_damaged",
        )

    def _lock(self) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        while True:
            try:
                descriptor = os.open(self._lock_path, flags, PRIVATE_MODE)
            except OSError as problem:
                raise StorageError(
                    f"cannot write {self._lock_path}: {problem.strerror}",
                    hint="The journal's folder must exist and be writable.",
                ) from problem
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                raise UsageError(
                    f"another run is using {self.path}",
                    code="journal_in_use",
                    hint="Wait for it to end.",
                ) from None
            if self._is_current(descriptor):
                return descriptor
            # Whoever held the lock removed the file between our opening and locking it.
            os.close(descriptor)

    def _is_current(self, descriptor: int) -> bool:
        try:
            there = self._lock_path.stat()
        except FileNotFoundError:
            return False
        return there.st_ino == os.fstat(descriptor).st_ino
