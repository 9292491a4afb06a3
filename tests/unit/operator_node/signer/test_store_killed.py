"""kill -9 while the record is written: what was said to be recorded is recorded, and whole."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.operator_node.signer.disk import open_store, records_of
from tests.unit.operator_node.signer.guards import SHARE, VALIDATOR, block, vote

WRITER = "tests.unit.operator_node.signer.writing"
KILLS = 25
SAID_AT_MOST = 60
"""Lines read before a kill; the next record is then somewhere on its way."""


@pytest.mark.slow
def test_record_survives_kills_at_any_instant(tmp_path: Path) -> None:
    chance = random.Random(3)
    said = [0]
    for _ in range(KILLS):
        writer = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.unit.operator_node.signer.writing",
                tmp_path,
                str(said[-1]),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert writer.stdout is not None
        with writer:
            said += [int(writer.stdout.readline()) for _ in range(chance.randint(1, SAID_AT_MOST))]
            writer.send_signal(signal.SIGKILL)
            rest = writer.stdout.read().splitlines(keepends=True)
        said += [int(line) for line in rest if line.endswith("\n")]
        assert writer.returncode == -signal.SIGKILL
        with open_store(tmp_path) as store:
            assert not store.needs_arming
            history = records_of(store).histories[SHARE]
            assert records_of(store).histories[VALIDATOR] == history
        votes, blocks = history.attestations, history.blocks
        # A last one may have become durable without being said.
        recorded = [int(entry.slot) for entry in blocks.entries]
        assert [int(entry.target_epoch) for entry in votes.entries] == recorded
        known = set(recorded)
        assert all(number in known for number in said[1:] if number >= recorded[0])
        assert all(vote(0, number, number) in votes for number in recorded)
        assert all(block(number, number) in blocks for number in recorded)
        assert recorded[-1] - said[-1] in (0, 1)
        said.append(recorded[-1])


def test_a_second_process_does_not_get_the_record(tmp_path: Path) -> None:
    command = [sys.executable, "-m", WRITER, str(tmp_path), "0"]
    with open_store(tmp_path):
        second = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert second.returncode != 0
    assert second.stdout == ""
    assert "is in use" in second.stderr
