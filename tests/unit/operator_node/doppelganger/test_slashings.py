"""Own validators that were slashed: one is left alone, two within an epoch stop everything."""

from __future__ import annotations

from pathlib import Path

import pytest

from operator_node.doppelganger import Slashings
from operator_node.doppelganger import slashings as module
from sdk.errors import StorageError
from sdk.types import PublicKey

FIRST, SECOND, THIRD = (PublicKey(bytes([number]) * 48) for number in (1, 2, 3))
EPOCH = 32


class Scene:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.begin()

    def begin(self) -> None:
        """A new life."""
        self.why = "not told"
        self.slashings = Slashings(self.path, slots_per_epoch=EPOCH, on_stop=self.hear)

    def hear(self, why: str) -> None:
        self.why = why


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path / "slashings.json")


def test_one_slashing_stops_that_validator_alone(scene: Scene) -> None:
    assert scene.why == ""
    scene.slashings.see([FIRST], slot=100)
    assert scene.slashings.is_slashed(FIRST)
    assert not scene.slashings.is_slashed(SECOND)
    assert scene.why == ""


@pytest.mark.parametrize(("later", "stops"), [(0, True), (EPOCH - 1, True), (EPOCH, False)])
def test_two_within_an_epoch_stop_everything(scene: Scene, later: int, stops: bool) -> None:
    scene.slashings.see([FIRST], slot=100)
    scene.slashings.see([SECOND], slot=100 + later)
    assert bool(scene.why) is stops


def test_two_at_once_do_too_and_the_same_one_twice_does_not(scene: Scene) -> None:
    scene.slashings.see([FIRST], slot=100)
    scene.slashings.see([FIRST], slot=101)
    assert scene.why == ""
    scene.slashings.see([SECOND, THIRD], slot=300)
    assert scene.why == "3 own validators were slashed, 2 of them within an epoch"


def test_a_restart_forgets_nothing(scene: Scene) -> None:
    scene.slashings.see([FIRST, SECOND], slot=100)
    scene.begin()
    assert "within an epoch" in scene.why
    assert scene.slashings.is_slashed(SECOND)


def test_a_person_ends_it(scene: Scene) -> None:
    scene.slashings.see([FIRST, SECOND], slot=100)
    assert scene.slashings.acknowledge() == 2
    assert scene.why == ""
    assert not scene.slashings.is_slashed(FIRST)
    scene.begin()
    assert (scene.why, len(scene.slashings)) == ("", 0)


def test_a_full_disk_does_not_keep_it_from_counting(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object, **__: object) -> None:
        raise StorageError("the disk is full")

    monkeypatch.setattr(module, "write_private", full)
    scene.slashings.see([FIRST, SECOND], slot=100)
    assert "within an epoch" in scene.why
    assert "could not be written" in caplog.text
    with pytest.raises(StorageError):
        scene.slashings.acknowledge()
    assert "within an epoch" in scene.why


def test_a_file_that_cannot_be_read_stops_everything_until_somebody_looks(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.path.write_bytes(b"[1]")
    scene.begin()
    assert scene.why
    assert "cannot be read" in caplog.text
    scene.slashings.acknowledge()
    assert scene.why == ""
    scene.begin()
    assert scene.why == ""
