"""Who takes over, and what it arms: copies, new records, wrong clocks, a disk that is away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trio

from operator_node.lease import Moment, SharedFile
from operator_node.lease import lease as lease_module
from operator_node.lease.lease import DOUBT_MS, JUMP_MS
from operator_node.lease.terms import HELD_MS, VALID_MS, Entry, read_entry
from operator_node.signer.rules import NotSafe, Safe
from operator_node.signer.standing import Standing, inherited
from operator_node.signer.store import SlashingStore
from sdk.errors import StorageError
from sdk.types import Epoch, OperatorId, Slot
from tests.unit.operator_node.lease.processes import Clocks, Instance
from tests.unit.operator_node.mock_time import SLOT_MS, SLOTS_PER_EPOCH
from tests.unit.operator_node.signer.disk import open_store
from tests.unit.operator_node.signer.guards import SHARE, VALIDATOR, intent, vote

DAY_MS = 86_400_000
NOW_EPOCH = 20


def late_clocks() -> Clocks:
    """So late that bounds show whether a record was armed."""
    made = Clocks()
    made.now = Moment(made.now.boot, made.now.wall + NOW_EPOCH * SLOTS_PER_EPOCH * SLOT_MS)
    return made


class Scene:
    """Machines with one shared disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shared = folder / "lease"
        self.clocks = late_clocks()
        self.open: list[SlashingStore] = []

    def start(self, name: str, clocks: Clocks | None = None) -> Instance:
        made = Instance(self.folder / name, self.shared, clocks or self.clocks)
        self.open.append(made.store)
        return made

    def stop(self, instance: Instance) -> None:
        """In order, so that it gives the lease back."""
        instance.lease.release()
        self.open.remove(instance.store)
        instance.store.close()

    def arm(self, *instances: Instance) -> None:
        for each in instances:
            each.store.arm(SHARE, VALIDATOR, epoch=Epoch(0), slot=Slot(0))

    @property
    def entry(self) -> Entry:
        entry = read_entry(self.shared.read_bytes())
        assert entry is not None
        return entry


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    for each in made.open:
        each.close()


def is_armed(store: SlashingStore) -> bool:
    """Up to the time of these clocks, that is: nothing above epoch 1 was signed before."""
    return isinstance(store.check((intent(vote(0, 2)),))[0], NotSafe)


# --- copies ---------------------------------------------------------------------------------


def test_a_restored_copy_does_not_pass_for_the_holders_record(scene: Scene) -> None:
    one = scene.start("one")
    one.wait_for_it()
    scene.arm(one)
    (scene.folder / "standby").mkdir()
    one.store.copy_to(scene.folder / "standby" / "safety.sqlite")
    standby = scene.start("standby")
    standby.store.arm_all(epoch=Epoch(0), slot=Slot(0))
    for each in range(10):  # it counts on with each start and admission, signing nothing
        standby.store.bind_operator(OperatorId(7))
        standby.store.arm(SHARE, VALIDATOR, epoch=Epoch(0), slot=Slot(each))
    one.store.check_and_record((intent(vote(0, 1)),))
    scene.stop(one)
    assert scene.entry.is_free
    assert scene.entry.sequence < standby.store._standing().sequence + 100
    standby.lease.turn()
    assert standby.lease.is_held()
    assert is_armed(standby.store)


def test_a_restored_copy_is_complete_from_its_own_term_on(scene: Scene) -> None:
    one = scene.start("one")
    one.wait_for_it()
    scene.arm(one)
    scene.stop(one)
    again = scene.start("one")
    own = again.store.standing()
    again.store.arm_all(epoch=Epoch(0), slot=Slot(0))
    nobody = again.store.standing()
    assert (nobody.term, nobody.sequence) == (own.term, 0)
    assert nobody.record_id != own.record_id
    again.lease.turn()
    assert again.store.standing().record_id == own.record_id
    assert is_armed(again.store)


def test_after_a_handover_the_entry_names_the_record_that_signs(scene: Scene) -> None:
    """Else every start that follows would arm all shares."""
    one = scene.start("one")
    one.store.take_in((), inherited(Standing(4, "ab" * 16, 99)))
    one.wait_for_it()
    scene.arm(one)
    one.clocks.go(2_000)
    one.lease.turn()
    assert scene.entry.record_id == one.store.standing().record_id != "ab" * 16
    scene.stop(one)
    again = scene.start("one")
    again.lease.turn()
    assert again.lease.is_held()
    assert not is_armed(again.store)


def test_a_term_is_given_up_when_its_record_was_set_aside(scene: Scene) -> None:
    one = scene.start("one")
    one.wait_for_it()
    fresh = open_store(scene.folder / "fresh")
    scene.open.append(fresh)
    one.lease._record = one.leased(fresh)
    fresh.arm(SHARE, VALIDATOR, epoch=Epoch(0), slot=Slot(0))
    one.clocks.go(2_000)
    one.lease.turn()
    assert not one.lease.is_held()
    beat = scene.entry.beat
    one.clocks.go(VALID_MS)
    one.lease.turn()
    assert scene.entry.beat <= beat
    assert one.lease.term == fresh.standing().term == 2
    assert is_armed(fresh)


