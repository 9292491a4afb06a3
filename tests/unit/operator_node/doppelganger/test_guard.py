"""The watch at work: what it asks for when, holds, releases, and keeps on disk."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from math import inf
from pathlib import Path
from time import monotonic

import pytest
import trio

from operator_node.beacon.trouble import LivenessUnavailable
from operator_node.beacon.types import ValidatorState
from operator_node.doppelganger import Doppelganger
from operator_node.spec.chain import FAR_FUTURE_EPOCH
from sdk.errors import BeaconError
from sdk.types import Epoch, PublicKey
from tests.unit.operator_node.mock_time import SLOTS_PER_EPOCH, Wall, run

KEY, INDEX = PublicKey(b"\x01" * 48), 7
OTHER = PublicKey(b"\x02" * 48)


class Signs:
    """Beacon nodes that saw `INDEX` sign in the epochs of `live`."""

    def __init__(self) -> None:
        self.live: set[int] = set()
        self.asked: list[tuple[int, float]] = []
        self.down_until = -inf
        self.is_untold = False
        self.delay_s = 0.1

    async def liveness(self, epoch: Epoch, indices: Sequence[int]) -> Mapping[int, bool]:
        self.asked.append((epoch, trio.current_time()))
        await trio.sleep(self.delay_s)
        if trio.current_time() < self.down_until:
            raise BeaconError("no beacon node answers")
        if self.is_untold:
            raise LivenessUnavailable({"teku": "tracking is off"}, ())
        return {index: index == INDEX and epoch in self.live for index in indices}


class Scene:
    """One life of an operator after another; `held` is what its signer holds."""

    def __init__(self, path: Path, *, slot: float) -> None:
        self.path = path
        self.wall = Wall(slot=slot)
        self.clock = self.wall.slot_clock()
        self.signs = Signs()
        self.own = {KEY}
        self.held: set[PublicKey] = set()
        self.guard = self.begin()

    def begin(self) -> Doppelganger:
        """A new life."""
        self.held.clear()
        self.guard = Doppelganger(
            clock=self.clock,
            beacon=self.signs,
            path=self.path,
            own=lambda: self.own,
            hold=self.held.add,
            release=self.held.discard,
        )
        return self.guard

    def learn(self, *, activation_epoch: int = 0) -> None:
        """The beacon chain tells of an own validator and of a stranger."""
        state = ValidatorState(
            INDEX, "active_ongoing", Epoch(activation_epoch), FAR_FUTURE_EPOCH, 32 * 10**9
        )
        self.guard.learn_states({KEY: state, OTHER: state}, self.clock.epoch())

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with trio.open_nursery() as nursery:
            await nursery.start(self.guard.run)
            yield
            nursery.cancel_scope.cancel()

    async def until(self, epoch: float) -> None:
        slot = epoch * SLOTS_PER_EPOCH
        await self.clock.sleep_until(self.clock.start_ms(0) + round(slot * self.clock.slot_ms))


async def on_disk(is_there: Callable[[], bool]) -> None:
    """The mock clock does not wait for disks."""
    patience = monotonic() + 20
    while not is_there():
        assert monotonic() < patience
        await trio.to_thread.run_sync(bool)


def play(scene: Scene, act: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        async with scene.running():
            await act()

    run(main)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path / "watches.json", slot=3.5 * SLOTS_PER_EPOCH)


def test_a_new_validator_is_held_for_two_epochs(scene: Scene) -> None:
    async def act() -> None:
        scene.learn()
        assert scene.held == {KEY} == scene.guard.watched()
        await scene.until(6.1)
        assert scene.held == {KEY}
        await scene.until(6.2)
        assert scene.held == set() == scene.guard.watched()
        await scene.until(9)

    play(scene, act)
    assert [epoch for epoch, _ in scene.signs.asked] == [4, 5]
    assert scene.guard.found == scene.guard.failures == 0


def test_signs_of_life_from_elsewhere_are_told_and_hold_longer(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.signs.live = {5}

    async def act() -> None:
        scene.learn()
        await scene.until(8)
        assert scene.held == {KEY}
        await scene.until(8.5)

    play(scene, act)
    assert scene.held == set()
    assert scene.guard.found == 1
    (told,) = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert KEY.hex() in told.message
    assert "signs somewhere else too" in told.message


def test_the_own_committees_quorum_releases_one_that_was_pending(scene: Scene) -> None:
    async def act() -> None:
        scene.learn(activation_epoch=5)
        assert scene.held == {KEY}
        scene.guard.saw_quorum(KEY, Epoch(4))
        assert scene.held == set()

    play(scene, act)


def test_silent_beacon_nodes_are_asked_again_within_the_epoch(scene: Scene) -> None:
    async def act() -> None:
        scene.learn()
        scene.signs.down_until = trio.current_time() + 170
        await scene.until(6.3)

    play(scene, act)
    assert scene.held == set()
    assert scene.guard.failures > 2


def test_beacon_nodes_that_never_answer_are_given_up_and_asked_again(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.signs.delay_s = inf

    async def act() -> None:
        scene.learn()
        await scene.until(5.2)
        scene.signs.delay_s = 0.1
        await scene.until(6.3)

    play(scene, act)
    assert scene.held == set()
    assert "liveness: no answer within 20 s" in caplog.text


def test_an_epoch_without_an_answer_makes_the_watch_longer(scene: Scene) -> None:
    async def act() -> None:
        scene.learn()
        await scene.until(6)
        scene.signs.down_until = trio.current_time() + 96
        await scene.until(8.1)
        assert scene.held == {KEY}
        await scene.until(8.5)

    play(scene, act)
    assert scene.held == set()


def test_suspension_makes_the_watch_longer(scene: Scene) -> None:
    async def act() -> None:
        scene.learn()
        await scene.until(5.5)
        scene.wall.ahead_s += 2 * 96
        await scene.until(10.1)
        assert scene.held == {KEY}
        await scene.until(10.5)

    play(scene, act)
    assert scene.held == set()
    assert [epoch for epoch, _ in scene.signs.asked] == [4, 8, 9]


def test_a_restart_continues_the_watch(scene: Scene) -> None:
    async def act() -> None:
        scene.learn()
        await scene.until(5.5)

    async def again() -> None:
        assert scene.held == {KEY}  # before anybody tells of the validator
        scene.learn()
        await scene.until(6.5)

    async def main() -> None:
        async with scene.running():
            await act()
        scene.begin()
        async with scene.running():
            await again()

    run(main)
    assert scene.held == set()


def test_who_signed_here_lately_is_not_held_after_a_restart(scene: Scene) -> None:
    async def main() -> None:
        async with scene.running():
            scene.learn(activation_epoch=4)
            scene.guard.saw_quorum(KEY, Epoch(4))
            await scene.until(5.5)
        scene.begin()
        scene.learn()
        assert scene.held == set()
        await scene.until(8)
        scene.begin()
        scene.learn()
        assert scene.held == {KEY}

    run(main)


def test_a_validator_that_left_is_new_when_it_comes_back(scene: Scene) -> None:
    async def act() -> None:
        scene.learn(activation_epoch=9)
        scene.guard.saw_quorum(KEY, Epoch(3))
        scene.guard.forget(KEY)
        scene.learn()
        assert scene.held == {KEY}
        scene.guard.forget(KEY)
        assert scene.held == set()

    play(scene, act)


def test_a_reactivated_validator_is_held_again(scene: Scene) -> None:
    async def act() -> None:
        scene.learn()
        scene.held.clear()
        scene.guard.watch_again(KEY, is_active=True)
        assert scene.held == {KEY}
        scene.guard.saw_quorum(KEY, Epoch(3))  # it was active before it came back
        scene.guard.watch_again(OTHER, is_active=True)
        assert scene.held == {KEY}

    play(scene, act)


def test_a_watch_that_was_written_outlives_a_kill(scene: Scene) -> None:
    async def main() -> None:
        async with scene.running():
            scene.learn(activation_epoch=4)
            scene.guard.saw_quorum(KEY, Epoch(4))
            await scene.until(4.5)
        scene.begin()
        scene.guard.watch_again(KEY, is_active=True)
        assert await scene.guard.write()
        scene.begin()  # without the end of the life before, which writes too
        assert scene.held == {KEY}

    run(main)


def test_a_write_in_between_leaves_no_later_change_unwritten(scene: Scene) -> None:
    async def act() -> None:
        await scene.until(4)
        assert await scene.guard.write()
        scene.learn()
        await on_disk(lambda: KEY.hex().encode() in scene.path.read_bytes())

    play(scene, act)


def test_the_genesis_epoch_needs_no_watch(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "watches.json", slot=-2)

    async def act() -> None:
        scene.learn()
        assert scene.held == set()
        await scene.until(3)

    play(scene, act)
    assert scene.signs.asked == []


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b'{"schema": 9, "validators": {}}', b'{"schema": 1, "validators": {"0xzz": {}}}'],
)
def test_a_damaged_file_makes_watches_longer(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "watches.json"
    path.write_bytes(content)
    scene = Scene(path, slot=30)

    async def act() -> None:
        scene.learn()
        assert scene.held == {KEY}

    play(scene, act)
    assert "all validators are watched anew" in caplog.text


def test_a_file_that_cannot_be_written_is_told_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "later"
    scene = Scene(folder / "watches.json", slot=30)

    async def act() -> None:
        scene.learn()
        await on_disk(lambda: scene.guard.failures >= 1)
        folder.mkdir()
        await scene.until(4.5)

    play(scene, act)
    assert scene.guard.failures >= 1
    assert "could not be written" in caplog.text
    assert KEY.hex() in (folder / "watches.json").read_text()


def test_beacon_nodes_that_never_tell_hold_nobody_for_ever(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    async def act() -> None:
        scene.signs.is_untold = True
        scene.learn()
        await scene.until(6.9)
        assert scene.held == {KEY}
        await scene.until(7.2)
        assert scene.held == set()
        assert scene.guard.unseen == 1

    play(scene, act)
    assert "nobody could tell" in caplog.text


def test_one_beacon_node_that_tells_before_the_epoch_is_over_is_enough(scene: Scene) -> None:
    async def act() -> None:
        scene.signs.is_untold = True
        scene.signs.live = {4, 5, 6}
        scene.learn()
        await scene.until(5.6)
        scene.signs.is_untold = False
        await scene.until(8.1)
        assert scene.held == {KEY}
        assert scene.guard.unseen == 0

    play(scene, act)
