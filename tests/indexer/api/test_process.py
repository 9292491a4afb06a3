"""The API as processes of its own: beside each other on one database or one address."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.indexer.api.processes import process
from tests.indexer.api.world import Api

pytestmark = pytest.mark.slow
PATIENCE_S = 60


def wait_until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def others(first: subprocess.Popen[str]) -> list[int]:
    """The serving processes that one has started."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and is_running(int(entry.name)):
            parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
            if int(parent) == first.pid and b"spawn_main" in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return found


def is_running(number: int) -> bool:
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


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


def test_several_processes_answer_at_one_address(api: Api) -> None:
    with process("--database", api.url, "--processes", "3") as (address, running):
        beside = others(running)
        assert len(beside) == 2
        seen: set[str] = set()

        def all_seen() -> bool:
            # Each question comes over a new connection, which any of them may take.
            answer = httpx.get(f"{address}/v1/network")
            assert answer.json() == api.get("/v1/network")
            text = httpx.get(f"{address}/metrics").text
            seen.update(re.findall(r'api_indexed_block{process="(\d)"}', text))
            return seen == {"0", "1", "2"}

        wait_until(all_seen)
        running.send_signal(signal.SIGTERM)
        assert running.wait(PATIENCE_S) == 0
        assert not any(map(is_running, beside))


def test_all_end_if_one_of_them_does(api: Api) -> None:
    with process("--database", api.url, "--processes", "3") as (_, running):
        beside = others(running)
        os.kill(beside[0], signal.SIGKILL)
        assert running.wait(PATIENCE_S) != 0
        assert running.stderr is not None
        assert "ended with code -9" in running.stderr.read()
        assert not any(map(is_running, beside))


def test_the_others_end_if_the_first_one_is_killed(api: Api) -> None:
    with process("--database", api.url, "--processes", "2") as (_, running):
        beside = others(running)
        running.kill()
        wait_until(lambda: not any(map(is_running, beside)))
