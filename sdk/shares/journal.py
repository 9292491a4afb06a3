"""The journal of a bulk split: finished entries, one per line, so an interrupted run resumes.

It holds only what the keyshares file will hold (public keys, signatures, ciphertexts), never a
secret. Its first line names the run (owner and operators); a journal of another run is refused,
not mixed in. Each entry names the keystore it came from, so a keystore that was replaced, or moved
to another nonce, is done anew.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final

from sdk.errors import InputError, KeysharesError, StorageError, UsageError
from sdk.files import PRIVATE_MODE
from sdk.json_documents import read_json
from sdk.shares.keyshares_file import KeyShare, entry_json
from sdk.shares.keyshares_reader import FILE_MAX_BYTES, read_keyshares
from sdk.shares.verify import is_sound, verify_keyshares

_VERSION: Final = "v1.2.0"


class Journal:
    """Append-only record of finished entries, by keystore and nonce; one process at a time.

    Args:
        path: the journal's file; created with mode 0600 if absent.
        run: fingerprint of owner and operators.

    Raises:
        UsageError: `journal_of_another_run`, `journal_in_use`.
        InputError: `journal_damaged`.
        StorageError: the file cannot be opened or written.
    """

    def __init__(self, path: Path, *, run: str) -> None:
        self.path = path
        self.finished: dict[tuple[str, int], KeyShare] = {}
        with self._storage_errors():
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, PRIVATE_MODE)
            try:
                self._lock()
                self._load(run)
            except BaseException:
                os.close(self._descriptor)
                raise

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._descriptor)

    def add(self, share: KeyShare, *, keystore: str) -> None:
        """Records a finished entry, so that killing the process does not lose it.

        Not synced to the disk each time: a power cut may cost some entries, which are made anew.
        """
        self._append({"keystore": keystore, "entry": entry_json(share)})
        if share.nonce is not None:
            self.finished[keystore, share.nonce] = share

    def remove(self) -> None:
        """Deletes the journal once its content is in the keyshares file."""
        with self._storage_errors():
            self.path.unlink(missing_ok=True)

    def _lock(self) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(
                f"another run is using {self.path}",
                code="journal_in_use",
                hint="Wait for it to end, or write to another file.",
            ) from None

    def _load(self, run: str) -> None:
        if os.fstat(self._descriptor).st_size > FILE_MAX_BYTES:
            raise self._damaged()
        with open(self._descriptor, "rb", closefd=False) as stream:
            lines = stream.read().split(b"\n")
        # What follows the last newline was being written when the power went: it is no entry.
        whole, torn = lines[:-1], lines[-1]
        if torn:
            os.ftruncate(self._descriptor, sum(len(line) + 1 for line in whole))
        if not whole or (whole[1:] == [] and "run" in _decode(whole[0])):
            # New, torn in its first line, or of a run in which nothing was ever finished.
            os.ftruncate(self._descriptor, 0)
            self._append({"run": run})
            return
        if _decode(whole[0]).get("run") != run:
            raise UsageError(
                f"{self.path} belongs to another run (another owner or other operators)",
                code="journal_of_another_run",
                hint="Finish that run, or delete this file to start anew.",
            )
        for line in whole[1:]:
            record = _decode(line)
            share, keystore = self._read_entry(record), record.get("keystore")
            if share.nonce is None or not isinstance(keystore, str):
                raise self._damaged()
            self.finished[keystore, share.nonce] = share

    def _read_entry(self, record: dict[str, object]) -> KeyShare:
        document = {"version": _VERSION, "shares": [record.get("entry")]}
        try:
            reading = read_keyshares(json.dumps(document).encode())
        except KeysharesError:
            raise self._damaged() from None
        if not is_sound(verify_keyshares(reading)) or len(reading.file.shares) != 1:
            raise self._damaged()
        return reading.file.shares[0]

    def _damaged(self) -> InputError:
        return InputError(
            f"{self.path} holds a damaged entry",
            code="journal_damaged",
            hint="Delete it to start anew; nothing else is lost.",
        )

    def _append(self, record: dict[str, object]) -> None:
        with self._storage_errors():
            data = memoryview(json.dumps(record).encode() + b"\n")
            while data:
                data = data[os.write(self._descriptor, data) :]

    @contextmanager
    def _storage_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as problem:
            raise StorageError(
                f"cannot use the journal {self.path}: {problem.strerror or problem}",
                hint="Check free space and permissions.",
            ) from problem


def _decode(line: bytes) -> dict[str, object]:
    try:
        return read_json(
            line, dict[str, object], source="", limit_bytes=FILE_MAX_BYTES, code="journal_damaged"
        )
    except InputError:
        return {}