# --- the shared disk --------------------------------------------------------------------------


def test_an_instance_without_the_shared_disk_makes_no_lease_of_its_own(scene: Scene) -> None:
    one = scene.start("one")
    scene.shared.unlink()
    one.lease.turn()
    one.clocks.go(VALID_MS)
    one.lease.turn()
    assert not one.lease.is_held()
    assert not scene.shared.exists()
    assert "No such file" in one.lease.why_not()
    with pytest.raises(StorageError) as refused, SharedFile(scene.shared).locked():
        raise AssertionError("opened")
    assert refused.value.code == "lease_unreachable"
    assert "make the file once" in (refused.value.hint or "")


# --- wrong clocks -----------------------------------------------------------------------------


def test_who_knows_its_clock_to_be_wrong_neither_takes_nor_renews(scene: Scene) -> None:
    one = scene.start("one")
    one.lease.turn()
    one.clocks.go(VALID_MS)
    one.lease.turn(is_clock_off=True)
    assert not one.lease.is_held()
    assert "differs from its beacon nodes'" in one.lease.why_not()
    one.lease.turn()
    assert one.lease.is_held()
    entry = scene.entry
    one.clocks.go(HELD_MS)
    one.lease.turn(is_clock_off=True)
    assert scene.entry == entry
    assert not one.lease.is_held()


def test_the_clock_is_asked_for_on_the_event_loop(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def in_thread(step: Callable[[], None]) -> None:
        await trio.to_thread.run_sync(step)

    asked_in: list[str] = []

    def is_off() -> bool:
        asked_in.append(trio.lowlevel.current_task().name)  # fails in a thread
        return True

    one = scene.start("one")
    monkeypatch.setattr(one.lease, "_is_clock_off", is_off)
    monkeypatch.setattr(lease_module, "_in_thread", in_thread)
    trio.run(one.lease._take_turn)
    assert len(asked_in) == 1
    assert "beacon nodes" in one.lease.problem


def test_a_clock_that_jumps_a_day_ahead_does_not_silence_the_standby(scene: Scene) -> None:
    wrong = late_clocks()
    one, other = scene.start("one", wrong), scene.start("other")
    one.wait_for_it()
    scene.arm(other)
    other.lease.turn()
    until_ms = scene.entry.until_ms
    wrong.now = Moment(wrong.now.boot, wrong.now.wall + DAY_MS)
    one.lease.turn()
    assert not one.lease.is_held()
    assert "jumped ahead" in one.lease.why_not()
    assert scene.entry.until_ms == until_ms
    other.clocks.go(VALID_MS)
    other.lease.turn()
    assert other.lease.is_held()
    # Armed up to now, not up to tomorrow.
    assert isinstance(other.store.check((intent(vote(NOW_EPOCH + 1, NOW_EPOCH + 2)),))[0], Safe)


def test_a_clock_that_is_set_back_is_believed_again_at_once(scene: Scene) -> None:
    one = scene.start("one")
    one.wait_for_it()
    right = one.clocks.now
    one.clocks.now = Moment(right.boot, right.wall + DAY_MS)
    one.lease.turn()
    assert not one.lease.is_held()
    one.clocks.now = right.later(2_000)
    one.lease.turn()
    assert one.lease.problem == ""
    assert (scene.entry.term, scene.entry.beat) == (1, 1)


def test_a_jump_that_nobody_contradicts_is_believed_in_the_end(scene: Scene) -> None:
    one = scene.start("one")
    one.wait_for_it()
    now = one.clocks.now
    one.clocks.now = Moment(now.boot, now.wall + JUMP_MS + 1)
    one.lease.turn()
    one.clocks.go(DOUBT_MS - 1)
    one.lease.turn()
    assert not one.lease.is_held()
    one.clocks.go(1)
    one.lease.turn()
    assert one.lease.is_held()


def test_an_entry_is_given_back_with_the_end_that_signatures_had(scene: Scene) -> None:
    one = scene.start("one")
    one.wait_for_it()
    until_ms = scene.entry.until_ms
    now = one.clocks.now
    one.clocks.now = Moment(now.boot, now.wall + DAY_MS)
    one.lease.release()
    assert scene.entry.is_free
    assert scene.entry.until_ms == until_ms


def test_an_end_far_ahead_is_told_by_name(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    wrong = late_clocks()
    wrong.now = Moment(wrong.now.boot, wrong.now.wall + DAY_MS)
    one, other = scene.start("one", wrong), scene.start("other")
    one.wait_for_it()
    other.wait_for_it()
    assert f"instance {one.lease._tenancy._holder}, which had the lease in term 1" in caplog.text
