"""Rules C16 to C25 and C29, about the past, the time, duties and signatures: a named case each."""

from __future__ import annotations

from itertools import combinations

import pytest
from msgspec.structs import replace

from operator_node.validation import Accept, Ignore, KnownCommittee
from operator_node.wire.ids import RunnerRole
from operator_node.wire.messages import ConsensusKind, SignedMessage
from sdk.types import OperatorId
from tests.unit.operator_node.validation.verdicts import ignored, rejected
from tests.unit.operator_node.validation.world import (
    A_ID,
    ALAN_SLOT,
    BOOLE_SLOT,
    C_ID,
    EPOCH,
    SLOT_MS,
    World,
    commit,
    consensus,
    decided,
    post_consensus,
    prepare,
    proposal,
    round_change,
    topic,
)

PREPARE, COMMIT = ConsensusKind.PREPARE, ConsensusKind.COMMIT


def rejects(message: SignedMessage, number: str, world: World | None = None) -> None:
    rejected((world or World()).hear(message), number)


def ignores(message: SignedMessage, number: str, world: World | None = None) -> None:
    ignored((world or World()).hear(message), number)


def at_slot(slot: int, signer: int = 1, role: int = RunnerRole.COMMITTEE) -> SignedMessage:
    return consensus(PREPARE, signer, slot=slot, role=role)


def test_c16_a_round_below_one_seen_from_the_signer_is_ignored() -> None:
    world = World()
    world.accept(round_change(2, round_=2))
    ignores(prepare(2), "C16", world)
    world.accept(prepare(3))
    world.accept(commit(2, round_=2))


def test_c16_rounds_are_counted_per_slot() -> None:
    world = World()
    world.accept(round_change(2, round_=2))
    world.accept(at_slot(ALAN_SLOT + 1, 2), slot=ALAN_SLOT + 1)


def test_c16_a_decision_shows_the_round_of_its_signers() -> None:
    world = World()
    world.accept(decided(1, 2, 3, round_=2))
    ignores(commit(1), "C16", world)
    world.accept(commit(4))


def test_c16_a_decision_of_a_lower_round_is_still_news() -> None:
    world = World()
    world.accept(round_change(2, round_=3))
    world.accept(decided(1, 2, 3, round_=1))
    ignores(commit(2, round_=2), "C16", world)


def test_c17_a_second_proposal_with_another_value_is_ignored() -> None:
    world = World()
    world.accept(proposal())
    ignores(proposal(full_data=b"another"), "C17", world)


def test_c17_another_value_in_a_later_round_is_fine() -> None:
    world = World()
    world.accept(proposal())
    world.accept(proposal(1, round_=5, full_data=b"another"), into_slot_ms=9_000)


@pytest.mark.parametrize("message", [proposal(), prepare(), commit(), round_change(round_=1)])
def test_c18_the_same_step_again_is_ignored(message: SignedMessage) -> None:
    world = World()
    world.accept(message)
    ignores(message, "C18", world)


def test_c18_a_second_vote_for_another_value_is_ignored_and_not_passed_on() -> None:
    world = World()
    for kind in (PREPARE, COMMIT):
        world.accept(consensus(kind, 2))
        ignores(consensus(kind, 2, root=bytes(32)), "C18", world)


def test_nobody_rejects_what_an_honest_node_passed_on_of_a_signer_with_two_versions() -> None:
    pairs = [
        (proposal(), proposal(full_data=b"another")),
        (prepare(2), consensus(PREPARE, 2, root=bytes(32))),
        (post_consensus(2), post_consensus(2, indexes=(100, 101))),
    ]
    for one, other in pairs:
        relay, receiver = World(), World()
        receiver.accept(other)
        passed_on = [each for each in (one, other) if isinstance(relay.hear(each), Accept)]
        assert passed_on == [one]
        assert isinstance(receiver.hear(one), Ignore)


def test_c18_all_steps_of_all_operators_are_accepted_once_per_round() -> None:
    world = World()
    for signer in (1, 2, 3, 4):
        world.accept(prepare(signer))
        world.accept(commit(signer))
    world.accept(proposal(1))
    for signer in (1, 2, 3, 4):
        world.accept(round_change(signer))
        world.accept(prepare(signer, round_=2))


def test_c18_a_decision_is_no_commit_of_its_signers() -> None:
    world = World()
    world.accept(decided(1, 2, 3))
    world.accept(commit(1))


def test_c18_repetitions_are_counted_per_message_id() -> None:
    world = World()
    world.accept(prepare(role=RunnerRole.COMMITTEE))
    world.accept(prepare(role=RunnerRole.AGGREGATOR))


