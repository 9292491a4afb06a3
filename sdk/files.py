"""Writing files that must be whole, private and never replaced by accident; bounded reading.

A reader sees the complete new file or none. New files belong to the owner alone (0600).
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sdk.errors import InputError, StorageError, UsageError

PRIVATE_MODE: Final = 0o600
PRIVATE_FOLDER_MODE: Final = 0o700
_NO_FOLDER_SYNC: Final = (errno.EINVAL, errno.ENOTSUP)
_NO_HARD_LINKS: Final = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS)


def refuse_existing(path: Path, *, overwrite: bool = False) -> None:
    """Checks before long work that its result can be written.

    Raises:
        UsageError: `file_exists`, unless `overwrite`; `folder_missing`.
        StorageError: the system does not even let us look, or the name is too long.
    """
    with _storage_errors(path):
        exists, is_folder, has_folder = path.exists(), path.is_dir(), path.parent.is_dir()
    if is_folder:
        raise UsageError(
            f"{path} is a folder", code="file_exists", hint="Name a file, in that folder perhaps."
        )
    if exists and not overwrite:
        raise UsageError(
            f"{path} exists already",
            code="file_exists",
            hint="Choose another name, or say --overwrite.",
        )
    if not has_folder:
        raise UsageError(
            f"the folder {path.parent} does not exist", code="folder_missing", hint="Make it first."
        )


def write_private(path: Path, data: bytes, *, overwrite: bool = False) -> None:
    """Writes `data` to `path` at once, readable by the owner alone.

    Raises:
        UsageError: `file_exists`, unless `overwrite`; `folder_missing`.
        StorageError: the disk refused; nothing is left behind.
    """
    refuse_existing(path, overwrite=overwrite)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with _storage_errors(path):
        try:
            with open_private(temporary) as descriptor:
                _write_all(descriptor, data)
                os.fsync(descriptor)
            if overwrite:
                temporary.replace(path)
            else:
                _publish_new(temporary, path)
            sync_folder(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


def refuse_other_than_folder(path: Path) -> None:
    """Checks before long work that `path` is a folder or can become one.

    Raises:
        UsageError: `folder_missing`, something else has the name.
        StorageError: the system does not even let us look, or the name is too long.
    """
    with _storage_errors(path):
        if path.exists() and not path.is_dir():
            raise UsageError(f"{path} is no folder", code="folder_missing")


def make_private_folder(path: Path) -> None:
    """Makes the folder, for its owner alone, unless it is there; missing parents are made, too.

    Raises:
        UsageError: see `refuse_other_than_folder`.
        StorageError: the system refused.
    """
    refuse_other_than_folder(path)
    with _storage_errors(path):
        path.mkdir(mode=PRIVATE_FOLDER_MODE, parents=True, exist_ok=True)


@contextmanager
def open_private(path: Path) -> Iterator[int]:
    """A descriptor for a new file of mode 0600; fails if the name is taken."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_MODE)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def read_bounded(path: Path, *, limit_bytes: int) -> bytes:
    """The content of a file, one byte past the limit at most, so a parser can say it is too large.

    Raises:
        InputError: `file_unreadable`.
    """
    try:
        with path.open("rb") as stream:
            return stream.read(limit_bytes + 1)
    except OSError as problem:
        raise unreadable(path, problem) from problem


def unreadable(path: Path, problem: OSError) -> InputError:
    """The error for a file or folder the system does not let us read."""
    return InputError(
        f"cannot read {path}: {problem.strerror or problem}",
        code="file_unreadable",
        hint="Check the path and its permissions.",
    )


def sync_folder(folder: Path) -> None:
    """Makes the folder's new names survive a power cut, where the file system can do that."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as problem:
        if problem.errno not in _NO_FOLDER_SYNC:
            raise
    finally:
        os.close(descriptor)


def _publish_new(temporary: Path, path: Path) -> None:
    """Gives the finished file its name, unless another process was faster.

    A hard link cannot replace a file. Where there are none (FAT, as on most memory sticks), an
    empty file takes the name first, and for that moment a reader sees it empty.
    """
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise _appeared(path) from None
    except OSError as problem:
        if problem.errno not in _NO_HARD_LINKS:
            raise
        try:
            with open_private(path):
                temporary.replace(path)
        except FileExistsError:
            raise _appeared(path) from None


def _appeared(path: Path) -> UsageError:
    return UsageError(
        f"{path} appeared meanwhile",
        code="file_exists",
        hint="It was left as it is. Move it away and give the same command again.",
    )


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


@contextmanager
def _storage_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise StorageError(
            f"cannot write {path}: {problem.strerror or problem}",
            hint="Check free space and permissions; nothing was written.",
        ) from problem
