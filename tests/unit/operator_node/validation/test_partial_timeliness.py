"""Rules P10 to P15, about the past, the time and duties: a named case each."""

from __future__ import annotations

import pytest

from operator_node.wire.ids import RunnerRole
from operator_node.wire.messages import PartialKind, SignedMessage
from tests.unit.operator_node.validation.verdicts import ignored
from tests.unit.operator_node.validation.world import (
    ALAN_SLOT,
    BOOLE_SLOT,
    EPOCH,
    SLOT_MS,
    VALIDATOR,
    World,
    consensus,
    partials,
    post_consensus,
    prepare,
    registration,
    voluntary_exit,
)

COMMITTEE, AGGREGATOR, PROPOSER = (
    RunnerRole.COMMITTEE,
    RunnerRole.AGGREGATOR,
    RunnerRole.PROPOSER,
)
CONTRIBUTION, REGISTRATION = RunnerRole.SYNC_CONTRIBUTION, RunnerRole.VALIDATOR_REGISTRATION
AGGREGATORS = RunnerRole.AGGREGATOR_COMMITTEE
POST, RANDAO, SELECTION = (
    PartialKind.POST_CONSENSUS,
    PartialKind.RANDAO,
    PartialKind.SELECTION_PROOF,
)
PROOFS = PartialKind.CONTRIBUTION_PROOFS


def ignores(message: SignedMessage, number: str, *, slot: int = ALAN_SLOT) -> None:
    ignored(World().hear(message, slot=slot), number)


@pytest.mark.parametrize("role", [REGISTRATION, AGGREGATOR])
def test_p10_a_validators_signer_does_not_go_back_to_an_earlier_slot(role: int) -> None:
    world = World()
    kind = PartialKind.VALIDATOR_REGISTRATION if role == REGISTRATION else SELECTION
    later = partials(kind, role=role, slot=ALAN_SLOT + 1)
    world.accept(later, slot=ALAN_SLOT + 1)
    ignored(world.hear(partials(kind, role=role)), "P10")


def test_p10_consensus_moves_the_signer_on_too() -> None:
    world = World()
    world.accept(prepare(1, slot=ALAN_SLOT + 1, role=AGGREGATOR), slot=ALAN_SLOT + 1)
    ignored(world.hear(partials(SELECTION, role=AGGREGATOR)), "P10")


@pytest.mark.parametrize(("role", "slot"), [(COMMITTEE, ALAN_SLOT), (AGGREGATORS, BOOLE_SLOT)])
def test_p10_a_committees_slots_run_side_by_side(role: int, slot: int) -> None:
    world = World()
    world.accept(post_consensus(role=role, slot=slot + 1), slot=slot + 1)
    world.accept(post_consensus(role=role, slot=slot), slot=slot)


@pytest.mark.parametrize("kind", [RANDAO, POST])
def test_p11_a_proposer_without_a_proposal_duty_is_ignored(kind: int) -> None:
    slot = ALAN_SLOT + 1
    ignores(partials(kind, role=PROPOSER, slot=slot), "P11", slot=slot)


def test_p11_a_contributor_outside_the_sync_committee_is_ignored() -> None:
    world = World()
    world.registry.syncing = {101}
    ignored(world.hear(partials(PROOFS, role=CONTRIBUTION)), "P11")


def fetching() -> World:
    world = World()
    world.registry.fetched = False
    return world


FIRST_SLOT = ALAN_SLOT - ALAN_SLOT % EPOCH


def test_p11_randao_in_an_epochs_first_slot_is_tolerated_while_duties_are_fetched() -> None:
    fetching().accept(partials(RANDAO, role=PROPOSER, slot=FIRST_SLOT), slot=FIRST_SLOT)


@pytest.mark.parametrize(
    ("world", "kind", "slot", "into_slot_ms"),
    [
        (World(), RANDAO, FIRST_SLOT, 0),
        (fetching(), POST, FIRST_SLOT, 0),
        (fetching(), RANDAO, FIRST_SLOT + 1, 0),
        (fetching(), RANDAO, FIRST_SLOT, SLOT_MS),
    ],
    ids=["duties known", "not randao", "not the first slot", "after the first slot"],
)
def test_p11_nothing_else_is_tolerated(
    world: World, kind: int, slot: int, into_slot_ms: int
) -> None:
    message = partials(kind, role=PROPOSER, slot=slot)
    ignored(world.hear(message, slot=slot, into_slot_ms=into_slot_ms), "P11")


