"""Suspension, busy machines, broken streams and errors, on a mock clock."""

from __future__ import annotations

from math import inf

import pytest
import trio

from operator_node.beacon.types import BlockSeenEvent
from operator_node.scheduler import DutyDue
from operator_node.wire.ids import RunnerRole
from sdk.types import Slot
from tests.unit.operator_node.scheduler.scene import (
    DUE_MS,
    VALIDATORS,
    Scene,
    left,
    play,
)
from tests.unit.operator_node.scheduler.world import (
    head,
    root,
)


def test_slots_that_passed_in_suspension_are_counted_and_not_started(
    caplog: pytest.LogCaptureFixture,
) -> None:
    scene = Scene(slot=8.5)

    async def act() -> None:
        await scene.until(10.5)
        scene.wall.ahead_s += 5 * 12
        await scene.until(17.9)

    play(scene, act)
    assert {due.slot for _, due in scene.begun} == {8, 9, 10, 15, 16, 17}
    assert scene.scheduler.skipped_slots == 4
    assert "4 slots before slot 15 were skipped" in caplog.text
    assert all(at_ms < scene.clock.start_ms(due.slot + 1) for at_ms, due in scene.begun)
    assert scene.scheduler.late_starts == 0  # this process was not the one that was slow


def test_a_clock_set_back_begins_nothing_twice() -> None:
    scene = Scene(slot=8.5)

    async def act() -> None:
        await scene.until(14)
        scene.wall.ahead_s -= 3 * 12
        await scene.until(16)

    play(scene, act)
    assert all(len(scene.slots_of(index)) <= 1 for index in VALIDATORS)


def test_a_duty_that_cannot_be_begun_costs_no_other(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene(slot=8.5, held=(1, 17))
    record = scene.emit

    def fail_once(due: DutyDue) -> None:
        scene.emit = record
        raise RuntimeError("a bug")

    scene.emit = fail_once

    async def act() -> None:
        await scene.until(11)

    play(scene, act)
    assert scene.scheduler.crashes == 1
    assert [due.role for _, due in scene.begun if due.slot == 9] == [RunnerRole.COMMITTEE]
    assert "a bug" in caplog.text


def test_a_machine_that_is_too_busy_is_noticed(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene(slot=8.5, held=(1, 2, 3))

    async def act() -> None:
        await scene.until(10 - 0.5 / 12)
        scene.wall.ahead_s += 0.1  # as if the process were woken so much too late
        await scene.until(11.5)

    play(scene, act)
    assert scene.scheduler.late_starts == 1
    assert "aggregator_committee of slot 10 starts" in caplog.text


def test_heads_of_other_times_are_passed_over() -> None:
    scene = Scene(slot=9.5, held=(2,))

    async def act() -> None:
        for slot in (7, 12, 99):
            scene.beacon.tells.send_nowait(head(slot, previous="other", current="other"))
            scene.beacon.tells.send_nowait(BlockSeenEvent(Slot(slot), root("b")))
        await scene.until(13)

    play(scene, act)
    assert scene.into_slot_ms(RunnerRole.COMMITTEE) == {DUE_MS}
    # The one of slot 7 is old, but no newer one was heard of: it counts for its own two epochs.
    assert scene.beacon.count("attesters", 1) <= 3


def test_a_beacon_node_that_never_answers_is_given_up_and_asked_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    scene = Scene(slot=8.5, held=(3, 4))
    scene.beacon.delay_s = inf

    async def act() -> None:
        await scene.until(9)
        scene.beacon.delay_s = 0.05
        await scene.until(12.5)

    play(scene, act)
    assert "no answer within 20 s" in caplog.text
    assert scene.slots_of(3) == [11]


def test_an_error_that_nobody_expected_is_counted_and_the_task_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    scene = Scene(slot=8.5, held=(2, 3, 4))
    states = scene.registry.holdings

    async def act() -> None:
        await scene.until(9.5)
        scene.registry.holdings = None  # type: ignore[assignment]
        scene.scheduler.hear_registry(left(99))
        await scene.until(9.7)
        scene.registry.holdings = states
        await scene.until(13)

    play(scene, act)
    assert scene.scheduler.crashes > 0
    assert "beginning duties stopped" in caplog.text
    assert [scene.slots_of(index) for index in (2, 3, 4)] == [[10], [11], [12]]


def test_a_broken_stream_of_events_is_taken_up_again() -> None:
    scene = Scene(slot=8.5, held=(1, 2, 3))

    async def act() -> None:
        old = scene.beacon.tells
        scene.beacon.tells, scene.beacon._events = trio.open_memory_channel(8)
        old.close()
        await scene.until(10.2)
        scene.beacon.tells.send_nowait(head(10))
        await scene.until(11)

    play(scene, act)
    assert scene.scheduler.crashes >= 1
    at_ms = next(at_ms for at_ms, due in scene.of(RunnerRole.COMMITTEE) if due.slot == 10)
    assert at_ms - scene.clock.start_ms(10) == 2_700
