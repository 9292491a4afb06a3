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
from sdk.shares.journal import Journal, run_fingerprint
from sdk.shares.keyshares_file import entry_json
from sdk.testing.keys import OWNER, key_share, operators
from sdk.types import Address

ENTRIES = [key_share(number, nonce=number) for number in (1, 2)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keyshares.json.journal"


def opened(path: Path) -> Journal:
    return Journal(path, owner=OWNER, operators=operators())


RUN = run_fingerprint(operators(), OWNER)
HEADER = b'{"run": "%s"}\n' % RUN.encode()


def fill(path: Path) -> None:
    with opened(path) as journal:
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
    with opened(path) as journal:
        assert journal.finished == {("box 1", 1): ENTRIES[0], ("box 2", 2): ENTRIES[1]}


def test_entry_has_left_the_process_when_add_returns(path: Path) -> None:
    with opened(path) as journal:
        journal.add(ENTRIES[0], keystore="box 1")
        assert json.loads(path.read_bytes().splitlines()[1])["entry"]["data"]["ownerNonce"] == 1
        assert journal.finished == {("box 1", 1): ENTRIES[0]}


def test_removed_journal_is_gone_and_may_be_removed_again(path: Path) -> None:
    with opened(path) as journal:
        journal.remove()
        assert not path.exists()
        journal.remove()


@pytest.mark.parametrize("kept", [1, 10, 1000])
def test_torn_last_line_is_cut_and_the_rest_goes_on(path: Path, kept: int) -> None:
    fill(path)
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:2]) + lines[2][:kept])
    with opened(path) as journal:
        assert journal.finished == {("box 1", 1): ENTRIES[0]}
        journal.add(ENTRIES[1], keystore="box 2")
    assert path.read_bytes() == whole


def test_line_that_lacks_only_its_line_end_counts_as_torn(path: Path) -> None:
    fill(path)
    path.write_bytes(path.read_bytes()[:-1])
    with opened(path) as journal:
        assert list(journal.finished) == [("box 1", 1)]


@pytest.mark.parametrize("content", [b"", b'{"run": "ab'])
def test_journal_torn_in_its_first_line_starts_anew(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with opened(path) as journal:
        assert journal.finished == {}
    assert path.read_bytes() == HEADER


def test_journal_of_another_run_in_which_nothing_was_finished_is_taken_over(path: Path) -> None:
    path.write_bytes(b'{"run": "other"}\n')
    with opened(path) as journal:
        assert journal.finished == {}
    assert path.read_bytes() == HEADER


def test_journal_of_another_run_is_refused_and_left_alone(path: Path) -> None:
    content = b'{"run": "other"}\n{}\ntorn'
    path.write_bytes(content)
    before = open_descriptors()
    with pytest.raises(UsageError, match="belongs to another run") as caught:
        opened(path)
    assert caught.value.code == "journal_of_another_run"
    assert path.read_bytes() == content
    assert open_descriptors() == before


@pytest.mark.parametrize(
    "content", [b"precious notes", b"one\nprecious tail", b"[]\n", b"[" * 100_000 + b"\n"]
)
def test_file_of_another_kind_is_refused_and_left_alone(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    before = open_descriptors()
    with pytest.raises(UsageError, match="no journal of ours") as caught:
        opened(path)
    assert caught.value.code == "not_a_journal"
    assert path.read_bytes() == content
    assert open_descriptors() == before


def test_link_that_somebody_left_is_not_followed(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    path.symlink_to(target)
    with pytest.raises(StorageError, match="cannot use the journal"):
        opened(path)
    assert not target.exists()


def test_pipe_in_its_place_is_refused_at_once(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(UsageError, match="no journal of ours"):
        opened(path)


def cut_entry() -> bytes:
    entry = entry_json(ENTRIES[0])
    entry["payload"]["sharesData"] = entry["payload"]["sharesData"][:-2]
    return json.dumps({"keystore": "box", "entry": entry}).encode()


def unsigned_entry() -> bytes:
    entry = entry_json(ENTRIES[0])
    entry["data"]["ownerNonce"] = 5
    return json.dumps({"keystore": "box", "entry": entry}).encode()


def of_another_run(owner: Address = OWNER, ids: tuple[int, ...] = (1, 2, 3, 4)) -> bytes:
    share = key_share(1, ids=ids, owner=owner, nonce=1)
    return json.dumps({"keystore": "box", "entry": entry_json(share)}).encode()


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
        of_another_run(owner=Address(b"\x11" * 20)),
        of_another_run(ids=(1, 2, 3, 5)),
        json.dumps({"keystore": 7, "entry": entry_json(ENTRIES[0])}).encode(),
    ],
)
def test_damaged_entry_is_refused_with_the_journal_s_name(path: Path, line: bytes) -> None:
    fill(path)
    path.write_bytes(path.read_bytes() + line + b"\n")
    before = open_descriptors()
    with pytest.raises(InputError, match=r"keyshares\.json\.journal holds a damaged") as caught:
        opened(path)
    assert caught.value.code == "journal_damaged"
    assert open_descriptors() == before


def test_full_disk_is_a_storage_error_and_the_journal_stays_readable(path: Path) -> None:
    fill(path)
    before = path.read_bytes()
    with opened(path) as journal:
        with full_disk(), pytest.raises(StorageError, match="cannot use the journal"):
            journal.add(key_share(3, nonce=3), keystore="box 3")
        assert list(journal.finished) == [("box 1", 1), ("box 2", 2)]
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", [".", "missing/journal", "x" * 300])
def test_place_that_cannot_be_written_is_a_storage_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(StorageError, match="cannot use the journal"):
        opened(tmp_path / name)


def test_second_process_is_told_that_the_journal_is_in_use(path: Path) -> None:
    with opened(path) as first:
        before = open_descriptors()
        with pytest.raises(UsageError, match="another run is using") as caught:
            opened(path)
        assert caught.value.code == "journal_in_use"
        assert open_descriptors() == before
        first.add(ENTRIES[0], keystore="box 1")
    with opened(path) as second:
        assert list(second.finished) == [("box 1", 1)]


def test_fingerprint_changes_with_what_all_entries_of_a_run_share() -> None:
    base = run_fingerprint(operators(), OWNER)
    assert run_fingerprint(operators()[::-1], OWNER) == base
    others = [
        run_fingerprint(operators((1, 2, 3, 5)), OWNER),
        run_fingerprint(operators((1, 2, 3, 4, 5, 6, 7)), OWNER),
        run_fingerprint(operators(), Address(b"\x11" * 20)),
    ]
    assert len({base, *others}) == 1 + len(others)
