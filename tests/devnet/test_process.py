"""Processes of the local network: their end, asked for or not, and their ports."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest
import trio

from deploy.devnet.ending import why_it_ended
from deploy.devnet.ports import RANGE, SPAN, PortPlan, free_ports
from deploy.devnet.process import Child, ProcessEnded, stop_all
from sdk.errors import ConfigError, NetworkError
from tests.devnet.bases import OWN_BASE

DEADLINE_S = 20.0
SAYS_AND_FAILS = "print('what went wrong', flush=True); raise SystemExit(3)"
WAITS = "import time; print('ready', flush=True); time.sleep(600)"
IGNORES_TERM = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('ready', flush=True); time.sleep(600)"
)


def child(folder: Path, script: str) -> Child:
    return Child("part 1", [sys.executable, "-c", script], folder=folder / "part")


async def said_ready(part: Child) -> None:
    """Return once the process has said so in its log."""
    with trio.fail_after(DEADLINE_S):
        while "ready" not in part.tail():
            await trio.lowlevel.checkpoint()


def test_end_that_nobody_asked_for_is_told_with_name_code_and_log(tmp_path: Path) -> None:
    part = child(tmp_path, SAYS_AND_FAILS)

    async def main() -> None:
        part.start()
        with trio.fail_after(DEADLINE_S):
            await part.watch()

    with pytest.raises(ProcessEnded, match="part 1 ended with 3") as caught:
        trio.run(main)
    assert "what went wrong" in caught.value.message
    assert caught.value.data == {"name": "part 1", "code": 3, "log": str(part.log)}
    assert part.log == tmp_path / "part/part-1.log"


@pytest.mark.parametrize(("script", "patience_s"), [(WAITS, 20.0), (IGNORES_TERM, 0.1)])
def test_stopped_process_is_gone_whatever_it_does_about_it(
    tmp_path: Path, script: str, patience_s: float
) -> None:
    part = child(tmp_path, script)

    async def main() -> int | None:
        part.start()
        await said_ready(part)
        pid = part.pid
        await part.stop(patience_s=patience_s)
        part.check()
        return pid

    pid = trio.run(main)
    assert pid is not None
    assert not Path(f"/proc/{pid}").exists()
    assert not part.is_running
    assert part.pid is None


def test_process_is_stopped_even_if_whoever_stops_it_is_cancelled(tmp_path: Path) -> None:
    part = child(tmp_path, WAITS)

    async def main() -> None:
        part.start()
        await said_ready(part)
        with trio.CancelScope() as scope:
            scope.cancel()
            await part.stop()

    trio.run(main)
    assert not part.is_running


def test_stopped_process_starts_again_and_keeps_its_log(tmp_path: Path) -> None:
    part = child(tmp_path, WAITS)

    async def main() -> None:
        part.start()
        with pytest.raises(NetworkError, match="running already"):
            part.start()
        await said_ready(part)
        await part.kill()
        part.start()
        with trio.fail_after(DEADLINE_S):
            while part.log.read_text() != "ready\nready\n":
                await trio.lowlevel.checkpoint()
        await part.kill()

    trio.run(main)
    assert part.tail() == "    ready\n    ready"


def test_program_that_is_not_there_is_told(tmp_path: Path) -> None:
    part = Child("part 1", [tmp_path / "nothing"], folder=tmp_path)
    part._command = [str(tmp_path / "nothing")]  # as on a machine without setpriv
    with pytest.raises(NetworkError, match="part 1 does not start"):
        part.start()


def test_ports_are_distinct_and_below_those_of_outgoing_connections() -> None:
    found = free_ports(20)
    assert len(set(found)) == 20
    assert all(port in RANGE for port in found)


def test_several_are_stopped_at_once(tmp_path: Path) -> None:
    parts = [child(tmp_path / str(number), WAITS) for number in range(3)]

    async def main() -> None:
        for part in parts:
            part.start()
        await stop_all(parts)

    trio.run(main)
    assert not any(part.is_running for part in parts)


def test_end_of_a_part_says_more_than_what_followed_from_it() -> None:
    ended, followed = ProcessEnded("anvil ended with 1"), NetworkError("no answer")
    nested = BaseExceptionGroup("", [followed, BaseExceptionGroup("", [ended])])
    assert why_it_ended(nested) is ended
    assert why_it_ended(BaseExceptionGroup("", [followed])) is followed
    assert why_it_ended(followed) is followed


def test_ports_of_a_plan_are_distinct_and_within_its_span() -> None:
    plan = PortPlan(20_000)
    ports = [plan.chain, plan.indexer, *plan.beacons(2), *plan.operators(13)]
    assert len(set(ports)) == len(ports) == 2 + 4 + 39
    assert min(ports) == 20_000
    assert max(ports) < 20_000 + SPAN
    assert plan == PortPlan(20_000)


def test_taken_port_of_a_plan_is_named() -> None:
    plan = PortPlan(OWN_BASE)
    plan.refuse_taken(beacons=0, operators=0)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", plan.indexer))
        taken.listen()
        with pytest.raises(NetworkError) as caught:
            plan.refuse_taken(beacons=0, operators=0)
    assert caught.value.data == {"ports": [plan.indexer]}


@pytest.mark.parametrize("base", [0, 1_023, RANGE.stop - SPAN + 1, 65_000])
def test_base_without_room_is_refused(base: int) -> None:
    with pytest.raises(ConfigError):
        PortPlan(base)
