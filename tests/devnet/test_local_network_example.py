"""The example of a whole network runs, and its operators' duties are in the beacon chain."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import trio

from examples import local_network

pytestmark = [pytest.mark.toolchain, pytest.mark.slow]

LAST_SLOT = 9


def test_example_shows_a_network_that_does_its_duties(capsys: pytest.CaptureFixture[str]) -> None:
    # Not below pytest's folder: a root user's Postgres runs as another user, who must get there.
    with TemporaryDirectory(prefix="phalanx-test-") as name:
        trio.run(lambda: local_network.main(Path(name), last_slot=LAST_SLOT))
    told = capsys.readouterr().out
    assert len(re.findall(r"^operator [1-4]: http://127\.0\.0\.1:\d+, \w+$", told, re.M)) == 4
    assert len(re.findall(r"^beacon node http://", told, re.M)) == 2
    assert re.search(r"^API and explorer http://\S+: 8 validators$", told, re.M)
    judged = re.search(rf"^slots 8 to {LAST_SLOT}: (\d+) of (\d+) duties in the chain$", told, re.M)
    assert judged
    done, due = map(int, judged.groups())
    assert due > 0
    # Two slots have a vote of about two of the eight validators; the first may come too early.
    assert done > 0
