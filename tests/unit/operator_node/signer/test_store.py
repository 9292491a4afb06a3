"""The record on disk: whose it is, old copies, damage, and what failures leave behind."""

from __future__ import annotations

import logging
import shutil
import sqlite3
import stat
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from operator_node.signer.record import KeyHistory
from operator_node.signer.record_file import OnDamage
from operator_node.signer.rules import NotSafe, Reason, Safe, SameData
from operator_node.signer.sequence import Sequence, SequenceFile
from operator_node.signer.store import SlashingStore
from operator_node.signer.trail import KEPT_ENTRIES
from sdk.errors import ConfigError, InputError, StorageError
from sdk.types import Epoch, OperatorId, PublicKey, Slot
from tests.unit.operator_node.signer.disk import OWNER, open_store, records_of
from tests.unit.operator_node.signer.guards import (
    OTHER_SHARE,
    SHARE,
    VALIDATOR,
    block,
    intent,
    key,
    signed,
    vote,
)

FILES = ("safety.sqlite", "safety.sqlite-wal", "safety.sqlite.sequence")


def arm(store: SlashingStore, share: PublicKey = SHARE, epoch: int = 10) -> None:
    store.arm(share, VALIDATOR, epoch=Epoch(epoch), slot=Slot(32 * epoch))


def copy_record(folder: Path, to: Path, names: tuple[str, ...]) -> None:
    to.mkdir(exist_ok=True)
    for name in names:
        if (folder / name).exists():
            shutil.copy(folder / name, to / name)


def test_what_was_recorded_is_there_after_a_restart(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        assert store.is_new
        arm(store)
        store.check_and_record([intent(vote(10, 11)), intent(block(321))])
        before = records_of(store)
    with open_store(tmp_path) as store:
        assert not store.is_new
        assert not store.needs_arming
        assert store.knows(SHARE)
        assert not store.knows(VALIDATOR)
        assert records_of(store) == before
        assert store.check_and_record([intent(vote(10, 11)), intent(vote(10, 11, 2))]) == (
            SameData(),
            NotSafe(Reason.DOUBLE_VOTE, vote(10, 11)),
        )


def test_files_are_the_owners_alone(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        arm(store)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == dict.fromkeys(FILES, 0o600)


def test_commits_are_flushed_to_the_disk(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        settings = {
            name: store._database.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "locking_mode")
        }
    assert settings == {"journal_mode": "wal", "synchronous": 2, "locking_mode": "exclusive"}


def test_record_in_use_is_not_opened_twice(tmp_path: Path) -> None:
    with open_store(tmp_path), pytest.raises(StorageError, match="in use") as caught:
        open_store(tmp_path)
    assert caught.value.code == "record_in_use"


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (replace(OWNER, network="hoodi"), "of network local, this node of network hoodi"),
        (replace(OWNER, genesis_validators_root=bytes(32)), "of genesis validators root 0x0707"),
        (replace(OWNER, operator_id=OperatorId(2)), "of operator id 1, this node of operator id 2"),
        (replace(OWNER, operator_key="bb"), "of operator key aa, this node of operator key bb"),
    ],
)
def test_record_of_another_is_refused(tmp_path: Path, other: object, said: str) -> None:
    mine = replace(OWNER, operator_id=OperatorId(1), operator_key="aa")
    open_store(tmp_path, owner=mine).close()
    with pytest.raises(ConfigError, match=said) as caught:
        open_store(tmp_path, owner=other)  # type: ignore[arg-type]
    assert caught.value.code == "record_of_another"
    open_store(tmp_path, owner=OWNER).close()


