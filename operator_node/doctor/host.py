"""The machine: disk, processor, memory, clock and ports, measured within seconds.

Shell; every function blocks and belongs into a worker thread. It writes one temporary file into the
data folder, or into the nearest folder above that there is, and removes it.

Source: docs/run-a-node.md, "Before you trust it with money"; adjtimex(2).
"""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import tempfile
import time
from pathlib import Path
from typing import Final

from operator_node.doctor.checks import Check, Verdict, at_least, at_most, yes_or_no
from sdk.crypto import bls
from sdk.crypto.secret import SecretKey

HOST: Final = "host"
WRITES: Final = 40
"""As many durable writes as a busy minute of a large operator has."""
WRITE_BYTES: Final = 4096
VERIFICATIONS: Final = 10
CONNECT_S: Final = 3.0
_GB: Final = 10**9
_ERROR: Final = 5
"""TIME_ERROR of adjtimex: no daemon keeps the clock."""
_TIMEX_BYTES: Final = 512
"""More than any Linux's struct timex has."""


def check_host(data_folder: Path) -> list[Check]:
    """Everything about the machine but its ports."""
    folder = _nearest(data_folder)
    return [
        _disk(folder),
        _space(folder),
        _cores(),
        _signatures(),
        *_memory(Path("/proc/meminfo")),
        *_clock(),
    ]


def _nearest(folder: Path) -> Path:
    found = folder.absolute()
    while not found.is_dir():
        found = found.parent
    return found


def _disk(folder: Path) -> Check:
    name = "durable write"
    took = []
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            for _ in range(WRITES):
                began = time.perf_counter()
                os.write(file.fileno(), bytes(WRITE_BYTES))
                os.fsync(file.fileno())
                took.append(1000 * (time.perf_counter() - began))
    except OSError as problem:
        return Check(
            HOST,
            name,
            Verdict.POOR,
            f"cannot write in {folder}: {problem.strerror}",
            advice="Give the node's user a data folder (db.Path) that it can write.",
        )
    return at_most(
        HOST,
        name,
        sorted(took)[WRITES * 9 // 10],
        good=5,
        average=25,
        unit="ms (p90)",
        advice="Every vote waits for one: put the data folder on a local SSD.",
    )


def _space(folder: Path) -> Check:
    return at_least(
        HOST,
        "free disk",
        shutil.disk_usage(folder).free / _GB,
        good=20,
        average=2,
        unit="GB",
        advice="Free some; without room the slashing record cannot be written, and nothing is "
        "signed.",
    )


def _cores() -> Check:
    return at_least(
        HOST,
        "processors",
        len(os.sched_getaffinity(0)),
        good=2,
        average=1,
        unit="cores",
        advice="Give the node two; signatures are checked beside the event loop.",
    )


def _signatures() -> Check:
    secret, message = SecretKey(7), bytes(32)
    key, signature = bls.public_key(secret), bls.sign(secret, message)
    began = time.perf_counter()
    for _ in range(VERIFICATIONS):
        bls.verify(key, message, signature)
    return at_most(
        HOST,
        "BLS verification",
        1000 * (time.perf_counter() - began) / VERIFICATIONS,
        good=4,
        average=20,
        unit="ms",
        advice="A faster processor helps. If it takes 100 ms or more, the native library pyblst "
        "is missing, or PHALANX_BLS_BACKEND chooses another one.",
    )


def _memory(meminfo: Path) -> list[Check]:
    try:
        text = meminfo.read_text()
    except OSError:
        return []  # no Linux
    kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in text.splitlines() if line}
    return [
        at_least(
            HOST,
            "memory available",
            1024 * kilobytes.get("MemAvailable", 0) / _GB,
            good=1,
            average=0.5,
            unit="GB",
            advice="A node of 500 validators needs half a gigabyte, one of 3,000 twice as much.",
        )
    ]


def _clock() -> list[Check]:
    name = "clock kept"
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (AttributeError, OSError):
        return []  # no Linux
    if state < 0:
        return [Check(HOST, name, Verdict.UNKNOWN, "the system does not tell")]
    # A container's host may keep it by other means, so this alone is no failure.
    is_kept = state != _ERROR
    return [
        Check(
            HOST,
            name,
            Verdict.GOOD if is_kept else Verdict.AVERAGE,
            "by a time daemon" if is_kept else "no time daemon is known to the kernel",
            advice="Run chrony or another NTP daemon: 50 ms are all that peers grant.",
        )
    ]


def check_free_port(setting: str, port: int) -> Check:
    """Whether a port of a node that does not run could be listened on."""
    try:
        socket.create_server(("", port)).close()
    except OSError as problem:
        found = f"{port} cannot be listened on: {problem.strerror}"
        return yes_or_no("ports", setting, False, found, "Stop who has it, or choose another.")
    return yes_or_no("ports", setting, True, f"{port} is free", "")


def check_open_port(setting: str, host: str, port: int) -> Check:
    """Whether a running node's port is reached at the address that others are told."""
    try:
        socket.create_connection((host, port), timeout=CONNECT_S).close()
    except OSError as problem:
        return Check(
            "ports",
            setting,
            Verdict.AVERAGE,
            f"{host}:{port} is not reached from this machine: {problem.strerror or problem}",
            advice="Open it in firewall and router. Some routers do not let a machine reach itself "
            "by its public address: then try from elsewhere, `nc -vz HOST PORT`.",
        )
    return yes_or_no("ports", setting, True, f"{host}:{port} answers from this machine", "")
