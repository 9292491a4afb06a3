"""The lease with real files and records: taken, renewed, lost, given back, and what is recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trio

from operator_node.lease import Moment, SharedFile
from operator_node.lease import lease as lease_module
from operator_node.lease.terms import ENTRY_BYTES, HELD_MS, VALID_MS, read_entry
from operator_node.signer.rules import NotSafe, Safe
from operator_node.signer.standing import Standing, inherited, read_standing
from operator_node.signer.store import SlashingStore
from sdk.errors import StorageError
from sdk.types import Epoch, Slot
from tests.unit.operator_node.lease.processes import Clocks, Instance
from tests.unit.operator_node.mock_time import GENESIS, SLOT_MS, SLOTS_PER_EPOCH, run
from tests.unit.operator_node.signer.guards import SHARE, VALIDATOR, block, intent, vote


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def stores() -> Iterator[list[SlashingStore]]:
    opened: list[SlashingStore] = []
    yield opened
    for each in opened:
        each.close()


@pytest.fixture
def scene(tmp_path: Path, clocks: Clocks) -> Iterator[tuple[Instance, Instance]]:
    """Two instances on one shared disk."""
    shared = tmp_path / "lease"
    one = Instance(tmp_path / "one", shared, clocks)
    other = Instance(tmp_path / "other", shared, clocks)
    yield one, other
    one.store.close()
    other.store.close()


def test_nothing_is_recorded_without_the_lease(scene: tuple[Instance, Instance]) -> None:
    one, _ = scene
    one.store.arm(SHARE, VALIDATOR, epoch=Epoch(5), slot=Slot(40))
    with pytest.raises(StorageError, match="no lease") as refused:
        one.store.check_and_record((intent(vote(8, 9)),))
    assert refused.value.code == "lease_lost"
    one.wait_for_it()
    # The first term arms every share: nobody knows what was signed before.
    assert isinstance(one.store.check_and_record((intent(vote(8, 9)),))[0], Safe)


def test_the_lease_ends_on_its_own_clock_before_another_may_take_it(
    scene: tuple[Instance, Instance],
) -> None:
    one, other = scene
    one.wait_for_it()
    one.store.arm(SHARE, VALIDATOR, epoch=Epoch(0), slot=Slot(0))
    other.lease.turn()
    one.clocks.go(HELD_MS - 1)
    assert one.lease.is_held()
    one.clocks.go(1)
    assert not one.lease.is_held()
    with pytest.raises(StorageError, match="no lease"):
        one.store.check_and_record((intent(vote(8, 9)),))
    other.lease.turn()
    assert not other.lease.is_held()
    one.clocks.go(VALID_MS - HELD_MS)
    other.lease.turn()
    assert other.lease.is_held()
    assert other.lease.term == 2
    one.lease.turn()
    assert not one.lease.is_held()
    assert "another instance has the lease (term 2)" in one.lease.why_not()


def test_renewals_keep_it_from_whoever_waits(scene: tuple[Instance, Instance]) -> None:
    one, other = scene
    one.wait_for_it()
    for _ in range(20):
        one.clocks.go(2_000)
        one.lease.turn()
        other.lease.turn()
        assert one.lease.is_held()
        assert not other.lease.is_held()
    assert one.lease.taken == 1


def test_a_wall_clock_that_jumps_ahead_ends_it_at_once(scene: tuple[Instance, Instance]) -> None:
    one, _ = scene
    one.wait_for_it()
    now = one.clocks.now
    one.clocks.now = Moment(now.boot, now.wall + HELD_MS)
    assert not one.lease.is_held()
    one.clocks.now = Moment(now.boot, now.wall - 3_600_000)
    assert one.lease.is_held()  # back proves nothing: the other clock still counts


def test_a_lease_that_was_given_back_is_taken_at_once(scene: tuple[Instance, Instance]) -> None:
    one, other = scene
    one.wait_for_it()
    other.lease.turn()
    one.lease.release()
    assert not one.lease.is_held()
    other.lease.turn()
    assert other.lease.is_held()
    one.lease.turn()
    assert not one.lease.is_held()


def test_whoever_takes_over_arms_up_to_the_end_of_what_the_other_may_have_signed(
    scene: tuple[Instance, Instance],
) -> None:
    one, other = scene
    other.store.arm(SHARE, VALIDATOR, epoch=Epoch(0), slot=Slot(0))
    one.wait_for_it()
    other.lease.turn()
    one.clocks.go(VALID_MS)
    other.lease.turn()
    now_s = one.clocks.now.wall / 1000 - GENESIS
    epoch = int(now_s * 1000 // SLOT_MS // SLOTS_PER_EPOCH)
    (refused,) = other.store.check((intent(vote(max(epoch - 1, 0), epoch)),))
    assert isinstance(refused, NotSafe)
    (safe,) = other.store.check((intent(vote(epoch + 1, epoch + 2)),))
    assert isinstance(safe, Safe)


def test_the_same_record_goes_on_without_arming_when_the_lease_was_given_back(
    tmp_path: Path, clocks: Clocks, stores: list[SlashingStore]
) -> None:
    shared = tmp_path / "lease"
    first = Instance(tmp_path / "one", shared, clocks)
    first.wait_for_it()
    first.store.arm(SHARE, VALIDATOR, epoch=Epoch(0), slot=Slot(0))
    first.store.check_and_record((intent(vote(0, 1)),))
    first.lease.release()
    first.store.close()
    again = Instance(tmp_path / "one", shared, clocks)
    stores.append(again.store)
    again.lease.turn()
    assert again.lease.is_held()
    assert isinstance(again.store.check_and_record((intent(vote(0, 2)),))[0], Safe)


@pytest.mark.parametrize("resumed", [True, False])
def test_after_a_kill_only_the_same_machine_goes_on_without_arming(
    tmp_path: Path, clocks: Clocks, stores: list[SlashingStore], resumed: bool
) -> None:
    shared = tmp_path / "lease"
    first = Instance(tmp_path / "one", shared, clocks)
    first.wait_for_it()
    first.store.arm(SHARE, VALIDATOR, epoch=Epoch(0), slot=Slot(0))
    first.store.close()
    again = Instance(tmp_path / "one", shared, clocks, resumed=resumed)
    stores.append(again.store)
    again.lease.turn()
    assert not again.lease.is_held()  # nobody but the other life knows that it is over
    again.wait_for_it()
    # Block bounds show it: the first life armed nothing above slot 0.
    (verdict,) = again.store.check((intent(block(1)),))
    assert isinstance(verdict, Safe) is resumed


def test_a_fencing_number_never_falls(scene: tuple[Instance, Instance]) -> None:
    one, _ = scene
    one.store.take_term(7, arm_at=None)
    assert one.store.standing().term == 7
    one.store.take_term(7, arm_at=None)  # asked for once more
    with pytest.raises(StorageError, match="term 7") as refused:
        one.store.take_term(6, arm_at=None)
    assert refused.value.code == "record_ahead"
    one.wait_for_it()
    assert one.lease.term == 8


def test_an_old_holders_record_takes_nothing_after_a_new_term(
    scene: tuple[Instance, Instance],
) -> None:
    one, _ = scene
    one.wait_for_it()
    one.store.arm(SHARE, VALIDATOR, epoch=Epoch(0), slot=Slot(0))
    one.store.take_term(9, arm_at=None)  # as a newer holder of this record does
    with pytest.raises(StorageError, match="the lease's term is 1, the slashing record's 9"):
        one.store.check_and_record((intent(vote(8, 9)),))


@pytest.mark.parametrize("content", [b"x" * ENTRY_BYTES, b"phalanx-lease owner=ab\n"])
def test_a_file_that_holds_something_else_is_not_taken(
    scene: tuple[Instance, Instance], tmp_path: Path, content: bytes
) -> None:
    one, _ = scene
    (tmp_path / "lease").write_bytes(content)
    one.lease.turn()
    one.clocks.go(VALID_MS)
    one.lease.turn()
    assert not one.lease.is_held()
    assert "holds something else" in one.lease.why_not()


def test_a_flipped_bit_is_found(scene: tuple[Instance, Instance], tmp_path: Path) -> None:
    one, _ = scene
    one.wait_for_it()
    content = bytearray((tmp_path / "lease").read_bytes())
    assert len(content) == ENTRY_BYTES
    entry = read_entry(bytes(content))
    assert entry is not None
    assert entry.term == 1
    content[content.index(b"term=") + 24] ^= 1
    with pytest.raises(StorageError, match="something else"):
        read_entry(bytes(content))


def test_another_operators_file_is_refused(tmp_path: Path, clocks: Clocks) -> None:
    shared = tmp_path / "lease"
    one = Instance(tmp_path / "one", shared, clocks)
    one.wait_for_it()
    one.store.close()
    other = Instance(tmp_path / "other", shared, clocks)
    other.lease._tenancy._owner = "ef" * 32
    other.lease.turn()
    other.store.close()
    assert "of another operator" in other.lease.why_not()


def test_a_shared_disk_that_is_gone_ends_the_lease_and_its_return_brings_it_back(
    scene: tuple[Instance, Instance], tmp_path: Path
) -> None:
    one, _ = scene
    one.wait_for_it()
    (tmp_path / "lease").rename(tmp_path / "away")
    (tmp_path / "lease").mkdir()
    one.clocks.go(2_000)
    one.lease.turn()
    assert one.lease.is_held()  # the last renewal still counts
    one.clocks.go(HELD_MS)
    one.lease.turn()
    assert not one.lease.is_held()
    assert "cannot be used" in one.lease.why_not()
    (tmp_path / "lease").rmdir()
    (tmp_path / "away").rename(tmp_path / "lease")
    one.lease.turn()
    assert one.lease.is_held()
    assert one.lease.term == 1


def test_an_emptied_file_is_no_lease_until_everybody_elses_has_ended(
    scene: tuple[Instance, Instance], tmp_path: Path
) -> None:
    one, other = scene
    one.wait_for_it()
    (tmp_path / "lease").write_bytes(b"")
    other.lease.turn()
    assert not other.lease.is_held()
    one.clocks.go(VALID_MS)
    other.lease.turn()
    one.lease.turn()
    assert other.lease.is_held()
    assert not one.lease.is_held()


def test_the_lock_of_one_keeps_the_other_from_looking(
    scene: tuple[Instance, Instance], tmp_path: Path
) -> None:
    one, _ = scene
    with SharedFile(tmp_path / "lease").locked() as held:
        assert held is not None
        one.lease.turn()
        assert one.lease._tenancy._seen is None


def test_a_record_that_cannot_take_the_term_gives_no_permit(
    scene: tuple[Instance, Instance], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = scene

    def full(term: int, *, arm_at: object) -> None:
        raise StorageError("the disk is full")

    one.lease.turn()
    one.clocks.go(VALID_MS)
    with monkeypatch.context() as patch:
        patch.setattr(one.store, "take_term", full)
        one.lease.turn()
        assert not one.lease.is_held()
        assert "full" in one.lease.why_not()
    one.lease.turn()
    assert one.lease.is_held()
    assert one.store.standing().term == 1


def test_a_handed_over_record_stands_for_the_one_it_came_from() -> None:
    facts = inherited(Standing(4, "ab" * 16, 99))
    assert read_standing(facts, record_id="cd" * 16, sequence=3) == Standing(4, "ab" * 16, 99)


def test_the_task_tells_takes_and_gives_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Running(Clocks):
        def __call__(self) -> Moment:
            return self.now.later(int(trio.current_time() * 1000))

    async def at_once(step: Callable[[], None]) -> None:
        step()  # mocked time would run on while a thread works

    monkeypatch.setattr(lease_module, "_in_thread", at_once)

    async def main() -> None:
        one = Instance(tmp_path / "one", tmp_path / "lease", Running())
        async with trio.open_nursery() as nursery:
            await nursery.start(one.lease.run)
            assert one.told == ["this instance waits whether another one has the lease"]
            await trio.sleep(VALID_MS / 1000 + 1)
            assert one.told[1:] == [""]
            await trio.sleep(30)
            assert one.lease.is_held()
            assert one.lease.taken == 1
            nursery.cancel_scope.cancel()
        assert not one.lease.is_held()
        entry = read_entry((tmp_path / "lease").read_bytes())
        assert entry is not None
        assert entry.is_free
        assert entry.beat >= 10
        one.store.close()

    run(main)


def test_a_fault_of_ours_ends_the_lease_and_not_the_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: object) -> None:
        raise ZeroDivisionError

    async def main() -> None:
        one = Instance(tmp_path / "one", tmp_path / "lease", Clocks())
        monkeypatch.setattr(one.lease, "_turn", broken)
        await one.lease._take_turn()
        assert "ZeroDivisionError" in one.lease.why_not()
        one.store.close()

    trio.run(main)
    assert "the lease could not be renewed" in caplog.text