def test_record_is_bound_to_the_first_operator_it_is_told_of(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        store.bind_operator(OperatorId(7))
        store.bind_operator(OperatorId(7))
        with pytest.raises(StorageError, match="of operator 7, this node is operator 8"):
            store.bind_operator(OperatorId(8))
    with pytest.raises(ConfigError):
        open_store(tmp_path, owner=replace(OWNER, operator_id=OperatorId(8)))


def test_newer_schema_is_refused(tmp_path: Path) -> None:
    open_store(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / "safety.sqlite")) as database:
        database.execute("UPDATE meta SET value = 2 WHERE name = 'version'")
        database.commit()
    with pytest.raises(StorageError, match="schema 2, this program knows 1") as caught:
        open_store(tmp_path)
    assert caught.value.code == "record_newer"


def test_older_copy_records_nothing_before_every_share_is_armed(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        arm(store)
        arm(store, OTHER_SHARE)
        store.check_and_record([intent(vote(10, 11))])
    backup = tmp_path / "backup"
    copy_record(tmp_path, backup, FILES[:1])
    with open_store(tmp_path) as store:
        store.check_and_record([intent(vote(11, 12))])
    copy_record(backup, tmp_path, FILES[:1])
    open_store(tmp_path).close()  # a start that does not come as far as arming changes nothing
    with open_store(tmp_path) as store:
        assert store.needs_arming
        with pytest.raises(StorageError) as caught:
            store.check_and_record([intent(vote(11, 12, 2))])
        assert caught.value.code == "record_restored"
        assert store.arm_all(epoch=Epoch(12), slot=Slot(384)) == 2
        assert store.check_and_record([intent(vote(11, 12, 2)), intent(vote(12, 13))]) == (
            NotSafe(Reason.TARGET_NOT_ABOVE_BOUND, vote(11, 12, None)),
            Safe(),
        )
    with open_store(tmp_path) as store:
        assert not store.needs_arming


def test_copy_taken_while_the_node_ran_is_an_older_copy_after_a_kill(tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    with open_store(tmp_path) as store:
        arm(store)
        copy_record(tmp_path, backup, FILES[:2])
        store.check_and_record([intent(vote(10, 11))])
        counter = (tmp_path / FILES[2]).read_bytes()  # as a kill would leave it
    copy_record(backup, tmp_path, FILES[:2])
    (tmp_path / FILES[2]).write_bytes(counter)
    with open_store(tmp_path) as store:
        assert store.needs_arming


@pytest.mark.parametrize("counter", [None, b"rubbish\n"])
def test_record_without_its_counter_counts_as_an_older_copy(
    tmp_path: Path, counter: bytes | None
) -> None:
    with open_store(tmp_path) as store:
        arm(store)
    path = tmp_path / FILES[2]
    path.unlink() if counter is None else path.write_bytes(counter)
    with open_store(tmp_path) as store:
        assert store.needs_arming


def test_record_that_is_ahead_of_its_counter_is_fine(tmp_path: Path) -> None:
    """The counter is written after the record, and a kill may come between."""
    with open_store(tmp_path) as store:
        arm(store)
        counter = (tmp_path / FILES[2]).read_bytes()
        store.check_and_record([intent(vote(10, 11))])
    (tmp_path / FILES[2]).write_bytes(counter)
    with open_store(tmp_path) as store:
        assert not store.needs_arming


def damage(folder: Path) -> None:
    with open_store(folder) as store:
        arm(store)
        store.merge([KeyHistory(key(50), signed(*(vote(i, i + 1) for i in range(300))))])
    path = folder / FILES[0]
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    path.write_bytes(bytes(data))


def test_damaged_record_stops_the_start_where_that_was_asked_for(tmp_path: Path) -> None:
    damage(tmp_path)
    with pytest.raises(StorageError) as caught:
        open_store(tmp_path, on_damage=OnDamage.STOP)
    assert caught.value.code == "record_damaged"


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE trails",
        "DELETE FROM meta WHERE name = 'record_id'",
        "UPDATE trails SET highest = x'0102' WHERE kind = 0",
    ],
)
def test_record_with_parts_missing_is_damaged(tmp_path: Path, statement: str) -> None:
    with open_store(tmp_path) as store:
        arm(store)
    with closing(sqlite3.connect(tmp_path / FILES[0])) as database:
        database.execute(statement)
        database.commit()
    with pytest.raises(StorageError) as caught:
        open_store(tmp_path)
    assert caught.value.code == "record_damaged"


