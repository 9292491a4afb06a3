"""The API as processes of its own: two beside each other on one database, ended by a signal."""

from __future__ import annotations

import signal
from contextlib import ExitStack

import httpx
import pytest

from tests.indexer.api.processes import process
from tests.indexer.api.world import Api

pytestmark = pytest.mark.slow
PATIENCE_S = 60


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
