"""An operator moves: one stops for good, the other goes on where it stopped."""

from __future__ import annotations

from pathlib import Path

import pytest

from operator_node.cli import handover as command
from operator_node.clock import wall_ms
from operator_node.doppelganger import LastUse
from operator_node.handover import read_package
from operator_node.signer.rules import NotSafe, Safe, SameData
from operator_node.signer.standing import Standing
from sdk.crypto.password_box import Scrypt
from sdk.crypto.secret import Password
from sdk.errors import ConfigError, InputError, KeystoreError, StorageError, UsageError
from tests.unit.operator_node.handover.places import OWNER, Machine
from tests.unit.operator_node.signer.guards import block, intent, vote


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "Scrypt", lambda: Scrypt(n=2))


@pytest.fixture
def old(tmp_path: Path) -> Machine:
    machine = Machine(tmp_path / "old")
    machine.sign()
    return machine


@pytest.fixture
def new(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "new")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "handover.json"


def test_the_next_instance_goes_on_without_arming(old: Machine, new: Machine, file: Path) -> None:
    old.export(file)
    new.take(file)
    with new.open() as store:
        repeat, conflict, following = store.check(
            [intent(vote(10, 11)), intent(vote(10, 11, 2)), intent(vote(11, 12))]
        )
        assert isinstance(repeat, SameData)
        assert isinstance(conflict, NotSafe)
        assert isinstance(following, Safe)
        assert isinstance(store.check([intent(block(322))])[0], Safe)
        assert not store.needs_arming


def test_the_old_instance_never_starts_again(old: Machine, file: Path) -> None:
    old.export(file)
    with pytest.raises(StorageError, match="never signs") as refused:
        old.open()
    assert refused.value.code == "record_handed_over"
    # Not with a backup of the record from before, nor without the note beside it either.
    (old.record.parent / "safety.sqlite.handed-over").unlink()
    with pytest.raises(StorageError, match="never signs"):
        old.open()


def test_a_backup_from_before_does_not_start_either(
    old: Machine, file: Path, tmp_path: Path
) -> None:
    before = old.record.read_bytes()
    old.export(file)
    old.record.write_bytes(before)
    with pytest.raises(StorageError, match="never signs"):
        old.open()


def test_the_next_start_does_not_listen_first(old: Machine, new: Machine, file: Path) -> None:
    (old.record.parent / "peers.json").write_bytes(b"peers")
    old.export(file)
    new.take(file)
    note = LastUse(new.record.parent / "last-use.json", record=new.record)
    assert note.is_recent(wall_ms())
    assert (new.record.parent / "peers.json").read_bytes() == b"peers"
    with new.open() as store:
        assert not store.is_new


def test_it_can_come_back(old: Machine, new: Machine, file: Path, tmp_path: Path) -> None:
    old.export(file)
    new.take(file)
    new.sign()
    back = tmp_path / "back.json"
    new.export(back)
    old.take(back)
    assert (old.may_sign(), new.may_sign()) == (True, False)
    with pytest.raises(UsageError, match="handover 1 of this operator, this record knows 2"):
        new.take(file)
    assert not new.may_sign()


def test_the_own_file_is_refused(old: Machine, file: Path) -> None:
    old.export(file)
    with pytest.raises(UsageError, match="this very instance") as refused:
        old.take(file)
    assert refused.value.code == "handover_own"


def test_importing_twice_is_as_good_as_once(old: Machine, new: Machine, file: Path) -> None:
    old.export(file)
    new.take(file)
    new.take(file)
    assert new.may_sign()


def test_a_second_export_needs_a_word(old: Machine, new: Machine, file: Path) -> None:
    old.export(file)
    file.unlink()
    with pytest.raises(UsageError, match="already"):
        old.export(file)
    old.export(file, "--again")
    new.take(file)
    assert new.may_sign()


def test_the_fencing_number_goes_along(old: Machine, new: Machine, file: Path) -> None:
    with old.open() as store:
        store.take_term(6, arm_at=None)
        standing = store.standing()
    old.export(file)
    new.take(file)
    with new.open() as store:
        there = store.standing()
        # Complete up to what the other record holds, until it is used under a term of its own.
        assert there == Standing(6, standing.record_id, standing.sequence + 1)
        store.take_term(7, arm_at=None)
        assert store.standing().record_id != standing.record_id


def test_another_operators_file_is_refused(old: Machine, new: Machine, file: Path) -> None:
    from dataclasses import replace

    old.export(file)
    new.open(replace(OWNER, operator_key="cd34")).close()
    with pytest.raises(ConfigError, match="operator key ab12, this record of cd34"):
        new.take(file)


def test_a_wrong_password_changes_nothing(old: Machine, new: Machine, file: Path) -> None:
    old.export(file)
    new.password.write_text("another\n")
    with pytest.raises(KeystoreError, match="does not open"):
        new.take(file)
    assert not new.record.exists()


def test_the_file_shows_nothing_without_its_password(old: Machine, file: Path) -> None:
    old.export(file)
    content = file.read_bytes()
    assert b"local" not in content
    assert file.stat().st_mode & 0o777 == 0o600
    package = read_package(content, Password(b"a long password"), source="file")
    assert (package.network, package.number, package.operator_key) == ("local", 1, "ab12")


@pytest.mark.parametrize("content", [b"{}", b'{"phalanx_handover": 2}', b"\x00"])
def test_what_is_no_handover_file_is_refused(new: Machine, file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(InputError):
        new.take(file)


def test_a_node_that_runs_is_not_exported(old: Machine, file: Path) -> None:
    with old.open(), pytest.raises(StorageError, match="in use"):
        old.export(file)
    assert not file.exists()
    assert old.may_sign()


def test_an_older_copy_is_not_handed_over_before_it_is_armed(old: Machine, file: Path) -> None:
    before = old.record.read_bytes()
    with old.open() as store:
        store.check_and_record([intent(vote(11, 12))])
    old.record.write_bytes(before)
    with pytest.raises(UsageError, match="older copy"):
        old.export(file)
    assert not file.exists()
