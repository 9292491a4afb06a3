"""A staker's folder and the console command."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.sdk.cli.running import Phalanx, Stake, make_stake


@pytest.fixture
def phalanx(capsys: pytest.CaptureFixture[str]) -> Phalanx:
    return Phalanx(capsys)


@pytest.fixture
def stake(tmp_path: Path) -> Stake:
    return make_stake(tmp_path)