def test_start_that_ended_before_anything_was_written_is_made_up_for(tmp_path: Path) -> None:
    (tmp_path / FILES[0]).touch(0o600)
    with open_store(tmp_path) as store:
        assert store.is_new
        assert not store.needs_arming


def test_counter_that_cannot_be_opened_or_written_is_a_storage_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / FILES[2]).mkdir()
    with pytest.raises((StorageError, InputError), match="cannot"):
        SequenceFile(tmp_path / FILES[2])
    file = SequenceFile(tmp_path / "counter")
    monkeypatch.setattr("os.pwrite", _no_space)
    with pytest.raises(StorageError, match="No space") as caught:
        file.write(Sequence("ab" * 16, 1))
    assert caught.value.code == "sequence_unwritable"
    file.close()


def _no_space(*_: object) -> int:
    raise OSError(28, "No space left on device")


def test_damaged_record_is_set_aside_and_a_new_one_begun(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    damage(tmp_path)
    damaged = (tmp_path / FILES[0]).read_bytes()
    with (
        caplog.at_level(logging.ERROR),
        open_store(tmp_path, on_damage=OnDamage.REBOUND) as store,
    ):
        assert store.set_aside is not None
        assert store.set_aside.read_bytes() == damaged
        assert store.is_new
        assert not store.knows(SHARE)
        assert store.check_and_record([intent(vote(20, 21))]) == (NotSafe(Reason.NO_HISTORY),)
    assert "was damaged and set aside" in caplog.text


def test_failed_write_records_nothing_and_the_record_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_store(tmp_path) as store:
        arm(store)
        before = records_of(store)
        with monkeypatch.context() as patched:
            patched.setattr(store._tables, "set_meta", _disk_full)
            with pytest.raises(StorageError, match="does not work: disk is full") as caught:
                store.check_and_record([intent(vote(10, 11)), intent(block(321))])
        assert caught.value.code == "record_unusable"
        assert records_of(store) == before
        assert store.check_and_record([intent(vote(10, 11, 2))]) == (Safe(),)


def _disk_full(facts: object) -> None:
    raise sqlite3.OperationalError("disk is full")


def test_entry_that_does_not_fit_its_bound_is_no_record_to_sign_by(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        arm(store)
        store.check_and_record([intent(vote(10, 11))])
        store._database.execute("DELETE FROM entries")
        with pytest.raises(StorageError, match="contradicts itself"):
            store.check_and_record([intent(vote(10, 11))])


def test_history_is_kept_within_its_bound(tmp_path: Path) -> None:
    number = KEPT_ENTRIES + 100
    with open_store(tmp_path) as store:
        arm(store, epoch=0)
        items = [intent(vote(target - 1, target)) for target in range(1, number + 1)]
        assert set(store.check_and_record(items)) == {Safe()}
        votes = records_of(store).histories[SHARE].attestations
        (on_disk,) = store._database.execute("SELECT count(*) FROM entries").fetchone()
    assert len(votes.entries) == KEPT_ENTRIES
    assert votes.entries[0] == vote(100, 101)
    assert votes.pruned == vote(99, 100, None)
    assert KEPT_ENTRIES <= on_disk < KEPT_ENTRIES + 100


def test_threads_never_get_two_votes_for_one_target_out(tmp_path: Path) -> None:
    taken: list[int] = []

    def sign(number: int) -> None:
        for target in range(11, 31):
            verdict = store.check_and_record([intent(vote(10, target, number))])[0]
            if verdict == Safe():
                taken.append(target)

    with open_store(tmp_path) as store:
        arm(store)
        threads = [threading.Thread(target=sign, args=(number,)) for number in (1, 2, 3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        entries = records_of(store).histories[SHARE].attestations.entries
    assert len(taken) == len(set(taken))
    assert sorted(taken) == [entry.target_epoch for entry in entries]
