"""The whole scheduler on a mock clock: epochs, re-orgs, late beacon nodes, restarts."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import replace

import pytest
import trio

from operator_node.beacon.types import BlockSeenEvent, FinalizedEvent
from operator_node.wire.generations import ForkEpochs
from operator_node.wire.ids import BeaconRole, RunnerRole
from sdk.types import Address, Epoch, Slot
from tests.unit.operator_node.mock_time import SLOTS_PER_EPOCH
from tests.unit.operator_node.scheduler.scene import (
    DUE_MS,
    VALIDATORS,
    Scene,
    left,
    play,
)
from tests.unit.operator_node.scheduler.world import (
    CHAIN,
    FULU_CHAIN,
    OTHERS,
    head,
    key_of,
    proposer,
    root,
    seat,
)


def test_an_epoch_passes_with_every_duty_once_and_at_its_moment() -> None:
    scene = Scene()
    scene.beacon.seats = [seat(2, 1, 9)]
    scene.beacon.proposals = [proposer(3, 18), proposer(77, 19)]

    async def act() -> None:
        await scene.until(24)

    play(scene, act)
    assert {index: scene.slots_of(index) for index in VALIDATORS} == {
        index: [8 + index % 8, 16 + index % 8] for index in VALIDATORS
    }
    assert scene.slots_of(3, BeaconRole.PROPOSER) == [18]
    assert scene.slots_of(2, BeaconRole.SYNC_COMMITTEE)[-8:] == list(range(16, 24))
    later = [(at_ms, due) for at_ms, due in scene.begun if due.slot >= 9]
    assert all(at_ms == due.at_ms for at_ms, due in later)
    into_slot = {due.role: at_ms - scene.clock.start_ms(due.slot) for at_ms, due in later}
    assert into_slot == {
        RunnerRole.COMMITTEE: DUE_MS,
        RunnerRole.AGGREGATOR_COMMITTEE: 0,
        RunnerRole.PROPOSER: 0,
        RunnerRole.VALIDATOR_REGISTRATION: 0,
    }
    assert scene.scheduler.skipped_slots == scene.scheduler.late_starts == 0
    assert sum(scene.scheduler.fetcher.failures.values()) == scene.scheduler.crashes == 0


def test_committees_and_generations_follow_the_fork_in_mid_run() -> None:
    scene = Scene(forks=ForkEpochs(SLOTS_PER_EPOCH, Epoch(2)), held=())
    scene.registry.hold(1, 2)
    scene.registry.hold(9, committee=OTHERS)
    scene.beacon.add(1, 2, 9)

    async def act() -> None:
        await scene.until(24)

    play(scene, act)
    alone = [due.slot for _, due in scene.of(RunnerRole.AGGREGATOR)]
    together = [due.slot for _, due in scene.of(RunnerRole.AGGREGATOR_COMMITTEE)]
    assert sorted(alone) == [9, 9, 10]
    assert sorted(together) == [17, 17, 18]
    committees = {due.committee for _, due in scene.of(RunnerRole.COMMITTEE)}
    assert len(committees) == 2


def test_a_head_event_starts_the_committees_of_its_slot_early() -> None:
    scene = Scene(slot=9.5)

    async def act() -> None:
        for slot, into_slot_s in ((10, 0.5), (11, 3.9), (12, 6.0)):
            await scene.until(slot + into_slot_s / 12)
            scene.beacon.tells.send_nowait(head(slot))
        await scene.until(13)
        scene.beacon.tells.send_nowait(BlockSeenEvent(Slot(13), root("b")))
        scene.beacon.tells.send_nowait(FinalizedEvent(Epoch(0), root("f")))
        await scene.until(15)

    play(scene, act)
    starts = {
        due.slot: at_ms - scene.clock.start_ms(due.slot)
        for at_ms, due in scene.of(RunnerRole.COMMITTEE)
    }
    assert {slot: starts[Slot(slot)] for slot in range(10, 15)} == {
        10: 800,
        11: DUE_MS,
        12: DUE_MS,
        13: DUE_MS + 400,
        14: DUE_MS,
    }


def test_another_dependent_root_fetches_exactly_the_affected_epoch_again() -> None:
    scene = Scene(slot=8.5)

    async def act() -> None:
        await scene.until(13.5)  # duties of epochs 1 and 2 are there
        scene.beacon.tells.send_nowait(head(13))
        await scene.until(13.9)
        before = Counter((kind, epoch) for kind, epoch, _ in scene.beacon.asked)
        scene.beacon.roots[2] = "other"
        scene.beacon.shift[2] = 3
        scene.beacon.tells.send_nowait(head(13, current="other"))
        await scene.until(14.5)
        after = Counter((kind, epoch) for kind, epoch, _ in scene.beacon.asked)
        duties = {pair: count for pair, count in (after - before).items() if pair[1] >= 0}
        # Proposers of epoch 1 hang on the same block, and this node names another for them.
        assert duties == {("attesters", 2): 1, ("proposers", 1): duties[("proposers", 1)]}
        await scene.until(24)

    play(scene, act)
    assert {index: scene.slots_of(index)[-1] for index in VALIDATORS} == {
        index: 16 + (index + 3) % 8 for index in VALIDATORS
    }


def test_who_attested_before_a_reorg_does_not_attest_again_and_nobody_is_lost() -> None:
    scene = Scene(slot=8.5)

    async def act() -> None:
        await scene.until(20.5)  # half of epoch 2 is over
        scene.beacon.roots[2] = "other"
        scene.beacon.shift[2] = 4
        scene.beacon.tells.send_nowait(head(20, previous="other"))
        await scene.until(24)

    play(scene, act)
    in_epoch = {index: [s for s in scene.slots_of(index) if s >= 16] for index in VALIDATORS}
    assert all(len(slots) <= 1 for slots in in_epoch.values())
    before = {index for index in VALIDATORS if index % 8 <= 4}
    assert {index for index, slots in in_epoch.items() if slots and slots[0] <= 20} == before
    # Those of the second half moved to the first, which is over: that is what the re-org cost.
    assert all(in_epoch[index] == [] for index in VALIDATORS if index % 8 > 4)


def test_old_duties_stay_in_use_until_beacon_nodes_answer() -> None:
    scene = Scene(slot=8.5)

    async def act() -> None:
        await scene.until(16.1)
        scene.beacon.down_until = trio.current_time() + 6 * 12
        scene.beacon.roots[2] = "other"
        scene.beacon.shift[2] = 1
        scene.beacon.tells.send_nowait(head(16, previous="other"))
        await scene.until(22.05)
        assert {scene.slots_of(index)[-1] for index in (1, 2, 3, 4)} == {17, 18, 19, 20}
        await scene.until(24)

    play(scene, act)
    assert scene.scheduler.fetcher.failures["attester duties"] > 3
    assert scene.slots_of(6)[-1] == 23
    assert scene.scheduler.crashes == 0


def test_a_beacon_node_that_comes_late_is_used_within_its_slot(
    caplog: pytest.LogCaptureFixture,
) -> None:
    scene = Scene(slot=9)
    scene.beacon.down_until = 12.5

    async def act() -> None:
        await scene.until(11)

    with caplog.at_level(logging.WARNING):
        play(scene, act)
    assert [due.slot for _, due in scene.of(RunnerRole.COMMITTEE)] == [10]
    assert "validators could not be had" in caplog.text
    assert "Traceback" not in caplog.text


def test_a_restart_takes_part_in_the_running_slot() -> None:
    scene = Scene(slot=9.75)

    async def act() -> None:
        await scene.until(10)

    play(scene, act)
    assert [(due.slot, at_ms - due.at_ms) for at_ms, due in scene.of(RunnerRole.COMMITTEE)] == [
        (9, 9_000 + 100 - DUE_MS)
    ]
    assert scene.scheduler.late_starts == 0


def test_nothing_happens_before_genesis_and_all_from_its_first_slot_on() -> None:
    scene = Scene(slot=-2)

    async def act() -> None:
        await scene.until(-0.01)
        assert scene.begun == []
        await scene.until(8)

    play(scene, act)
    assert {index: scene.slots_of(index) for index in VALIDATORS} == {
        index: [index % 8] for index in VALIDATORS
    }
    assert scene.scheduler.skipped_slots == 0


def test_others_learn_what_beacon_nodes_say() -> None:
    scene = Scene(slot=8.5, held=(1,))
    scene.registry.strangers = {key_of(40)}
    scene.beacon.add(40)
    scene.beacon.proposals = [proposer(40, 12)]
    scene.beacon.seats = [seat(40)]

    async def act() -> None:
        await scene.until(9)

    play(scene, act)
    assert set(scene.learnt.states) == {key_of(1), key_of(40)}
    assert scene.learnt.proposers[Epoch(1)] == {(12, 40)}
    assert scene.learnt.members == {(Epoch(0), Epoch(7)): {40}}
    assert scene.slots_of(40, BeaconRole.PROPOSER) == []


def test_others_hear_of_a_stranger_that_becomes_own_before_its_duties_begin() -> None:
    scene = Scene(slot=8.5, held=())
    scene.registry.strangers = {key_of(3)}
    scene.beacon.add(3)

    async def act() -> None:
        await scene.until(9)
        assert scene.learnt.told[key_of(3)] == 1
        scene.registry.hold(3)
        scene.scheduler.hear_registry(left(99))
        await scene.until(11.5)
        assert scene.learnt.told[key_of(3)] == 2
        scene.scheduler.hear_registry(left(3))  # and came back at once
        scene.beacon.delay_s = 1
        assert scene.scheduler.planned(Slot(19)) == ()
        await scene.until(12)

    play(scene, act)
    assert scene.learnt.told[key_of(3)] == 3
    assert scene.slots_of(3) == [11]


def test_the_next_sync_committee_is_fetched_two_epochs_ahead() -> None:
    scene = Scene(slot=8.5, held=(1,))

    async def act() -> None:
        await scene.until(48.9)
        assert scene.beacon.count("sync", 8) == 0
        await scene.until(51)

    play(scene, act)
    assert (scene.beacon.count("sync", 1), scene.beacon.count("sync", 8)) == (1, 1)
    assert (Epoch(7), Epoch(15)) in scene.learnt.members


def test_before_altair_nobody_asks_for_sync_committees() -> None:
    chain = replace(CHAIN, forks=CHAIN.forks[:1])
    scene = Scene(slot=8.5, chain=chain, held=(1,))

    async def act() -> None:
        await scene.until(18)

    play(scene, act)
    assert [kind for kind, _, _ in scene.beacon.asked if kind == "sync"] == []
    assert scene.slots_of(1) == [9, 17]


def test_from_fulu_on_proposers_are_known_an_epoch_ahead() -> None:
    scene = Scene(slot=8.5, chain=FULU_CHAIN, held=(1,))
    scene.beacon.proposals = [proposer(1, 16)]

    async def act() -> None:
        await scene.until(9)
        assert Epoch(2) in scene.learnt.proposers
        await scene.until(17)

    play(scene, act)
    assert [at_ms - due.at_ms for at_ms, due in scene.of(RunnerRole.PROPOSER)] == [0]


def test_another_proposer_delay_counts_from_the_next_plan_on() -> None:
    scene = Scene(slot=8.5)
    scene.beacon.proposals = [proposer(1, 10), proposer(1, 13)]

    async def act() -> None:
        await scene.until(11)
        scene.scheduler.delay_proposals(400)
        await scene.until(14)

    play(scene, act)
    assert [
        (due.slot, due.data_at_ms - scene.clock.start_ms(due.slot))
        for _, due in scene.of(RunnerRole.PROPOSER)
    ] == [(10, 0), (13, 400)]


def test_beacon_nodes_are_told_of_subnets_and_recipients() -> None:
    scene = Scene(slot=8.5, held=(1, 2))
    scene.beacon.seats = [seat(2, 4)]
    scene.beacon.proposals = [proposer(1, 11)]

    async def act() -> None:
        await scene.until(12)
        new = replace(scene.registry.holdings[key_of(2)], fee_recipient=Address(b"\x02" * 20))
        scene.registry.holdings[key_of(2)] = new
        scene.scheduler.hear_registry(left(99))
        await scene.until(17)

    play(scene, act)
    subscribed = [(each.validator_index, each.slot) for each in scene.beacon.subscriptions]
    assert sorted(subscribed) == [(1, 9), (1, 17), (2, 10), (2, 18)]
    assert all(each.is_aggregator for each in scene.beacon.subscriptions)
    assert [(each.validator_index, each.until_epoch) for each in scene.beacon.seated] == [(2, 8)]
    at = [(8.5 + at_s / 12, told[2][0]) for at_s, told in scene.beacon.prepared]
    # At the start, a slot before the proposal, after the change, and in the next epoch.
    assert [(int(slot), first) for slot, first in at] == [(8, 15), (10, 15), (12, 2), (16, 2)]
