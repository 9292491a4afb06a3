"""Processor time of processes of this machine, by their ids."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import psycopg

_TICK_S: Final = 1 / os.sysconf("SC_CLK_TCK")
_PROC: Final = Path("/proc")


def spent_s(processes: Iterable[int]) -> dict[int, float]:
    """What each of those that still run has used so far."""
    found = {}
    for process in processes:
        fields = _fields(process)
        if fields is not None:
            found[process] = (int(fields[11]) + int(fields[12])) * _TICK_S
    return found


def used_s(before: Mapping[int, float], after: Mapping[int, float]) -> float:
    """What was used between two looks, also by those that began in between."""
    return sum(seconds - before.get(process, 0.0) for process, seconds in after.items())


def with_children(process: int) -> list[int]:
    """A process and those that it started."""
    found = [process]
    for entry in _PROC.iterdir():
        if entry.name.isdecimal():
            fields = _fields(int(entry.name))
            if fields is not None and int(fields[1]) == process:
                found.append(int(entry.name))
    return found


def of_postgres(url: str) -> list[int]:
    """All processes of a server, if it runs on this machine and lets us see it."""
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT pid FROM pg_stat_activity").fetchall()
    return [pid for (pid,) in rows if _name(pid).startswith("postgres")]


def _name(process: int) -> str:
    try:
        return (_PROC / str(process) / "comm").read_text()
    except OSError:
        return ""


def _fields(process: int) -> list[str] | None:
    """Of its `stat`, from the state on; None if it is gone."""
    try:
        return (_PROC / str(process) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
