"""What the faults are made of does what it says: the wrong clock, the liar, eyes on processes."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import pytest
import trio

from deploy.devnet.process import Child
from operator_node.session import Send
from operator_node.testing.faults import Lie
from operator_node.testing.mouth import enclose
from operator_node.wire.codec import decode_consensus, decode_signed
from operator_node.wire.committee import Committee
from operator_node.wire.generations import Generation
from operator_node.wire.ids import MESSAGE_ID_BYTES
from operator_node.wire.messages import ConsensusKind, ConsensusMessage
from sdk.types import OperatorId
from tests.chaos.liar import Tongue
from tests.chaos.skewed import turn_clock
from tests.chaos.watching import memory_of, processes_of

COMMITTEE = Committee(tuple(OperatorId(each) for each in (1, 2, 3, 4)))
ME = OperatorId(4)
ROOT = bytes(32)
PATIENCE_S = 20


class Key:
    def sign(self, data: bytes, /) -> bytes:
        return sha256(data).digest() * 8


def prepare() -> Send:
    body = ConsensusMessage(
        kind=ConsensusKind.PREPARE,
        height=35,
        round=1,
        identifier=bytes(MESSAGE_ID_BYTES),
        root=ROOT,
    )
    return Send(enclose(body))


def roots(tongue: Tongue) -> list[bytes]:
    true = tongue.seal(prepare(), ME, Key())
    letters = tongue.letters("topic", true)
    said = [decode_signed(each.data, Generation.BOOLE) for each in letters]
    return [decode_consensus(each.message.data).root for each in said]


def test_a_liar_without_habits_says_what_is_true() -> None:
    assert roots(Tongue(frozenset(), COMMITTEE, 0)) == [ROOT]


def test_a_liar_votes_for_two_values_under_its_own_signature() -> None:
    told = roots(Tongue(frozenset({Lie.TWO_VOTES}), COMMITTEE, 0))
    assert len(told) == 2
    assert len(set(told)) == 2
    assert told[0] == ROOT


def test_a_flood_comes_with_each_message() -> None:
    tongue = Tongue(frozenset(), COMMITTEE, 10)
    true = tongue.seal(prepare(), ME, Key())
    letters = tongue.letters("topic", true)
    assert len(letters) == 11
    assert len({each.data for each in letters}) == 11
    assert {each.topic for each in letters} == {"topic"}


@pytest.mark.parametrize("seconds", [-100.0, 100.0])
def test_a_turned_clock_is_off_by_so_much(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    true_s, true_ns = time.time, time.time_ns
    monkeypatch.setattr(time, "time", true_s)  # both are put back after the test
    monkeypatch.setattr(time, "time_ns", true_ns)
    turn_clock(seconds)
    assert time.time() - true_s() == pytest.approx(seconds, abs=10)
    assert (time.time_ns() - true_ns()) / 1e9 == pytest.approx(seconds, abs=10)


def test_a_process_is_measured_with_those_that_it_starts(tmp_path: Path) -> None:
    wait = "import time; time.sleep(60)"
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {wait!r}])"
    child = Child("family", [sys.executable, "-c", program], folder=tmp_path)

    async def main() -> None:
        child.start()
        try:
            with trio.fail_after(PATIENCE_S):
                while len(processes_of(child)) < 2:  # noqa: ASYNC110  nothing tells when
                    await trio.sleep(0.05)
            assert child.pid is not None
            memory = memory_of([child])
            assert memory.mib[child.pid] > 5
        finally:
            family = processes_of(child)
            await child.kill()
            for pid in family:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    trio.run(main)
    assert memory_of([child]).mib == {}
