"""A kill in the simulation leaves a record on disk that the next life goes on with."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import pytest

from operator_node.testing.faults import slot_start_ms
from operator_node.testing.killing import FIRST_SLOT, killed_plan
from operator_node.testing.schedules import SLOTS
from tests.chaos.simulated_kills import kill_once


@pytest.mark.parametrize("seed", range(1, 6))
def test_a_kill_leaves_a_sound_record_and_costs_a_slot_at_most(seed: int, tmp_path: Path) -> None:
    found = kill_once(seed, tmp_path / "run")
    assert found.inconsistencies == ()
    assert found.violations == ()
    assert found.missed_slots <= 1
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["safety.sqlite-wal", "safety.sqlite.sequence"])
def test_a_record_of_which_a_kill_loses_a_file_is_told(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaging(source: Path, target: Path) -> Path:
        copytree(source, target)
        content = (target / name).read_bytes()
        (target / name).write_bytes(bytes(len(content)) if "sequence" not in name else b"")
        return target

    monkeypatch.setattr("tests.chaos.simulated_kills.shutil.copytree", damaging)
    assert kill_once(1, tmp_path / "run").inconsistencies


def test_kills_of_seeds_are_spread_over_operators_and_instants() -> None:
    crashes = [killed_plan(seed).crashes[0] for seed in range(200)]
    assert {each.operator for each in crashes} == {1, 2, 3, 4}
    slots = {each.from_ms // slot_start_ms(1) for each in crashes}
    assert slots == set(range(FIRST_SLOT, FIRST_SLOT + SLOTS))
    assert len({each.from_ms for each in crashes}) > 190
    assert killed_plan(7) == killed_plan(7)
