"""The slot clock: slots, sleeping, and what happens when the wall clock jumps."""

from __future__ import annotations

import time

import pytest
import trio
from trio.testing import MockClock

from operator_node.clock import SlotClock, wall_ms
from sdk.errors import ConfigError
from tests.unit.operator_node.mock_time import GENESIS, SLOT_MS, SLOTS_PER_EPOCH, Wall, run


@pytest.mark.parametrize(
    ("at", "slot", "epoch"), [(0, 0, 0), (7.99, 7, 0), (8, 8, 1), (-0.5, -1, -1), (-9, -9, -2)]
)
def test_slots_and_epochs_are_counted_from_genesis(at: float, slot: int, epoch: int) -> None:
    async def main() -> None:
        clock = Wall(slot=at).slot_clock()
        assert (clock.slot(), clock.epoch()) == (slot, epoch)
        assert clock.start_ms(slot) <= clock.now_ms() < clock.start_ms(slot + 1)

    run(main)


def test_the_machines_time_is_there_before_any_chain() -> None:
    assert abs(wall_ms() - time.time() * 1000) < 5_000


def test_time_is_unix_milliseconds() -> None:
    async def main() -> None:
        clock = Wall(slot=1).slot_clock()
        assert clock.now_ms() == clock.start_ms(1) == (GENESIS + 12) * 1000
        await trio.sleep(0.25)
        assert clock.now_ms() == (GENESIS + 12) * 1000 + 250

    run(main)


def test_worker_threads_are_told_the_wall_clocks_time() -> None:
    async def main() -> None:
        clock = SlotClock(
            genesis_time=GENESIS,
            slot_ms=SLOT_MS,
            slots_per_epoch=SLOTS_PER_EPOCH,
            wall=lambda: GENESIS + 3.5 * SLOT_MS / 1000,
        )
        assert clock.slot() == 3
        assert await trio.to_thread.run_sync(clock.slot) == 3
        assert await trio.to_thread.run_sync(clock.epoch) == 0

    run(main)


def test_sleeping_ends_at_its_moment() -> None:
    async def main() -> None:
        clock = Wall(slot=0.25).slot_clock()
        await clock.sleep_until(clock.start_ms(3))
        assert clock.now_ms() == clock.start_ms(3)
        await clock.sleep_until(clock.start_ms(1))
        assert clock.now_ms() == clock.start_ms(3)

    run(main)


def test_waiting_ends_with_the_event_or_at_its_moment() -> None:
    async def main() -> None:
        clock = Wall().slot_clock()
        event = trio.Event()
        assert not await clock.wait(event, until_ms=clock.start_ms(1))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep, 3)
            with trio.CancelScope(deadline=trio.current_time() + 2) as scope:
                await trio.sleep_forever()
            event.set()
            assert scope.cancelled_caught
            assert await clock.wait(event, until_ms=clock.start_ms(9))
        assert clock.slot() == 1

    run(main)


def test_a_jump_is_taken_over_counted_and_told(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        wall = Wall()
        clock = wall.slot_clock()
        assert clock.slot() == 0
        wall.ahead_s += 60
        assert clock.slot() == 5
        wall.ahead_s -= 24
        assert clock.slot() == 3
        assert (clock.jumps, clock.jumped_ms) == (2, 36_000)

    run(main)
    assert "jumped by 60000 ms (5.0 slots)" in caplog.text


def test_a_steered_clock_is_followed_and_no_jump() -> None:
    async def main() -> None:
        wall = Wall()
        clock = wall.slot_clock()
        before_ms = clock.now_ms()
        for _ in range(100):
            wall.ahead_s += 0.01
            clock.now_ms()
        assert clock.now_ms() - before_ms == 1_000
        assert clock.jumps == 0

    run(main)


def test_a_sleeper_is_at_most_a_second_late_after_suspension() -> None:
    async def main() -> None:
        wall = Wall()
        clock = wall.slot_clock()

        async def suspend() -> None:
            await trio.sleep(1.5)
            wall.ahead_s += 120

        async with trio.open_nursery() as nursery:
            nursery.start_soon(suspend)
            await clock.sleep_until(clock.start_ms(2))
        assert trio.current_time() <= 2.5
        assert clock.slot() == 10

    run(main)


def test_readings_of_two_moments_are_not_compared() -> None:
    readings = iter([0.0, 9.0, 9.0])  # the process was held up before the second one
    walls = iter([1000.0, 1009.0])
    clock = SlotClock(
        genesis_time=0,
        slot_ms=1000,
        slots_per_epoch=8,
        wall=lambda: next(walls),
        monotonic=lambda: next(readings),
    )

    async def main() -> None:
        assert clock.now_ms() == 1_009_000

    trio.run(main, clock=MockClock())
    assert next(walls, None) is None


def test_without_more_it_shows_the_machines_time_and_moves_with_trio() -> None:
    async def main() -> None:
        clock = SlotClock(genesis_time=GENESIS, slot_ms=SLOT_MS, slots_per_epoch=SLOTS_PER_EPOCH)
        first_ms = clock.now_ms()
        assert abs(first_ms - time.time() * 1000) < 5_000
        await trio.sleep(3_600)
        assert abs(clock.now_ms() - first_ms - 3_600_000) < 5_000
        assert clock.jumps == 0

    run(main)


@pytest.mark.parametrize(("slot_ms", "slots"), [(0, 32), (12_000, 0)])
def test_a_chain_without_time_is_refused(slot_ms: int, slots: int) -> None:
    with pytest.raises(ConfigError, match="slots of"):
        SlotClock(genesis_time=0, slot_ms=slot_ms, slots_per_epoch=slots)
