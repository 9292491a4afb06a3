"""The lease's file on a disk that all instances share: read and replaced under its lock.

Every look opens the file anew and holds its lock, because network file systems promise the latest
content only then. The lock is of the open file, so that the end of the process gives it free. One
that cannot be had at once is not waited for.

Source: flock(2); nfs(5), "Data and metadata coherence".
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from operator_node.lease.terms import ENTRY_BYTES
from sdk.errors import StorageError
from sdk.files import PRIVATE_MODE


class LockedFile:
    """The open file; its content cannot change meanwhile."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def read(self) -> bytes:
        """All of it, and a byte more than an entry has at most."""
        return os.pread(self._descriptor, ENTRY_BYTES + 1, 0)

    def write(self, content: bytes) -> None:
        """Replaces the content; it is on the disk when this returns."""
        os.pwrite(self._descriptor, content, 0)
        os.fsync(self._descriptor)


class SharedFile:
    """One file for all instances of an operator."""

    def __init__(self, path: Path) -> None:
        """Touches nothing.

        Args:
            path: on the shared disk; its folder is there already.
        """
        self.path = path

    @contextmanager
    def locked(self) -> Iterator[LockedFile | None]:
        """The file, made if there is none; None while another instance has its lock.

        Raises:
            StorageError: `lease_unreachable`, the disk does not work; also from reading and
                writing inside.
        """
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_MODE)
            try:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    yield None
                else:
                    yield LockedFile(descriptor)
            finally:
                os.close(descriptor)
        except OSError as problem:
            raise StorageError(
                f"the lease's file {self.path} cannot be used: {problem.strerror or problem}",
                code="lease_unreachable",
                hint="Check that the shared disk is mounted, writable and not full.",
            ) from problem
