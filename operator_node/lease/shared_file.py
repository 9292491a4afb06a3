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
from typing import Final

from operator_node.lease.terms import ENTRY_BYTES
from sdk.errors import StorageError

_NOT_THERE: Final = (
    "Check that the shared disk is mounted. If there was never a lease, make the file once, empty, "
    "on that disk: install -m 600 /dev/null with its path."
)
_NOT_WORKING: Final = "Check that the shared disk is mounted, writable and not full."


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
            path: on the shared disk, where the operator made it once, empty.
        """
        self.path = path

    @contextmanager
    def locked(self) -> Iterator[LockedFile | None]:
        """The open file; None while another instance has its lock.

        It is never made here: without the shared disk that would be a file of this machine alone.

        Raises:
            StorageError: `lease_unreachable`, the disk does not work, or has no such file; also
                from reading and writing inside.
        """
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
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
                hint=_NOT_THERE if isinstance(problem, FileNotFoundError) else _NOT_WORKING,
            ) from problem
