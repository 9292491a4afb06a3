"""Ends an indexer's own Postgres that is left when the indexer was killed.

Otherwise the indexer ends it itself. Never touches a server of another folder.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

PATIENCE_S: Final = 10.0
"""After SIGINT, which lets it close its files; then it is killed."""
POLL_S: Final = 0.05
PID_DIGITS: Final = 10


def end_left_postgres(data: Path) -> bool:
    """Whether a server of this data folder was left; it is gone then. Blocks for a while."""
    pid = _server_of(data)
    if pid is None:
        return False
    deadline = time.monotonic() + PATIENCE_S
    number = signal.SIGINT
    with suppress(ProcessLookupError):
        os.kill(pid, number)
        while _server_of(data) == pid:
            time.sleep(POLL_S)
            if time.monotonic() > deadline and number is not signal.SIGKILL:
                number = signal.SIGKILL
                os.kill(pid, number)
    return True


def _server_of(data: Path) -> int | None:
    """The process that its file names, if that lives and works in this folder."""
    try:
        first = (data / "postmaster.pid").read_text().partition("\n")[0]
        if not first.isdigit() or len(first) > PID_DIGITS:
            return None
        # A number may be another process's by now.
        is_its = Path(f"/proc/{first}/cwd").readlink() == data.resolve()
    except OSError:
        return None
    return int(first) if is_its else None
