"""API processes of their own, for tests that need a real server."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

COMMAND = "from indexer.app import api; api()"
PORTS = range(22_000, 22_999)


@contextmanager
def process(*arguments: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """An API process and its address."""
    command = [sys.executable, "-c", COMMAND, *arguments, "--json"]
    port = next(each for each in PORTS if _is_free(each))
    with subprocess.Popen(
        [*command, "--listen", f"127.0.0.1:{port}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        try:
            assert running.stderr is not None
            yield json.loads(running.stderr.readline())["text"].rpartition(" ")[2], running
        finally:
            running.kill()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
