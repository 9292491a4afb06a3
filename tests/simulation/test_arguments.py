"""The simulation's command refuses what would run nothing."""

from __future__ import annotations

import sys

import pytest

from tests.simulation.__main__ import main


@pytest.mark.parametrize(
    ("words", "low"),
    [
        (("--seeds", "0"), 1),
        (("--seeds", "-3"), 1),
        (("--seeds", "many"), 1),
        (("--seed", "-1"), 0),
        (("--processes", "0"), 1),
    ],
)
def test_numbers_too_small_are_wrong_usage(
    words: tuple[str, str],
    low: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["simulation", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    told = f"argument {words[0]}: '{words[1]}' is no whole number from {low} up"
    assert told in capsys.readouterr().err
