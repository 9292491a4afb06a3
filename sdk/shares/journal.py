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
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Final

from sdk.errors import InputError, KeysharesError, StorageError, UsageError
from sdk.files import PRIVATE_MODE
from sdk.json_documents import read_json
from sdk.shares.consistency import Expected
from sdk.shares.keyshares_file import KeyShare, entry_json
from sdk.shares.keyshares_reader import FILE_MAX_BYTES, read_keyshares
from sdk.shares.split import Operator
from sdk.shares.verify import is_sound, verify_keyshares
from sdk.types import Address

_VERSION: Final = "v1.2.0"
_OPEN_FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK
"""Never through a link that somebody left, and never waiting for a pipe."""


class Journal:
    """Append-only record of finished entries, by keystore and nonce; one process at a time.

    Args:
        path: the journal's file; created with mode 0600 if absent.
        owner: the account all entries are for.
        operators: the operators all entries are for, ascending.

    Raises:
        UsageError: `journal_of_another_run`, `journal_in_use`, `not_a_journal` for a file of
            another kind, which is left as it is.
        InputError: `journal_damaged`.
        StorageError: the file cannot be opened or written.
    """

    def __init__(self, path: Path, *, owner: Address, operators: Sequence[Operator]) -> None:
        self.path = path
        self._expected = Expected(
            owner=owner, operators={each.id: each.public_key for each in operators}
        )
        self._ids = tuple(each.id for each in operators)
        self.finished: dict[tuple[str, int], KeyShare] = {}
        with self._storage_errors():
            self._descriptor = os.open(path, _OPEN_FLAGS, PRIVATE_MODE)
            try:
                self._lock()
                self._load(run_fingerprint(operators, owner))
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
        facts = os.fstat(self._descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise self._foreign()
        if facts.st_size > FILE_MAX_BYTES:
            raise self._damaged()
        with open(self._descriptor, "rb", closefd=False) as stream:
            data = stream.read()
        header = b'{"run": '
        if data[: len(header)] != header[: len(data)]:
            raise self._foreign()
        # What follows the last newline was being written when the power went: it is no entry.
        *whole, torn = data.split(b"\n")
        if len(whole) <= 1:
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
        if torn:
            os.ftruncate(self._descriptor, len(data) - len(torn))

    def _read_entry(self, record: dict[str, object]) -> KeyShare:
        document = {"version": _VERSION, "shares": [record.get("entry")]}
        try:
            reading = read_keyshares(json.dumps(document).encode())
        except KeysharesError:
            raise self._damaged() from None
        if not is_sound(verify_keyshares(reading, self._expected)):
            raise self._damaged()
        (share,) = reading.file.shares
        if share.operator_ids != self._ids:
            raise self._damaged()
        return share

    def _foreign(self) -> UsageError:
        return UsageError(
            f"{self.path} is no journal of ours",
            code="not_a_journal",
            hint="It was left as it is. Move it away, or write to another file.",
        )

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


def run_fingerprint(operators: Sequence[Operator], owner: Address) -> str:
    """Hex digest of what all entries of a run have in common."""
    digest = sha256(b"phalanx bulk split 1\0" + owner)
    for operator in sorted(operators, key=lambda operator: operator.id):
        digest.update(f"\0{operator.id}\0{operator.public_key.text}".encode())
    return digest.hexdigest()


def _decode(line: bytes) -> dict[str, object]:
    try:
        return read_json(
            line, dict[str, object], source="", limit_bytes=FILE_MAX_BYTES, code="journal_damaged"
        )
    except InputError:
        return {}
