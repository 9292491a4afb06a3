"""Rules C1 to C15 without C5 and C6, about the message itself: a case each, and all in order."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from operator_node.validation import Accept
from operator_node.validation.arrival import Arrival
from operator_node.validation.consensus_rules import data_too_large
from operator_node.validation.seen import Stream
from operator_node.wire.codec import decode_consensus, encode_signed
from operator_node.wire.generations import Generation
from operator_node.wire.ids import RunnerRole
from operator_node.wire.messages import ConsensusKind, Received, SignedMessage
from tests.unit.operator_node.validation.verdicts import ignored, rejected
from tests.unit.operator_node.validation.world import (
    ALAN_SLOT,
    BOOLE_SLOT,
    C_ID,
    CHAIN,
    EPOCH,
    VALUE,
    Registry,
    World,
    broken,
    commit,
    consensus,
    decided,
    message_id,
    prepare,
    proposal,
    round_change,
    topic,
)

PROPOSAL, PREPARE = ConsensusKind.PROPOSAL, ConsensusKind.PREPARE
COMMIT, ROUND_CHANGE = ConsensusKind.COMMIT, ConsensusKind.ROUND_CHANGE
JUSTIFICATION = encode_signed(prepare(2))


def rejects(message: SignedMessage, number: str, world: World | None = None) -> None:
    rejected((world or World()).hear(message), number)


@pytest.mark.parametrize(
    "message",
    [
        proposal(),
        prepare(2),
        commit(3),
        round_change(4),
        decided(),
        decided(1, 2, 3, 4),
        proposal(2, round_=2, round_changes=(JUSTIFICATION,), prepares=(JUSTIFICATION,)),
        round_change(4, data_round=1),
    ],
)
def test_messages_of_a_healthy_committee_are_accepted(message: SignedMessage) -> None:
    body = decode_consensus(message.message.data)
    assert World().hear(message) == Accept(Received(message, body))


@pytest.mark.parametrize("generation", Generation)
def test_c1_more_data_than_a_consensus_message_has_is_a_breach(generation: Generation) -> None:
    bound = generation.limits.consensus_data_bytes
    # The envelope's own bound is lower in both generations, so no packet gets this far.
    assert bound > generation.limits.message_data_bytes
    message = prepare()
    for size, breach in ((bound, False), (bound + 1, True)):
        large = replace(message, message=replace(message.message, data=bytes(size)))
        arrival = Arrival(
            large, "", 0, 0, generation, generation.limits, 0, Stream(), CHAIN, Registry()
        )
        assert (data_too_large(arrival) is not None) is breach


def test_c2_data_that_is_no_consensus_message_is_rejected() -> None:
    message = prepare()
    for data in (message.message.data[:-1], message.message.data + b"\x00", bytes(3)):
        rejects(replace(message, message=replace(message.message, data=data)), "C2")


@pytest.mark.parametrize("kind", [PROPOSAL, PREPARE, ROUND_CHANGE, 4])
def test_c3_several_signers_on_anything_but_a_commit_are_rejected(kind: int) -> None:
    rejects(consensus(kind, 1, 2, 3), "C3")


def test_c4_several_signers_below_quorum_are_rejected() -> None:
    rejects(commit(1, 2), "C4")
    large = consensus(COMMIT, *range(1, 9), executor=C_ID)
    world = World()
    on = topic(committee=world.registry.committees[C_ID])
    rejected(world.hear(large, on=on), "C4")
    world.accept(decided(*range(1, 10), executor=C_ID), on=on)


def test_c4_the_quorum_of_a_validators_committee_may_have_changed() -> None:
    ignored(World().hear(commit(1, 2, role=RunnerRole.AGGREGATOR)), "C4")


@pytest.mark.parametrize("kind", [4, 2**64 - 1])
def test_c7_unknown_steps_are_rejected(kind: int) -> None:
    rejects(consensus(kind), "C7")


def test_c8_round_zero_is_rejected() -> None:
    rejects(prepare(round_=0), "C8")


@pytest.mark.parametrize("role", [RunnerRole.VALIDATOR_REGISTRATION, RunnerRole.VOLUNTARY_EXIT])
@pytest.mark.parametrize("slot", [ALAN_SLOT, BOOLE_SLOT])
def test_c9_registrations_and_exits_have_no_consensus(role: int, slot: int) -> None:
    rejected(World().hear(prepare(role=role, slot=slot), slot=slot), "C9")


@pytest.mark.parametrize(
    ("role", "slot", "last"),
    [
        (RunnerRole.COMMITTEE, ALAN_SLOT, 12),
        (RunnerRole.AGGREGATOR, ALAN_SLOT, 12),
        (RunnerRole.PROPOSER, ALAN_SLOT, 6),
        (RunnerRole.SYNC_CONTRIBUTION, ALAN_SLOT, 6),
        (RunnerRole.COMMITTEE, BOOLE_SLOT, 12),
        (RunnerRole.PROPOSER, BOOLE_SLOT, 6),
        (RunnerRole.AGGREGATOR_COMMITTEE, BOOLE_SLOT, 12),
    ],
)
def test_c10_rounds_above_the_roles_last_are_ignored(role: int, slot: int, last: int) -> None:
    late_ms = 374_000 if last == 12 else 12_000
    above = prepare(role=role, slot=slot, round_=last + 1)
    ignored(World().hear(above, slot=slot, into_slot_ms=late_ms), "C10")
    World().accept(prepare(role=role, slot=slot, round_=last), slot=slot, into_slot_ms=late_ms)


@pytest.mark.parametrize("identifier", [b"", bytes(56), message_id(RunnerRole.COMMITTEE)[:55]])
def test_c11_an_identifier_that_is_not_the_message_id_is_rejected(identifier: bytes) -> None:
    rejects(consensus(PREPARE, identifier=identifier), "C11")


@pytest.mark.parametrize("kind", [PREPARE, COMMIT, ROUND_CHANGE])
def test_c12_prepares_justify_proposals_only(kind: int) -> None:
    rejects(consensus(kind, prepares=(JUSTIFICATION,)), "C12")


@pytest.mark.parametrize("kind", [PREPARE, COMMIT])
def test_c13_round_changes_justify_proposals_and_round_changes_only(kind: int) -> None:
    rejects(consensus(kind, round_changes=(JUSTIFICATION,)), "C13")


@pytest.mark.parametrize("entry", [b"", JUSTIFICATION[:-1], JUSTIFICATION[4:]])
def test_c14_a_justification_that_does_not_decode_is_rejected(entry: bytes) -> None:
    rejects(proposal(2, round_=2, round_changes=(JUSTIFICATION, entry)), "C14")
    rejects(proposal(2, round_=2, prepares=(JUSTIFICATION, entry)), "C14")
    rejects(consensus(ROUND_CHANGE, round_=2, round_changes=(entry,)), "C14")


def test_c15_a_proposal_of_another_operator_than_the_leader_is_rejected() -> None:
    rejects(proposal(2), "C15")
    rejects(proposal(1, round_=2), "C15")
    World().accept(proposal(2, round_=2))


def test_c15_the_leader_in_a_validators_role_may_be_that_of_another_committee() -> None:
    ignored(World().hear(proposal(2, role=RunnerRole.PROPOSER)), "C15")


def test_c15_in_boole_the_first_leader_shifts_with_every_32_heights() -> None:
    slot = BOOLE_SLOT + EPOCH
    rejected(World().hear(proposal(1, slot=slot), slot=slot), "C15")
    World().accept(proposal(2, slot=slot), slot=slot)


def test_c15_in_alan_it_does_not_shift() -> None:
    slot = ALAN_SLOT + EPOCH
    World().accept(proposal(1, slot=slot), slot=slot)


@pytest.mark.parametrize(
    ("message", "number"),
    [
        (consensus(9, 1, 2, round_=0, full_data=VALUE), "C3"),
        (commit(1, 2, round_=0), "C4"),
        (consensus(PREPARE, round_=0, full_data=VALUE, root=bytes(32)), "C5"),
        (consensus(9, round_=0, full_data=VALUE, root=bytes(32)), "C6"),
        (consensus(9, round_=0, role=RunnerRole.VOLUNTARY_EXIT), "C7"),
        (consensus(PREPARE, round_=0, role=RunnerRole.VOLUNTARY_EXIT), "C8"),
        (consensus(PREPARE, round_=99, role=RunnerRole.VOLUNTARY_EXIT), "C9"),
        (consensus(PREPARE, round_=13, identifier=b"", prepares=(b"",)), "C10"),
        (consensus(PREPARE, identifier=b"", prepares=(b"",), round_changes=(b"",)), "C11"),
        (consensus(PREPARE, prepares=(b"",), round_changes=(b"",)), "C12"),
        (consensus(PREPARE, round_changes=(b"",)), "C13"),
        (proposal(3, round_changes=(b"",)), "C14"),
        (proposal(1, round_=12), "C15"),
        (prepare(1, round_=12, slot=ALAN_SLOT + 1), "C20"),
        (replace(prepare(slot=ALAN_SLOT + 1), signatures=(bytes(256),)), "C23"),
    ],
)
def test_the_first_broken_rule_is_the_verdict(message: SignedMessage, number: str) -> None:
    rule = broken(World().hear(message))
    assert rule is not None
    assert rule.number == number
