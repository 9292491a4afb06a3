"""A restart on the same machine with the same record is told from everything else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from operator_node.doppelganger import LastUse
from operator_node.doppelganger.last_use import BOOT_ID, RECENT_MS, TOUCH_MS

NOW = 1_700_000_000_000
NOTE, RECORD = "last-use.json", "safety.sqlite"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of a node that was in use."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / RECORD).write_bytes(b"record")
    (tmp_path / "boot").write_text("a name\n")
    last_use(folder).note(NOW)
    return folder


def last_use(folder: Path) -> LastUse:
    return LastUse(folder / NOTE, record=folder / RECORD, boot_id=folder.parent / "boot")


@pytest.mark.parametrize(
    ("later_ms", "is_recent"),
    [(0, True), (RECENT_MS - 1, True), (RECENT_MS, False), (-1, False)],
)
def test_an_hour_counts_as_recent(folder: Path, later_ms: int, is_recent: bool) -> None:
    assert last_use(folder).is_recent(NOW + later_ms) is is_recent


def test_a_copy_beside_it_is_not_the_same(folder: Path) -> None:
    copy = folder.with_name("copy")
    shutil.copytree(folder, copy)
    assert not last_use(copy).is_recent(NOW)
    folder.rename(folder.with_name("moved"))
    assert last_use(folder.with_name("moved")).is_recent(NOW)


def test_another_machine_is_not_the_same(folder: Path) -> None:
    (folder.parent / "boot").write_text("another name\n")
    assert not last_use(folder).is_recent(NOW)


def test_a_machine_without_a_name_is_not_the_same(folder: Path) -> None:
    (folder.parent / "boot").write_text("\n")
    last_use(folder).forget()
    last_use(folder).note(NOW)
    assert not (folder / NOTE).exists()
    (folder.parent / "boot").unlink()
    last_use(folder).note(NOW)
    assert not last_use(folder).is_recent(NOW)


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b"[" * 100])
def test_a_damaged_note_is_none(folder: Path, content: bytes) -> None:
    (folder / NOTE).write_bytes(content)
    assert not last_use(folder).is_recent(NOW)


def test_no_note_and_a_forgotten_one_are_not_recent(folder: Path) -> None:
    it = last_use(folder)
    it.forget()
    it.forget()
    assert not it.is_recent(NOW)


def test_the_note_is_written_once_a_minute(folder: Path) -> None:
    it = last_use(folder)
    it.note(NOW)
    it.note(NOW + TOUCH_MS - 1)
    assert not last_use(folder).is_recent(NOW + RECENT_MS)
    it.note(NOW + TOUCH_MS)
    assert last_use(folder).is_recent(NOW + RECENT_MS)
    it.note(NOW)  # the clock was set back
    assert last_use(folder).is_recent(NOW)


def test_linux_has_a_name_for_each_boot() -> None:
    assert len(BOOT_ID.read_text().strip()) == 36
