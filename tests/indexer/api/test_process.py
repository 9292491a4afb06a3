"""The API as processes of its own: two beside each other on one database, ended by a signal."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx
import pytest

from tests.indexer.api.world import Api

pytestmark = pytest.mark.slow
COMMAND = "from indexer.app import api; api()"
PORTS = range(22_000, 22_999)
PATIENCE_S = 60


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


def test_two_processes_answer_alike_and_end_when_told(api: Api) -> None:
    with ExitStack() as stack:
        first, one = stack.enter_context(process("--database", api.url))
        second, other = stack.enter_context(process("--database", api.url, "--burst", "60"))
        assert first != second
        for path in ("/v1/network", "/v1/clusters", "/v1/events?limit=3"):
            answers = [httpx.get(f"{address}{path}") for address in (first, second)]
            assert [each.status_code for each in answers] == [200, 200]
            assert answers[0].headers["etag"] == answers[1].headers["etag"]
            assert answers[0].json() == answers[1].json() == api.ask(path).json()
        assert answers[1].headers["ratelimit-limit"] == "60"
        for running in (one, other):
            running.send_signal(signal.SIGTERM)
            assert running.wait(PATIENCE_S) == 0