def test_p12_a_second_post_consensus_message_is_ignored() -> None:
    world = World()
    world.accept(post_consensus(indexes=(100,)))
    ignored(world.hear(post_consensus(indexes=(101,))), "P12")
    world.accept(post_consensus(2))
    world.accept(post_consensus(slot=ALAN_SLOT + 1), slot=ALAN_SLOT + 1)


def test_p12_a_second_pre_consensus_message_is_ignored() -> None:
    world = World()
    message = partials(RANDAO, role=PROPOSER)
    world.accept(message)
    ignored(world.hear(message), "P12")
    world.accept(post_consensus(role=PROPOSER))
    ignored(world.hear(post_consensus(role=PROPOSER)), "P12")


def test_p12_a_new_round_does_not_permit_another_message() -> None:
    world = World()
    world.accept(post_consensus())
    world.accept(consensus(3, 1, round_=2))
    ignored(world.hear(post_consensus()), "P12")


def test_p13_a_message_before_its_slot_is_ignored() -> None:
    ignored(World().hear(post_consensus(), into_slot_ms=-51), "P13")
    World().accept(post_consensus(), into_slot_ms=-50)


@pytest.mark.parametrize(
    ("role", "slot", "slots"),
    [
        (COMMITTEE, ALAN_SLOT, 34),
        (AGGREGATOR, ALAN_SLOT, 34),
        (PROPOSER, ALAN_SLOT, 3),
        (CONTRIBUTION, ALAN_SLOT, 3),
        (AGGREGATORS, BOOLE_SLOT, 34),
    ],
)
def test_p14_a_message_after_its_duty_is_ignored(role: int, slot: int, slots: int) -> None:
    latest_ms = slots * SLOT_MS + 3_050
    message = post_consensus(role=role, slot=slot)
    World().accept(message, slot=slot, into_slot_ms=latest_ms)
    ignored(World().hear(message, slot=slot, into_slot_ms=latest_ms + 1), "P14")


@pytest.mark.parametrize(("message", "slots"), [(registration(), 34), (voluntary_exit(), 7_200)])
def test_p14_recorded_registrations_and_exits_are_not_passed_on_for_ever(
    message: SignedMessage, slots: int
) -> None:
    latest_ms = slots * SLOT_MS + 3_050
    World().accept(message, into_slot_ms=latest_ms)
    ignored(World().hear(message, into_slot_ms=latest_ms + 1), "P14")


def test_p15_a_validator_has_two_registrations_per_epoch() -> None:
    world = World()
    for slot in (FIRST_SLOT, FIRST_SLOT + 1):
        world.accept(registration(slot), slot=slot)
    ignored(world.hear(registration(FIRST_SLOT + 2), slot=FIRST_SLOT + 2), "P15")
    world.accept(registration(FIRST_SLOT + 2, signer=2), slot=FIRST_SLOT + 2)
    world.accept(registration(FIRST_SLOT + EPOCH), slot=FIRST_SLOT + EPOCH)


def test_p15_an_exit_that_nobody_requested_is_ignored() -> None:
    world = World()
    ignored(world.hear(voluntary_exit(ALAN_SLOT + 1), slot=ALAN_SLOT + 1), "P15")
    world.accept(voluntary_exit())


def test_p15_as_many_exits_as_requested_are_accepted() -> None:
    world = World()
    for slot in range(ALAN_SLOT, ALAN_SLOT + 3):
        world.registry.exits[VALIDATOR, slot] = 2
    for slot in (ALAN_SLOT, ALAN_SLOT + 1):
        world.accept(voluntary_exit(slot), slot=slot)
    ignored(world.hear(voluntary_exit(ALAN_SLOT + 2), slot=ALAN_SLOT + 2), "P15")


def test_p15_all_phases_of_a_duty_are_one_duty() -> None:
    world = World()
    for slot in (FIRST_SLOT, FIRST_SLOT + 1):
        world.accept(partials(SELECTION, role=AGGREGATOR, slot=slot), slot=slot)
        world.accept(prepare(1, role=AGGREGATOR, slot=slot), slot=slot)
        world.accept(post_consensus(role=AGGREGATOR, slot=slot), slot=slot)
    third = partials(SELECTION, role=AGGREGATOR, slot=FIRST_SLOT + 2)
    ignored(world.hear(third, slot=FIRST_SLOT + 2), "P15")


def test_a_repetition_is_told_before_that_it_is_late() -> None:
    world = World()
    world.accept(post_consensus())
    ignored(world.hear(post_consensus(), into_slot_ms=35 * SLOT_MS), "P12")
