"""Every fault can still be made in the sources as they are; none is made here."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutants.patches import FAMILIES, Mutant, UnusablePatch, all_mutants, apply, read

LEAST = 42
LEAST_SIMULATED = 12
MUTANTS = all_mutants()


def test_there_are_faults_for_every_family_of_tests() -> None:
    assert len(MUTANTS) >= LEAST
    assert {mutant.family for mutant in MUTANTS} == set(FAMILIES)


def test_the_checkers_of_the_simulation_are_shown_to_fail() -> None:
    assert sum(mutant.family == "simulation" for mutant in MUTANTS) >= LEAST_SIMULATED


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_patch_applies_to_the_sources_as_they_are(mutant: Mutant) -> None:
    apply(mutant, only_check=True)


def test_patch_without_its_head_is_refused(tmp_path: Path) -> None:
    bare = tmp_path / "bare.patch"
    bare.write_text(MUTANTS[0].path.read_text().split("\n\n", 1)[1])
    with pytest.raises(UnusablePatch, match="Fault: and Caught by:"):
        read(bare)


def test_patch_that_changes_text_which_is_gone_is_refused(tmp_path: Path) -> None:
    text = MUTANTS[0].path.read_text()
    removed = next(line for line in text.splitlines() if line[:1] == "-" and line[:3] != "---")
    stale = tmp_path / "stale.patch"
    stale.write_text(text.replace(removed, "-  a line that no source has"))
    with pytest.raises(UnusablePatch, match="does not apply any more"):
        apply(read(stale), only_check=True)
