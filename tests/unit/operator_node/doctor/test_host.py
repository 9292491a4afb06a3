"""The machine is measured; nothing is left behind."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from operator_node.doctor import host
from operator_node.doctor.checks import Verdict


def test_everything_about_the_machine_is_found_and_nothing_is_left(tmp_path: Path) -> None:
    found = {check.name: check for check in host.check_host(tmp_path / "data" / "db")}
    assert list(found) == [
        "durable write",
        "free disk",
        "processors",
        "BLS verification",
        "memory available",
        "clock kept",
    ]
    assert {check.part for check in found.values()} == {"host"}
    assert all(check.verdict is not Verdict.UNKNOWN for check in list(found.values())[:5])
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_poor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    (write, *_) = host.check_host(tmp_path)
    assert write.verdict is Verdict.POOR
    assert write.found == f"cannot write in {tmp_path}: Permission denied"
    assert "db.Path" in write.advice


def test_a_slow_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(10_000))
    monkeypatch.setattr("time.perf_counter", lambda: next(ticks) * 0.03)
    (write, *_) = host.check_host(tmp_path)
    assert (write.verdict, write.found) == (Verdict.POOR, "30 ms (p90)")
    assert write.limits == "5 / 25 ms"


def test_little_memory_is_told(tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 9000000 kB\nMemAvailable:  400000 kB\n")
    (found,) = host._memory(meminfo)
    assert found.verdict is Verdict.POOR
    assert host._memory(tmp_path / "none") == []


def test_a_port_in_use_is_poor() -> None:
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
        found = host.check_free_port("SSVAPIPort", port)
        assert found.verdict is Verdict.POOR
        assert found.found.startswith(f"{port} cannot be listened on: ")
        assert host.check_open_port("p2p.TcpPort", "127.0.0.1", port).verdict is Verdict.GOOD
    assert host.check_free_port("SSVAPIPort", port).verdict is Verdict.GOOD
    closed = host.check_open_port("p2p.TcpPort", "127.0.0.1", port)
    assert closed.verdict is Verdict.AVERAGE
    assert os.strerror(111) in closed.found
