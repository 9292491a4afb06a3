"""A server that nobody could end is ended; any other process is left alone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.devnet import postgres
from deploy.devnet.postgres import end_left_postgres

OBEYS = "import signal; print(1, flush=True); signal.pause()"
IGNORES = f"import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); {OBEYS}"


@contextmanager
def server(folder: Path, script: str) -> Iterator[subprocess.Popen[str]]:
    """A process that works in the folder, in the place of a server."""
    with subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "1\n"
        try:
            yield process
        finally:
            process.kill()


def named(data: Path, pid: object) -> Path:
    data.mkdir(exist_ok=True)
    (data / "postmaster.pid").write_text(f"{pid}\n{data}\n")
    return data


@pytest.mark.parametrize("script", [OBEYS, IGNORES])
def test_left_server_is_ended_whatever_it_does_about_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    monkeypatch.setattr(postgres, "PATIENCE_S", 0.2)
    with server(tmp_path, script) as process:
        assert end_left_postgres(named(tmp_path, process.pid))
        assert process.wait() != 0


@pytest.mark.parametrize("pid", ["", "x", "-1", "99999999", "1" * 40])
def test_number_that_is_no_process_is_no_server(tmp_path: Path, pid: str) -> None:
    assert not end_left_postgres(named(tmp_path, pid))
    assert not end_left_postgres(tmp_path / "nothing")


def test_process_that_has_the_number_by_chance_is_left_alone(tmp_path: Path) -> None:
    with server(tmp_path, OBEYS) as process:
        assert not end_left_postgres(named(tmp_path / "data", process.pid))
        assert process.poll() is None
