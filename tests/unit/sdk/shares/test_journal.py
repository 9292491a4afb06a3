"""The journal of a bulk split: what survives, what is refused."""

from __future__ import annotations

import json
import os
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sdk.errors import InputError, StorageError, UsageError
from sdk.shares.journal import Journal
from sdk.shares.keyshares_file import entry_json
from sdk.testing.keys import key_share

ENTRIES = [key_share(number, nonce=number) for number in (1, 2)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keyshares.json.journal"


def fill(path: Path) -> None:
    with Journal(path, run="run") as journal:
        for share in ENTRIES:
            journal.add(share, keystore=f"box {share.nonce}")


@contextmanager
def full_disk() -> Iterator[None]:
    """Files cannot grow: the system refuses as it does when the disk is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_entries_survive_and_file_is_private(path: Path) -> None:
    fill(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with Journal(path, run="run") as journal:
        assert journal.finished == {("box 1", 1): ENTRIES[0], ("box 2", 2): ENTRIES[1]}


def test_entry_has_left_the_process_when_add_returns(path: Path) -> None:
    with Journal(path, run="run") as journal:
        journal.add(ENTRIES[0], keystore="box 1")
        assert json.loads(path.read_bytes().splitlines()[1])["entry"]["data"]["ownerNonce"] == 1
        assert journal.finished == {("box 1", 1): ENTRIES[0]}


def test_removed_journal_is_gone_and_may_be_removed_again(path: Path) -> None:
    with Journal(path, run="run") as journal:
        journal.remove()
        assert not path.exists()
        journal.remove()


@pytest.mark.parametrize("kept", [1, 10, 1000])
def test_torn_last_line_is_cut_and_the_rest_goes_on(path: Path, kept: int) -> None:
    fill(path)
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:2]) + lines[2][:kept])
    with Journal(path, run="run") as journal:
        assert journal.finished == {("box 1", 1): ENTRIES[0]}
        journal.add(ENTRIES[1], keystore="box 2")
    assert path.read_bytes() == whole


def test_line_that_lacks_only_its_line_end_counts_as_torn(path: Path) -> None:
    fill(path)
    path.write_bytes(path.read_bytes()[:-1])
    with Journal(path, run="run") as journal:
        assert list(journal.finished) == [("box 1", 1)]


@pytest.mark.parametrize("content", [b"", b'{"run": "ru'])
def test_journal_torn_in_its_first_line_starts_anew(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with Journal(path, run="run") as journal:
        assert journal.finished == {}
    assert path.read_bytes() == b'{"run": "run"}\n'


def test_journal_of_another_run_in_which_nothing_was_finished_is_taken_over(path: Path) -> None:
    path.write_bytes(b'{"run": "other"}\n')
    with Journal(path, run="run") as journal:
        assert journal.finished == {}
    assert path.read_bytes() == b'{"run": "run"}\n'


@pytest.mark.parametrize("first", [b'{"run": "other"}\n{}', b"[]", b"rubbish", b"[" * 100_000])
def test_journal_of_another_run_is_refused_and_left_alone(path: Path, first: bytes) -> None:
    path.write_bytes(first + b"\n")
    before = open_descriptors()
    with pytest.raises(UsageError, match="belongs to another run") as caught:
        Journal(path, run="run")
    assert caught.value.code == "journal_of_another_run"
    assert path.read_bytes() == first + b"\n"
    assert open_descriptors() == before


def cut_entry() -> bytes:
    entry = entry_json(ENTRIES[0])
    entry["payload"]["sharesData"] = entry["payload"]["sharesData"][:-2]
    return json.dumps({"keystore": "box", "entry": entry}).encode()


def unsigned_entry() -> bytes:
    entry = entry_json(ENTRIES[0])
    entry["data"]["ownerNonce"] = 5
    return json.dumps({"keystore": "box", "entry": entry}).encode()


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"rubbish",
        b"null",
        b'{"entry": null}',
        b'{"entry": {}}',
        b'{"entry": NaN}',
        b'{"entry": "\\ud800"}',
        b'{"entry": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        cut_entry(),
        unsigned_entry(),
        json.dumps({"entry": entry_json(ENTRIES[0])}).encode(),
        json.dumps({"keystore": 7, "entry": entry_json(ENTRIES[0])}).encode(),
    ],
)
def test_damaged_entry_is_refused_with_the_journal_s_name(path: Path, line: bytes) -> None:
    fill(path)
    path.write_bytes(path.read_bytes() + line + b"\n")
    before = open_descriptors()
    with pytest.raises(InputError, match=r"keyshares\.json\.journal holds a damaged") as caught:
        Journal(path, run="run")
    assert caught.value.code == "journal_damaged"
    assert open_descriptors() == before


def test_full_disk_is_a_storage_error_and_the_journal_stays_readable(path: Path) -> None:
    fill(path)
    before = path.read_bytes()
    with Journal(path, run="run") as journal:
        with full_disk(), pytest.raises(StorageError, match="cannot use the journal"):
            journal.add(key_share(3, nonce=3), keystore="box 3")
        assert list(journal.finished) == [("box 1", 1), ("box 2", 2)]
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", [".", "missing/journal", "x" * 300])
def test_place_that_cannot_be_written_is_a_storage_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(StorageError, match="cannot use the journal"):
        Journal(tmp_path / name, run="run")


def test_second_process_is_told_that_the_journal_is_in_use(path: Path) -> None:
    with Journal(path, run="run") as first:
        before = open_descriptors()
        with pytest.raises(UsageError, match="another run is using") as caught:
            Journal(path, run="run")
        assert caught.value.code == "journal_in_use"
        assert open_descriptors() == before
        first.add(ENTRIES[0], keystore="box 1")
    with Journal(path, run="run") as second:
        assert list(second.finished) == [("box 1", 1)]
