"""Validators that appear, leave or come back, and what the registry asks for, on a mock clock."""

from __future__ import annotations

from dataclasses import replace

from operator_node.registry.notices import (
    ExitRequested,
    FeeRecipientChanged,
    Liquidated,
    Reactivated,
    RolledBack,
)
from operator_node.wire.ids import RunnerRole
from sdk.chain import Point
from sdk.types import Address, BlockNumber, Epoch
from tests.unit.operator_node.mock_time import GENESIS, SLOT_MS
from tests.unit.operator_node.scheduler.scene import (
    Scene,
    left,
    play,
)
from tests.unit.operator_node.scheduler.world import (
    OWNER,
    key_of,
)


def test_a_validator_that_appears_two_seconds_before_its_slot_is_in_time() -> None:
    scene = Scene(slot=14, held=(1,))
    scene.beacon.add(23)

    async def act() -> None:
        await scene.until(15 - 2 / 12)  # its only duty of the epoch is in the last slot
        scene.registry.hold(23)
        scene.scheduler.hear_registry(left(99))
        await scene.until(17)

    play(scene, act)
    assert scene.slots_of(23) == [15]
    alone = [asked for asked in scene.beacon.asked if asked[:2] == ("attesters", 1)]
    assert [asked[2] for asked in alone] == [(1,), (23,)]


def test_a_validator_that_leaves_or_is_liquidated_stops_at_once() -> None:
    scene = Scene(slot=8.5, held=(4, 5, 6))

    async def act() -> None:
        await scene.until(11.9)
        del scene.registry.holdings[key_of(4)]
        scene.registry.holdings[key_of(5)] = replace(
            scene.registry.holdings[key_of(5)], active=False
        )
        scene.scheduler.hear_registry(left(99))
        await scene.until(16)

    play(scene, act)
    assert [scene.slots_of(index) for index in (4, 5, 6)] == [[], [], [14]]


def test_a_reactivated_cluster_has_duties_again() -> None:
    scene = Scene(slot=8.5, held=(4, 6))
    active = scene.registry.holdings[key_of(6)]
    scene.registry.holdings[key_of(6)] = replace(active, active=False)

    async def act() -> None:
        scene.scheduler.hear_registry(Liquidated(key_of(6)))
        await scene.until(15.1)
        scene.registry.holdings[key_of(6)] = active
        scene.scheduler.hear_registry(Reactivated(key_of(6)))
        await scene.until(23)

    play(scene, act)
    assert scene.slots_of(6) == [22]


def test_pending_validators_begin_in_their_activation_epoch() -> None:
    scene = Scene(slot=8.5, held=(1,))
    scene.registry.hold(2)
    scene.beacon.add(2, activation_epoch=Epoch(3), status="pending_queued")

    async def act() -> None:
        await scene.until(32)

    play(scene, act)
    assert scene.slots_of(2) == [26]


def exit_of(index: int, *, slot: int, block: int = 1) -> ExitRequested:
    return ExitRequested(key_of(index), BlockNumber(block), GENESIS + slot * 12 + 5)


def test_an_exit_is_begun_four_slots_after_its_block() -> None:
    scene = Scene(slot=8.5, held=(1, 2))

    async def act() -> None:
        scene.scheduler.hear_registry(exit_of(1, slot=8))
        scene.scheduler.hear_registry(exit_of(1, slot=8))
        scene.scheduler.hear_registry(exit_of(2, slot=9, block=2))
        scene.scheduler.hear_registry(RolledBack(Point(BlockNumber(1), b"\x01" * 32)))
        await scene.until(20.5)
        scene.scheduler.hear_registry(exit_of(2, slot=10, block=2))  # seen late: begun at once
        await scene.until(25)

    play(scene, act)
    exits = [
        (due.parts[0].validator_index, due.slot, at_ms - scene.clock.start_ms(0))
        for at_ms, due in scene.of(RunnerRole.VOLUNTARY_EXIT)
    ]
    assert exits == [(1, 12, 12 * SLOT_MS), (2, 14, round(20.5 * SLOT_MS))]


def test_a_new_recipient_registers_the_owners_validators() -> None:
    scene = Scene(slot=8.5, held=(1, 2, 3))
    stranger = replace(scene.registry.holdings[key_of(3)], owner=Address(b"\x03" * 20))
    scene.registry.holdings[key_of(3)] = stranger

    async def act() -> None:
        change = FeeRecipientChanged(OWNER, Address(b"\x04" * 20), BlockNumber(1), GENESIS + 9 * 12)
        scene.scheduler.hear_registry(change)
        await scene.until(25)

    play(scene, act)
    registered = scene.of(RunnerRole.VALIDATOR_REGISTRATION)
    assert {due.parts[0].validator_index for _, due in registered} == {1, 2}
    assert {(due.slot, at_ms - due.at_ms) for at_ms, due in registered} == {(13, 0)}


def test_without_the_registrys_past_all_its_requests_are_forgotten() -> None:
    scene = Scene(slot=8.5, held=(1,))

    async def act() -> None:
        scene.scheduler.hear_registry(exit_of(1, slot=8))
        scene.scheduler.hear_registry(RolledBack(None))
        await scene.until(14)

    play(scene, act)
    assert scene.of(RunnerRole.VOLUNTARY_EXIT) == []
