"""Backups: made while signing goes on, safe to put back at any age."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import trio
from click.testing import CliRunner

from operator_node.cli.group import node
from operator_node.letterbox import Letterbox, Words, ask
from operator_node.signer.copying import put_back, write_copy
from operator_node.signer.record_file import Owner
from operator_node.signer.rules import NotSafe, Safe
from sdk.errors import ConfigError, PhalanxError, StorageError, UsageError
from sdk.types import Epoch, Slot
from tests.unit.operator_node.handover.places import OWNER, Machine
from tests.unit.operator_node.signer.disk import records_of
from tests.unit.operator_node.signer.guards import GENESIS, SHARE, intent, vote


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    made = Machine(tmp_path / "machine")
    made.sign()
    return made


def run(machine: Machine, *words: object) -> str:
    arguments = [*map(str, words), "--config", str(machine.config)]
    result = CliRunner().invoke(node, arguments)
    if isinstance(result.exception, PhalanxError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_restored_backup_signs_nothing_before_every_share_is_armed(
    machine: Machine, tmp_path: Path
) -> None:
    run(machine, "backup", "--out", tmp_path / "copy")
    with machine.open() as store:
        store.check_and_record([intent(vote(11, 12))])
    said = run(machine, "restore", tmp_path / "copy")
    assert "every share is armed" in said
    with machine.open() as store:
        assert store.needs_arming
        with pytest.raises(StorageError, match="older copy"):
            store.check_and_record([intent(vote(12, 13))])
        assert store.arm_all(epoch=Epoch(20), slot=Slot(640)) == 1
        # What was signed after the backup is forgotten, and below the bounds.
        assert isinstance(store.check([intent(vote(11, 12, 9))])[0], NotSafe)
        assert isinstance(store.check_and_record([intent(vote(20, 21))])[0], Safe)
    with machine.open() as store:
        assert not store.needs_arming


def test_even_a_backup_of_this_moment_is_armed(machine: Machine, tmp_path: Path) -> None:
    run(machine, "backup", "--out", tmp_path / "copy")
    run(machine, "restore", tmp_path / "copy")
    with machine.open() as store:
        assert store.needs_arming


def test_a_backup_that_is_copied_by_hand_is_armed_as_well(machine: Machine, tmp_path: Path) -> None:
    run(machine, "backup", "--out", tmp_path / "copy")
    for each in machine.record.parent.glob("safety.sqlite*"):
        each.unlink()
    machine.record.write_bytes((tmp_path / "copy").read_bytes())
    with machine.open() as store:
        assert store.needs_arming


def test_what_was_there_is_kept(machine: Machine, tmp_path: Path) -> None:
    run(machine, "backup", "--out", tmp_path / "copy")
    machine.record.write_bytes(b"damaged")
    said = run(machine, "restore", tmp_path / "copy")
    aside = machine.record.with_name("safety.sqlite.replaced-1")
    assert aside.read_bytes() == b"damaged"
    assert str(aside) in said


def test_a_copy_is_consistent_while_signing_goes_on(machine: Machine, tmp_path: Path) -> None:
    with machine.open() as store:
        for target in range(12, 200):
            store.check_and_record([intent(vote(11, target))])
        end = threading.Event()
        signed = 200

        def work() -> None:
            nonlocal signed
            while not end.is_set():
                (verdict,) = store.check_and_record([intent(vote(11, signed))])
                assert isinstance(verdict, Safe)
                signed += 1

        thread = threading.Thread(target=work)
        thread.start()
        try:
            for number in range(5):
                store.copy_to(tmp_path / f"copy-{number}")
        finally:
            end.set()
            thread.join()
        whole = records_of(store)
    assert signed > 205
    before = 0
    for number in range(5):
        other = Machine(tmp_path / f"other-{number}")
        put_back(tmp_path / f"copy-{number}", other.record, OWNER)
        with other.open() as copied:
            entries = records_of(copied).histories[SHARE].attestations.entries
        assert entries == whole.histories[SHARE].attestations.entries[: len(entries)]
        assert len(entries) >= before
        before = len(entries)


def test_a_running_node_makes_the_backup_itself(machine: Machine, tmp_path: Path) -> None:
    out = tmp_path / "copy"
    with machine.open() as store:

        def copy(words: Words) -> Words:
            store.copy_to(Path(words["out"]))
            return {}

        box = Letterbox(machine.record.parent, {"backup": copy})

        async def main() -> None:
            async with trio.open_nursery() as nursery:
                await nursery.start(box.run)
                await trio.to_thread.run_sync(run, machine, "backup", "--out", out)
                nursery.cancel_scope.cancel()

        trio.run(main)
    assert out.stat().st_mode & 0o777 == 0o600
    assert not list((machine.record.parent / "letters").iterdir())


def test_what_the_node_says_against_it_is_told(tmp_path: Path) -> None:
    def refuse(words: Words) -> Words:
        raise UsageError(f"no {words['what']} here")

    box = Letterbox(tmp_path, {"x": refuse})

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            await nursery.start(box.run)
            with pytest.raises(StorageError, match="no copy here"):
                await trio.to_thread.run_sync(ask, tmp_path, "x", {"what": "copy"})
            nursery.cancel_scope.cancel()

    trio.run(main)


def test_nobody_who_answers_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="did not answer"):
        ask(tmp_path, "x", {}, patience_s=0.0)
    assert not list((tmp_path / "letters").iterdir())


def test_a_letter_that_cannot_be_read_is_thrown_away(tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters/x.letter").write_bytes(b"{")
    Letterbox(tmp_path, {"x": lambda words: words}).look()
    assert not list((tmp_path / "letters").iterdir())


def test_a_backup_from_before_a_handover_is_not_put_back(machine: Machine, tmp_path: Path) -> None:
    run(machine, "backup", "--out", tmp_path / "copy")
    machine.export(tmp_path / "handover")
    with pytest.raises(StorageError, match="handed over"):
        run(machine, "restore", tmp_path / "copy")
    assert not machine.may_sign()


def test_a_record_in_use_is_not_replaced(machine: Machine, tmp_path: Path) -> None:
    run(machine, "backup", "--out", tmp_path / "copy")
    with machine.open(), pytest.raises(StorageError, match="in use"):
        run(machine, "restore", tmp_path / "copy")


def test_another_operators_or_a_damaged_backup_changes_nothing(
    machine: Machine, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    run(machine, "backup", "--out", copy)
    before = machine.record.read_bytes()
    with pytest.raises(ConfigError, match="operator key"):
        put_back(copy, machine.record, Owner("local", GENESIS, operator_key="cd34"))
    copy.write_bytes(copy.read_bytes()[:5_000])
    with pytest.raises(StorageError, match="damaged"):
        run(machine, "restore", copy)
    with pytest.raises(UsageError, match="no file"):
        run(machine, "restore", tmp_path / "none")
    assert machine.record.read_bytes() == before
    names = {each.name for each in machine.record.parent.iterdir()}
    assert names == {"safety.sqlite", "safety.sqlite.sequence"}


def test_a_disk_that_refuses_leaves_nothing_behind(machine: Machine, tmp_path: Path) -> None:
    with machine.open() as store:
        with pytest.raises(UsageError):
            store.copy_to(tmp_path / "missing" / "copy")
        taken = tmp_path / "taken"
        taken.write_bytes(b"")
        with pytest.raises(UsageError):
            write_copy(machine.record, store._database, taken)
    assert not list(tmp_path.glob(".taken*"))


def test_a_journal_whose_record_was_moved_by_hand_does_not_get_into_the_copy(
    machine: Machine, tmp_path: Path
) -> None:
    run(machine, "backup", "--out", tmp_path / "copy")
    journal = machine.record.with_name("safety.sqlite-wal")
    with machine.open() as store:
        store.check_and_record([intent(vote(11, 12))])
        left = journal.read_bytes()
    assert left
    machine.record.unlink()
    journal.write_bytes(left)  # As a kill leaves it.
    run(machine, "restore", tmp_path / "copy")
    assert machine.record.with_name("safety.sqlite.replaced-1-wal").read_bytes() == left
    with machine.open() as store:
        assert store.needs_arming


def test_a_dry_run_writes_nothing(machine: Machine, tmp_path: Path) -> None:
    with machine.open() as store:
        before = records_of(store)
    said = run(machine, "backup", "--out", tmp_path / "copy", "--dry-run")
    assert f"to {tmp_path / 'copy'}" in said.replace("\n", "")
    said = run(machine, "handover", "export", "--out", tmp_path / "package", "--dry-run")
    assert "would stop signing" in said
    assert list(tmp_path.iterdir()) == [machine.record.parent.parent]
    with machine.open() as store:
        assert records_of(store) == before
        assert isinstance(store.check_and_record([intent(vote(12, 13))])[0], Safe)