def test_c19_a_decision_of_no_more_signers_than_one_seen_is_ignored() -> None:
    world = World()
    world.accept(decided(1, 2, 3))
    ignores(decided(1, 2, 3), "C19", world)
    ignores(decided(1, 2, 3, round_=2), "C19", world)
    ignores(decided(1, 2, 4), "C19", world)
    world.accept(decided(1, 2, 3, 4))
    ignores(decided(2, 3, 4), "C19", world)
    world.accept(decided(1, 2, 3, slot=ALAN_SLOT + 1), slot=ALAN_SLOT + 1)


def test_c19_of_all_sets_of_13_signers_five_are_accepted_at_most() -> None:
    world = World()
    on = topic(committee=world.registry.committees[C_ID])
    sets = [each for size in range(9, 14) for each in combinations(range(1, 14), size)]
    verdicts = [world.hear(decided(*each, executor=C_ID), on=on) for each in sets]
    assert len(sets) == 1_093
    assert sum(isinstance(verdict, Accept) for verdict in verdicts) == 5


@pytest.mark.parametrize(
    ("into_slot_ms", "highest"), [(-50, 2), (0, 2), (1_999, 2), (2_000, 3), (16_000, 10)]
)
def test_c20_rounds_more_than_one_ahead_of_time_are_ignored(
    into_slot_ms: int, highest: int
) -> None:
    World().accept(prepare(round_=highest), into_slot_ms=into_slot_ms)
    above = World().hear(prepare(round_=highest + 1), into_slot_ms=into_slot_ms)
    ignored(above, "C20")


def test_c20_there_is_no_lowest_round() -> None:
    World().accept(prepare(round_=1), into_slot_ms=34 * SLOT_MS)


@pytest.mark.parametrize("role", [RunnerRole.AGGREGATOR, RunnerRole.SYNC_CONTRIBUTION])
def test_c21_a_validators_signer_does_not_go_back_to_an_earlier_slot(role: int) -> None:
    world = World()
    world.accept(at_slot(ALAN_SLOT + 1, 2, role), slot=ALAN_SLOT + 1)
    ignores(at_slot(ALAN_SLOT, 2, role), "C21", world)
    world.accept(at_slot(ALAN_SLOT, 3, role))


def test_c21_holds_for_every_signer_of_a_decision() -> None:
    world = World()
    role = RunnerRole.AGGREGATOR
    world.accept(at_slot(ALAN_SLOT + 1, 3, role), slot=ALAN_SLOT + 1)
    ignores(decided(1, 2, 3, role=role), "C21", world)
    world.accept(decided(1, 2, 4, role=role))


@pytest.mark.parametrize(
    ("role", "slot"),
    [(RunnerRole.COMMITTEE, ALAN_SLOT), (RunnerRole.AGGREGATOR_COMMITTEE, BOOLE_SLOT)],
)
def test_c21_a_committees_slots_run_side_by_side(role: int, slot: int) -> None:
    world = World()
    world.accept(at_slot(slot + 1, 2, role), slot=slot + 1)
    world.accept(at_slot(slot, 2, role), slot=slot)


@pytest.mark.parametrize("slot", [ALAN_SLOT, BOOLE_SLOT])
def test_c22_a_proposer_without_a_proposal_duty_is_ignored(slot: int) -> None:
    world = World()
    role = RunnerRole.PROPOSER
    world.accept(at_slot(slot, 1, role), slot=slot)
    ignored(world.hear(at_slot(slot + 1, 1, role), slot=slot + 1), "C22")


def test_c22_consensus_does_not_wait_for_duties_that_are_being_fetched() -> None:
    world = World()
    world.registry.fetched = False
    world.registry.proposals.clear()
    slot = ALAN_SLOT - ALAN_SLOT % EPOCH
    ignored(world.hear(at_slot(slot, 1, RunnerRole.PROPOSER), slot=slot), "C22")


def test_c22_a_contributor_outside_the_sync_committee_is_ignored() -> None:
    world = World()
    world.registry.syncing.clear()
    ignores(prepare(role=RunnerRole.SYNC_CONTRIBUTION), "C22", world)


def test_c23_a_message_before_its_slot_is_ignored() -> None:
    ignored(World().hear(prepare(), into_slot_ms=-51), "C23")
    World().accept(prepare(), into_slot_ms=-50)


@pytest.mark.parametrize(
    ("role", "slot", "slots"),
    [
        (RunnerRole.COMMITTEE, ALAN_SLOT, 34),
        (RunnerRole.AGGREGATOR, ALAN_SLOT, 34),
        (RunnerRole.PROPOSER, ALAN_SLOT, 3),
        (RunnerRole.SYNC_CONTRIBUTION, ALAN_SLOT, 3),
        (RunnerRole.AGGREGATOR_COMMITTEE, BOOLE_SLOT, 34),
    ],
)
def test_c24_a_message_after_its_duty_is_ignored(role: int, slot: int, slots: int) -> None:
    latest_ms = slots * SLOT_MS + 3_050
    message = prepare(role=role, slot=slot)
    World().accept(message, slot=slot, into_slot_ms=latest_ms)
    ignored(World().hear(message, slot=slot, into_slot_ms=latest_ms + 1), "C24")


