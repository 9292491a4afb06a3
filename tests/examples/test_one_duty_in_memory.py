"""The smallest whole duty does what its page says, and stays small."""

from __future__ import annotations

from pathlib import Path

import pytest

from examples import one_duty_in_memory

MOST_LINES = 60


def test_four_operators_send_the_same_attestation(capsys: pytest.CaptureFixture[str]) -> None:
    one_duty_in_memory.main()
    told = capsys.readouterr().out.splitlines()
    assert [line.split()[-1] for line in told[::2]] == ["done"] * 4
    assert [line.split(":")[0] for line in told[::2]] == [f"operator {me}" for me in (1, 2, 3, 4)]
    assert len({line.split()[-1] for line in told[1::2]}) == 1


def test_the_example_fits_on_a_screen() -> None:
    assert len(Path(one_duty_in_memory.__file__).read_text().splitlines()) < MOST_LINES
