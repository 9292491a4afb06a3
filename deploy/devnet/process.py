"""One process of the local network: started, watched, stopped, and started again on request.

Its output goes to a file, and the end of that file into the error when it ends unasked. Never reads
what a process says, and never ends one that it did not start.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import trio

from sdk.errors import NetworkError

PATIENCE_S: Final = 5.0
"""After SIGTERM. Lodestar closes ports and database at once, but its process stays for good."""
KILL_S: Final = 30.0
"""The kernel needs milliseconds, unless the disk hangs."""
POLL_S: Final = 0.1
TAIL_LINES: Final = 15
TAIL_BYTES: Final = 8_192
"""What is read from the end of a log, however long it has become."""

_SETPRIV = shutil.which("setpriv")
# Where it is there (Linux), the kernel ends the process when this one is killed.
_DIE_WITH_US = (_SETPRIV, "--pdeathsig", "KILL") if _SETPRIV else ()


class ProcessEnded(NetworkError):
    """A process of the network ended although nobody stopped it; `data` names it and its log."""

    default_code = "process_ended"


class Child:
    """A process that this one starts.

    Args:
        name: for people, such as `lodestar 1`.
        command: program and arguments; they hold no secrets, since every user can read them.
        folder: its working directory, made if it is missing; the log is `folder/name.log`.
        environment: all of its variables; those of this process if None.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        folder: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.folder = folder
        self.log = folder / f"{name.replace(' ', '-')}.log"
        self._command = [*_DIE_WITH_US, *map(str, command)]
        self._environment = dict(os.environ if environment is None else environment)
        self._process: subprocess.Popen[bytes] | None = None
        self._is_wanted = False

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self._process.pid if self._process and self.is_running else None

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it, in this thread: the kernel's promise above holds for the thread that starts.

        Raises:
            NetworkError: it runs already, or there is no such program.
        """
        if self.is_running:
            raise NetworkError(f"{self.name} is running already", code="already_running")
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(  # noqa: S603 - no shell, our own arguments
                    self._command,
                    cwd=self.folder,
                    env=self._environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # Ctrl-C is ours to handle; it gets SIGTERM
                )
        except OSError as problem:
            raise NetworkError(
                f"{self.name} does not start: {problem.strerror}", hint="Run `make setup`."
            ) from problem
        self._is_wanted = True

    async def stop(self, *, patience_s: float = PATIENCE_S) -> None:
        """End it: SIGTERM, then SIGKILL. Returns when the process is gone, even if cancelled."""
        self._is_wanted = False
        process = self._process
        if process is None or process.poll() is not None:
            return
        with trio.CancelScope(shield=True):
            if patience_s > 0:
                process.terminate()
                await trio.to_thread.run_sync(_wait, process, patience_s)
            process.kill()
            await trio.to_thread.run_sync(_wait, process, KILL_S)

    async def kill(self) -> None:
        """End it with SIGKILL, as a crash would."""
        await self.stop(patience_s=0)

    def check(self) -> None:
        """Return if it runs, or was stopped by us.

        Raises:
            ProcessEnded: it ended by itself.
        """
        if self._process is None or not self._is_wanted:
            return
        code = self._process.poll()
        if code is not None:
            raise ProcessEnded(
                f"{self.name} ended with {code}. The end of its log:\n{self.tail()}",
                hint=f"All of it is in {self.log}.",
                data={"name": self.name, "code": code, "log": str(self.log)},
            )

    async def watch(self) -> None:
        """Never returns.

        Raises:
            ProcessEnded: it ended by itself.
        """
        while True:
            self.check()
            await trio.sleep(POLL_S)

    def tail(self) -> str:
        """The last lines of its log, indented."""
        if not self.log.exists():
            return "    (no log)"
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - TAIL_BYTES))
            lines = log.read().decode(errors="replace").splitlines()
        return "\n".join(f"    {line}" for line in lines[-TAIL_LINES:]) or "    (empty)"


async def stop_all(children: Sequence[Child]) -> None:
    """End all of them at once, since each takes seconds; returns when they are gone."""
    with trio.CancelScope(shield=True):
        async with trio.open_nursery() as nursery:
            for child in children:
                nursery.start_soon(child.stop)


def _wait(process: subprocess.Popen[bytes], seconds: float) -> None:
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
