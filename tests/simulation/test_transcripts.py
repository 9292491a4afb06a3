"""The textbook runs, line by line. `REWRITE=1` writes them anew; read the difference as prose."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from operator_node.testing import Report, StandIns, run
from tests.simulation.textbook import RUNS, WORDS

FOLDER = Path(__file__).parent / "transcripts"


def report_of(story: str) -> Report:
    return run(RUNS[story], StandIns(), with_transcript=True)


@pytest.mark.parametrize("story", RUNS)
def test_the_run_is_the_one_that_was_reviewed(story: str) -> None:
    report = report_of(story)
    assert report.transcript is not None
    text = f"{WORDS[story]}\n{report.transcript.text()}"
    path = FOLDER / f"{story.replace(' ', '-')}.txt"
    if os.environ.get("REWRITE"):
        path.write_text(text)
    assert text == path.read_text()


@pytest.mark.parametrize("story", RUNS)
def test_nothing_is_violated(story: str) -> None:
    assert report_of(story).violations == ()


@pytest.mark.parametrize("story", RUNS)
def test_the_duty_is_done(story: str) -> None:
    assert report_of(story).done == 1
