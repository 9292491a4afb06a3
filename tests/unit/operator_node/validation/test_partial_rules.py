"""Rules P1 to P9 and P16 to P20, about the message itself: a case each, and all in order."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from operator_node.validation import Accept, KnownCommittee
from operator_node.validation.arrival import Arrival
from operator_node.validation.partial_rules import data_too_large
from operator_node.validation.seen import Stream
from operator_node.wire.codec import decode_partials
from operator_node.wire.generations import Generation
from operator_node.wire.ids import RunnerRole
from operator_node.wire.messages import PartialKind, ReceivedPartials, SignedMessage
from tests.unit.operator_node.validation.verdicts import ignored, rejected
from tests.unit.operator_node.validation.world import (
    A_ID,
    ALAN_SLOT,
    BOOLE_SLOT,
    CHAIN,
    A,
    Registry,
    World,
    broken,
    generation_of,
    key,
    partials,
    post_consensus,
    registration,
    voluntary_exit,
)

COMMITTEE, AGGREGATOR, PROPOSER = (
    RunnerRole.COMMITTEE,
    RunnerRole.AGGREGATOR,
    RunnerRole.PROPOSER,
)
CONTRIBUTION, REGISTRATION = RunnerRole.SYNC_CONTRIBUTION, RunnerRole.VALIDATOR_REGISTRATION
EXIT, AGGREGATORS = RunnerRole.VOLUNTARY_EXIT, RunnerRole.AGGREGATOR_COMMITTEE
POST, RANDAO, SELECTION = (
    PartialKind.POST_CONSENSUS,
    PartialKind.RANDAO,
    PartialKind.SELECTION_PROOF,
)
PROOFS = PartialKind.CONTRIBUTION_PROOFS
ALAN_PAIRS = {
    (COMMITTEE, POST),
    (AGGREGATOR, POST),
    (AGGREGATOR, SELECTION),
    (PROPOSER, POST),
    (PROPOSER, RANDAO),
    (CONTRIBUTION, POST),
    (CONTRIBUTION, PROOFS),
    (REGISTRATION, PartialKind.VALIDATOR_REGISTRATION),
    (EXIT, PartialKind.VOLUNTARY_EXIT),
}
BOOLE_PAIRS = {
    (COMMITTEE, POST),
    (PROPOSER, POST),
    (PROPOSER, RANDAO),
    (REGISTRATION, PartialKind.VALIDATOR_REGISTRATION),
    (EXIT, PartialKind.VOLUNTARY_EXIT),
    (AGGREGATORS, POST),
    (AGGREGATORS, PartialKind.AGGREGATOR_COMMITTEE),
}
ROLES = {ALAN_SLOT: range(6), BOOLE_SLOT: (0, 2, 4, 5, 6)}
PAIRS = {ALAN_SLOT: ALAN_PAIRS, BOOLE_SLOT: BOOLE_PAIRS}
KINDS = {ALAN_SLOT: range(6), BOOLE_SLOT: (0, 1, 4, 5, 6)}


def rejects(message: SignedMessage, number: str, *, slot: int = ALAN_SLOT) -> None:
    rejected(World().hear(message, slot=slot), number)


def ignores(message: SignedMessage, number: str, *, slot: int = ALAN_SLOT) -> None:
    ignored(World().hear(message, slot=slot), number)


@pytest.mark.parametrize(
    ("slot", "role", "kind"),
    [(slot, role, kind) for slot, pairs in PAIRS.items() for role, kind in sorted(pairs)],
)
def test_every_phase_of_every_role_is_accepted(slot: int, role: int, kind: int) -> None:
    message = partials(kind, role=role, slot=slot)
    body = decode_partials(message.message.data, generation_of(slot))
    assert World().hear(message, slot=slot) == Accept(ReceivedPartials(message, body))


def test_p1_more_data_than_partial_signatures_have_is_rejected() -> None:
    # 1,050 entries have 151,220 bytes, Alan's bound.
    at_bound = post_consensus(indexes=(100,) * 1050)
    ignores(at_bound, "P16")
    rejects(post_consensus(indexes=(100,) * 1051), "P1")


def test_p1_booles_bound_is_that_of_the_envelope() -> None:
    limits = Generation.BOOLE.limits
    assert limits.partials_data_bytes == limits.message_data_bytes
    for size, breach in ((limits.partials_data_bytes, False), (726_933, True)):
        message = post_consensus(slot=BOOLE_SLOT)
        large = replace(message, message=replace(message.message, data=bytes(size)))
        arrival = Arrival(large, "", 0, 0, Generation.BOOLE, limits, 0, Stream(), CHAIN, Registry())
        assert (data_too_large(arrival) is not None) is breach


def test_p2_data_that_is_no_partial_signatures_is_rejected() -> None:
    message = post_consensus()
    for data in (message.message.data[:-1], message.message.data + bytes(8), bytes(3)):
        rejects(replace(message, message=replace(message.message, data=data)), "P2")


def test_p3_several_signers_are_rejected() -> None:
    rejects(partials(POST, signers=(1, 2, 3)), "P3")


def test_p4_full_data_is_rejected() -> None:
    rejects(partials(POST, full_data=b"x"), "P4")


@pytest.mark.parametrize(
    ("slot", "kind"), [(ALAN_SLOT, 6), (ALAN_SLOT, 7), (BOOLE_SLOT, 2), (BOOLE_SLOT, 3)]
)
def test_p5_kinds_that_the_generation_does_not_know_are_rejected(slot: int, kind: int) -> None:
    rejects(partials(kind, slot=slot), "P5", slot=slot)


@pytest.mark.parametrize(
    ("slot", "role", "kind"),
    [
        (slot, role, kind)
        for slot, pairs in PAIRS.items()
        for role in ROLES[slot]
        for kind in KINDS[slot]
        if (role, kind) not in pairs
    ],
)
def test_p6_kinds_that_the_role_does_not_have_are_rejected(slot: int, role: int, kind: int) -> None:
    rejects(partials(kind, role=role, slot=slot), "P6", slot=slot)


def test_p7_an_empty_list_is_rejected() -> None:
    rejects(post_consensus(indexes=()), "P7")


def test_p8_partial_signatures_of_another_operator_are_rejected() -> None:
    rejects(partials(POST, signers=(2,), inner=3), "P8")


@pytest.mark.parametrize("role", [AGGREGATOR, PROPOSER, CONTRIBUTION])
def test_p9_an_index_of_another_validator_is_ignored(role: int) -> None:
    ignores(post_consensus(role=role, indexes=(101,)), "P9")


def test_p9_in_role_0_operators_may_know_other_validators() -> None:
    World().accept(post_consensus(indexes=(100, 999)))
    World().accept(post_consensus(slot=BOOLE_SLOT, indexes=(100, 999)), slot=BOOLE_SLOT)


def test_p9_in_role_6_an_unknown_index_is_ignored() -> None:
    message = post_consensus(role=AGGREGATORS, slot=BOOLE_SLOT, indexes=(100, 999))
    ignores(message, "P9", slot=BOOLE_SLOT)


def with_validators(count: int) -> World:
    world = World()
    world.registry.committees[A_ID] = KnownCommittee.of(A.members.operators, range(1000)[:count])
    return world


@pytest.mark.parametrize(
    ("validators", "most"), [(1, 2), (20, 40), (512, 1024), (513, 1025), (600, 1050)]
)
def test_p16_role_0_signs_twice_per_validator_and_once_per_sync_committee_seat(
    validators: int, most: int
) -> None:
    # Of the last case's 1,112 entries only 1,050 fit Alan's message bound.
    indexes = tuple(range(validators)) * 2
    with_validators(validators).accept(post_consensus(indexes=indexes[:most]))
    verdict = with_validators(validators).hear(post_consensus(indexes=(*indexes[:most], 0)))
    if validators == 600:
        rejected(verdict, "P1")
    else:
        ignored(verdict, "P16")


@pytest.mark.parametrize(("validators", "most"), [(1, 5), (20, 100), (512, 2560), (513, 2561)])
def test_p16_role_6_signs_five_times_per_validator_and_once_per_seat_and_subnet(
    validators: int, most: int
) -> None:
    indexes = tuple(range(validators)) * 5
    message = post_consensus(role=AGGREGATORS, slot=BOOLE_SLOT, indexes=indexes[:most])
    with_validators(validators).accept(message, slot=BOOLE_SLOT)
    more = post_consensus(role=AGGREGATORS, slot=BOOLE_SLOT, indexes=(*indexes[:most], 0))
    ignored(with_validators(validators).hear(more, slot=BOOLE_SLOT), "P16")


def test_p16_a_validator_that_joined_there_first_costs_nobody_anything() -> None:
    ignored(with_validators(1).hear(post_consensus(indexes=(0, 0, 1))), "P16")
    with_validators(2).accept(post_consensus(indexes=(0, 0, 1)))


@pytest.mark.parametrize("slot", [ALAN_SLOT, BOOLE_SLOT])
def test_p17_role_0_names_a_validator_twice_at_most(slot: int) -> None:
    World().accept(post_consensus(slot=slot, indexes=(100, 101, 100)), slot=slot)
    rejects(post_consensus(slot=slot, indexes=(100, 101, 100, 100)), "P17", slot=slot)


def test_p17_role_6_names_a_validator_five_times_at_most() -> None:
    slot = BOOLE_SLOT
    five = post_consensus(role=AGGREGATORS, slot=slot, indexes=(100,) * 5 + (101,))
    World().accept(five, slot=slot)
    six = post_consensus(role=AGGREGATORS, slot=slot, indexes=(100,) * 6 + (101,))
    rejects(six, "P17", slot=slot)


@pytest.mark.parametrize("kind", [PROOFS, POST])
def test_p18_a_contributor_has_13_positions_at_most(kind: int) -> None:
    World().accept(partials(kind, role=CONTRIBUTION, indexes=(100,) * 13))
    rejects(partials(kind, role=CONTRIBUTION, indexes=(100,) * 14), "P18")


@pytest.mark.parametrize(
    ("role", "kind"),
    sorted(pair for pair in ALAN_PAIRS if pair[0] not in (COMMITTEE, CONTRIBUTION)),
)
def test_p19_other_duties_are_signed_once(role: int, kind: int) -> None:
    rejects(partials(kind, role=role, indexes=(100, 100)), "P19")


def test_p20_a_forged_signature_is_rejected() -> None:
    rejects(replace(post_consensus(2), signatures=post_consensus(3).signatures), "P20")


def test_p20_a_forged_message_leaves_no_trace() -> None:
    world = World()
    forged = replace(post_consensus(2), signatures=(bytes(256),))
    rejected(world.hear(forged), "P20")
    assert world.validator.seen.streams == 0
    world.accept(post_consensus(2))


@pytest.mark.parametrize(
    ("message", "number"),
    [
        (partials(9, signers=(1, 2, 3), full_data=b"x", indexes=()), "P3"),
        (partials(9, full_data=b"x", indexes=()), "P4"),
        (partials(9, role=EXIT, indexes=(), inner=2), "P5"),
        (partials(RANDAO, indexes=(), inner=2), "P6"),
        (post_consensus(role=AGGREGATOR, indexes=()), "P7"),
        (partials(POST, role=AGGREGATOR, inner=2, indexes=(7, 7)), "P8"),
        (partials(POST, role=PROPOSER, slot=ALAN_SLOT + 9, indexes=(7, 7)), "P9"),
        (partials(POST, role=PROPOSER, slot=ALAN_SLOT + 9, indexes=(100, 100)), "P11"),
        (post_consensus(slot=ALAN_SLOT + 9, indexes=(100,) * 99), "P13"),
        (post_consensus(slot=ALAN_SLOT - 99, indexes=(100,) * 99), "P14"),
        (voluntary_exit(ALAN_SLOT - 1), "P15"),
        (post_consensus(indexes=(100,) * 41), "P16"),
        (replace(post_consensus(indexes=(100,) * 3), signatures=(bytes(256),)), "P17"),
        (
            replace(registration(), signatures=(bytes(256),)),
            "P20",
        ),
    ],
)
def test_the_first_broken_rule_is_the_verdict(message: SignedMessage, number: str) -> None:
    rule = broken(World().hear(message))
    assert rule is not None
    assert rule.number == number


def test_a_validator_may_belong_to_any_committee_of_the_network() -> None:
    world = World()
    message = partials(
        PartialKind.VALIDATOR_REGISTRATION,
        role=REGISTRATION,
        executor=key(300),
        signers=(13,),
        indexes=(300,),
    )
    on = CHAIN.topic(Generation.ALAN, world.registry.validators[key(300)].committee.alan_subnet)
    world.accept(message, on=on)
