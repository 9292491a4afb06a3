"""The folder of a network for developers: who holds it, what it says of itself, what it leaves.

    network.json   the network for programs, while it starts, runs, and after its end
    network.env    addresses as shell variables
    run/           the parts' own files, made anew at each start
    up.log         what a detached network says

One process holds the folder by a lock that its end releases, whatever ends it.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from deploy.devnet.postgres import end_left_postgres
from sdk.errors import StorageError, UsageError
from sdk.files import make_private_folder, read_bounded, write_private

FACTS_BYTES: Final = 4_000_000
"""Of `network.json`: some hundred bytes for each of a few hundred validators and parts."""
PID_BYTES: Final = 20


class Home:
    """One such folder.

    Args:
        folder: made when a network starts in it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.run = self.folder / "run"
        self.facts = self.folder / "network.json"
        self.environment = self.folder / "network.env"
        self.log = self.folder / "up.log"
        self._lock = self.folder / "network.lock"

    @contextmanager
    def held(self) -> Iterator[None]:
        """The folder is this process's, and what an earlier network left in it is gone.

        Raises:
            UsageError: `network_running`, another process holds it; or something else is in it.
        """
        make_private_folder(self.folder)
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UsageError(
                    f"a network runs in {self.folder} already",
                    code="network_running",
                    hint="End it with `down`, or name another folder and other ports.",
                ) from None
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
            self._clear()
            yield
        finally:
            os.close(descriptor)

    def holder(self) -> int | None:
        """The process whose network runs here, if one does."""
        try:
            descriptor = os.open(self._lock, os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            text = os.pread(descriptor, PID_BYTES, 0)
            return int(text) if text.isdigit() else None
        finally:
            os.close(descriptor)
        return None

    def write(self, facts: Mapping[str, Any]) -> None:
        """Say of the network what it is now."""
        write_private(self.facts, json.dumps(facts, indent=2).encode() + b"\n", overwrite=True)

    def read(self) -> dict[str, Any]:
        """What the network said last.

        Raises:
            UsageError: `no_network`, none was ever started here.
            StorageError: the file is damaged.
        """
        if not self.facts.is_file():
            raise UsageError(
                f"no network was started in {self.folder}",
                code="no_network",
                hint="Start one with `up`, or name its folder with --dir.",
            )
        try:
            found = json.loads(read_bounded(self.facts, limit_bytes=FACTS_BYTES))
        except ValueError as problem:
            raise StorageError(f"{self.facts} is damaged: {problem}") from problem
        return dict(found)

    def _clear(self) -> None:
        """Only what networks make is removed; other files stay."""
        self.facts.unlink(missing_ok=True)
        self.environment.unlink(missing_ok=True)
        end_left_postgres(self.run / "indexer/data")
        if self.run.exists():
            shutil.rmtree(self.run)