def test_c24_a_height_beyond_all_time_is_only_early() -> None:
    slot = 2**64 - 1
    verdict = World().hear(consensus(PREPARE, slot=slot), on=topic(BOOLE_SLOT))
    ignored(verdict, "C23")


def committee_of(world: World, validators: int) -> None:
    world.registry.committees[A_ID] = KnownCommittee.of((1, 2, 3, 4), range(500, 500 + validators))


@pytest.mark.parametrize("role", [RunnerRole.COMMITTEE, RunnerRole.AGGREGATOR_COMMITTEE])
def test_c25_a_committee_has_two_duties_per_validator_and_epoch(role: int) -> None:
    world = World()
    committee_of(world, 3)
    first = BOOLE_SLOT - BOOLE_SLOT % EPOCH
    for slot in range(first, first + 6):
        world.accept(at_slot(slot, 2, role), slot=slot)
    ignored(world.hear(at_slot(first + 6, 2, role), slot=first + 6), "C25")
    world.accept(at_slot(first + 6, 3, role), slot=first + 6)
    again = consensus(COMMIT, 2, slot=first + 5, role=role)
    world.accept(again, slot=first + 6)
    world.accept(at_slot(first + EPOCH, 2, role), slot=first + EPOCH)


@pytest.mark.parametrize(("validators", "syncing"), [(16, set()), (3, {502})])
def test_c25_with_16_validators_or_a_sync_committee_every_slot_may_bring_a_duty(
    validators: int, syncing: set[int]
) -> None:
    world = World()
    committee_of(world, validators)
    world.registry.syncing = syncing
    first = ALAN_SLOT - ALAN_SLOT % EPOCH
    for slot in range(first, first + 2 * EPOCH):
        world.accept(at_slot(slot, 2), slot=slot)


def test_c25_15_validators_have_30_duties() -> None:
    world = World()
    committee_of(world, 15)
    first = ALAN_SLOT - ALAN_SLOT % EPOCH
    for slot in range(first, first + 30):
        world.accept(at_slot(slot, 2), slot=slot)
    ignored(world.hear(at_slot(first + 30, 2), slot=first + 30), "C25")


def test_c25_counts_the_decisions_of_every_signer() -> None:
    world = World()
    committee_of(world, 1)
    first = ALAN_SLOT - ALAN_SLOT % EPOCH
    for slot in (first, first + 1):
        world.accept(decided(1, 2, 3, slot=slot), slot=slot)
    ignored(world.hear(decided(2, 3, 4, slot=first + 2), slot=first + 2), "C25")


def test_c25_an_aggregator_has_two_duties_per_epoch() -> None:
    world = World()
    first, role = ALAN_SLOT - ALAN_SLOT % EPOCH, RunnerRole.AGGREGATOR
    for slot in (first, first + 3):
        world.accept(at_slot(slot, 2, role), slot=slot)
    ignored(world.hear(at_slot(first + 4, 2, role), slot=first + 4), "C25")
    world.accept(at_slot(first + EPOCH, 2, role), slot=first + EPOCH)


def test_c25_contributors_have_a_duty_in_every_slot() -> None:
    world = World()
    first, role = ALAN_SLOT - ALAN_SLOT % EPOCH, RunnerRole.SYNC_CONTRIBUTION
    for slot in range(first, first + EPOCH):
        world.accept(at_slot(slot, 2, role), slot=slot)


def test_c29_a_forged_signature_is_rejected() -> None:
    rejects(replace(prepare(2), signatures=prepare(3).signatures), "C29")


def test_c29_every_signature_of_a_decision_is_verified() -> None:
    message = decided(1, 2, 3)
    for at in range(3):
        forged = list(message.signatures)
        forged[at] = bytes(256)
        rejects(replace(message, signatures=tuple(forged)), "C29")


def test_c29_a_forged_message_leaves_no_trace() -> None:
    world = World()
    rejects(replace(prepare(2), signatures=(bytes(256),)), "C29", world)
    assert (world.validator.seen.streams, world.validator.seen.records) == (0, 0)
    world.accept(prepare(2))


def test_rules_about_the_past_follow_their_order() -> None:
    world = World()
    world.accept(proposal(1))
    world.accept(round_change(1, round_=3))
    ignores(proposal(1, full_data=b"another"), "C16", world)
    late = world.hear(round_change(1, round_=3), into_slot_ms=35 * SLOT_MS)
    ignored(late, "C18")


def test_signers_beyond_the_committee_do_not_reach_the_memory() -> None:
    world = World()
    rejected(world.hear(prepare(OperatorId(7))), "E23")
    assert world.validator.seen.streams == 0
