"""Files appear whole and private or not at all, and never in the place of another."""

from __future__ import annotations

import errno
import os
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sdk import files
from sdk.errors import InputError, StorageError, UsageError
from sdk.files import (
    make_private_folder,
    read_bounded,
    refuse_existing,
    refuse_other_than_folder,
    write_private,
)

LONG_NAME = "x" * 300


@contextmanager
def full_disk() -> Iterator[None]:
    """Files cannot grow beyond 4 bytes: the system refuses as it does when the disk is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_new_file_is_whole_private_and_alone(tmp_path: Path) -> None:
    path = tmp_path / "new.json"
    umask = os.umask(0)
    try:
        write_private(path, b"content")
    finally:
        os.umask(umask)
    assert path.read_bytes() == b"content"
    assert mode(path) == 0o600
    assert os.listdir(tmp_path) == ["new.json"]
    assert path.stat().st_nlink == 1


def test_existing_file_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    path.write_bytes(b"old")
    with pytest.raises(UsageError, match=r"old\.json exists already") as caught:
        refuse_existing(path)
    assert caught.value.code == "file_exists"
    with pytest.raises(UsageError, match=r"old\.json exists already"):
        write_private(path, b"new")
    assert path.read_bytes() == b"old"


def test_overwriting_replaces_and_makes_private(tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    path.write_bytes(b"old")
    path.chmod(0o644)
    write_private(path, b"new", overwrite=True)
    assert path.read_bytes() == b"new"
    assert mode(path) == 0o600
    assert os.listdir(tmp_path) == ["old.json"]


def test_file_that_appears_meanwhile_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "new.json"
    link = os.link

    def late(source: Path, target: Path) -> None:
        path.write_bytes(b"of somebody else")
        link(source, target)

    monkeypatch.setattr(os, "link", late)
    with pytest.raises(UsageError, match="appeared meanwhile") as caught:
        write_private(path, b"ours")
    assert caught.value.code == "file_exists"
    assert path.read_bytes() == b"of somebody else"
    assert os.listdir(tmp_path) == ["new.json"]


def test_dangling_link_is_not_followed(tmp_path: Path) -> None:
    path = tmp_path / "link.json"
    path.symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(UsageError):
        write_private(path, b"secret")
    assert os.listdir(tmp_path) == ["link.json"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_full_disk_leaves_nothing_behind(tmp_path: Path, overwrite: bool) -> None:
    path = tmp_path / "file.json"
    if overwrite:
        path.write_bytes(b"old")
    with full_disk(), pytest.raises(StorageError, match="cannot write") as caught:
        write_private(path, b"too long", overwrite=overwrite)
    assert "nothing was written" in caught.value.hint
    assert os.listdir(tmp_path) == (["file.json"] if overwrite else [])
    assert not overwrite or path.read_bytes() == b"old"


def test_interruption_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", stop)
    with pytest.raises(KeyboardInterrupt):
        write_private(tmp_path / "file.json", b"content")
    assert os.listdir(tmp_path) == []


def test_short_writes_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:3]))
    write_private(tmp_path / "file", b"more than three bytes")
    assert (tmp_path / "file").read_bytes() == b"more than three bytes"


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"missing does not exist") as caught:
        write_private(tmp_path / "missing" / "file", b"")
    assert caught.value.code == "folder_missing"


@pytest.mark.parametrize("write", [refuse_existing, lambda path: write_private(path, b"")])
def test_name_too_long_is_a_storage_error(tmp_path: Path, write: object) -> None:
    assert callable(write)
    with pytest.raises(StorageError, match="cannot write"):
        write(tmp_path / LONG_NAME)


def test_place_that_takes_no_files_is_a_storage_error() -> None:
    with pytest.raises(StorageError, match="cannot write /proc/self/file"):
        write_private(Path("/proc/self/file"), b"")


def test_folder_is_made_with_its_parents_for_the_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "one" / "two"
    make_private_folder(folder)
    assert mode(folder) == 0o700
    make_private_folder(folder)


def test_folder_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x")
    for attempt in (make_private_folder, refuse_other_than_folder):
        with pytest.raises(UsageError, match="is no folder"):
            attempt(path)
        with pytest.raises(StorageError):
            attempt(tmp_path / LONG_NAME)
    with pytest.raises(StorageError, match="cannot write"):
        make_private_folder(path / "below")
    refuse_other_than_folder(tmp_path / "not yet there")


def test_reading_stops_one_byte_past_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    assert read_bounded(path, limit_bytes=10) == b"0123456789"
    assert read_bounded(path, limit_bytes=4) == b"01234"
    assert len(read_bounded(Path("/dev/zero"), limit_bytes=99)) == 100


@pytest.mark.parametrize("name", [".", "missing", LONG_NAME])
def test_unreadable_file_is_an_input_error_that_names_it(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="cannot read") as caught:
        read_bounded(tmp_path / name, limit_bytes=1)
    assert caught.value.code == "file_unreadable"
    assert str(tmp_path / name) in caught.value.message


def test_private_mode_means_the_owner_alone() -> None:
    assert (files.PRIVATE_MODE, files.PRIVATE_FOLDER_MODE) == (0o600, 0o700)


def test_without_hard_links_a_file_is_still_whole_private_and_never_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory sticks are formatted with FAT, which has no hard links."""

    def refuse(source: Path, target: Path) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr("sdk.files.os.link", refuse)
    target = tmp_path / "file"
    write_private(target, b"new")
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    monkeypatch.setattr("sdk.files.refuse_existing", lambda path, *, overwrite: None)
    with pytest.raises(UsageError, match="appeared meanwhile"):
        write_private(target, b"later")
    assert target.read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
