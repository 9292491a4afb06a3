"""Rules C5, C6 and C26 to C28, about the part of a message that nobody signs: a case each."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from operator_node.validation.full_data_rules import MAX_VALUE_BYTES, VOTE_BYTES
from operator_node.wire.codec import MAX_FULL_DATA_BYTES
from operator_node.wire.ids import RunnerRole
from operator_node.wire.messages import ConsensusKind, SignedMessage
from operator_node.wire.value_codec import (
    CONTRIBUTION_BYTES,
    MAX_ATTESTATION_BYTES,
    MAX_SYNC_INDICES,
    encode_beacon_vote,
    encode_validator_value,
)
from operator_node.wire.values import BeaconVote, Checkpoint, ValidatorDuty, ValidatorValue
from sdk.types import SIGNATURE_BYTES, Epoch, Slot
from tests.unit.operator_node.validation.verdicts import ignored, rejected
from tests.unit.operator_node.validation.world import (
    ALAN_SLOT,
    BOOLE_SLOT,
    VALIDATOR,
    VALUE,
    World,
    consensus,
    decided,
    prepare,
    proposal,
    round_change,
)

PROPOSAL, PREPARE = ConsensusKind.PROPOSAL, ConsensusKind.PREPARE
COMMIT, ROUND_CHANGE = ConsensusKind.COMMIT, ConsensusKind.ROUND_CHANGE
CARRIERS = [proposal(), decided(), round_change(2, data_round=1)]
"""Messages that nobody understands without their full data."""


def rejects(message: SignedMessage, number: str) -> None:
    rejected(World().hear(message), number)


def ignores(message: SignedMessage, number: str) -> None:
    ignored(World().hear(message), number)


@pytest.mark.parametrize("kind", [PREPARE, COMMIT])
def test_c5_full_data_on_a_prepare_or_single_commit_is_rejected(kind: int) -> None:
    rejects(consensus(kind, full_data=VALUE), "C5")


@pytest.mark.parametrize(
    "message",
    [
        consensus(PROPOSAL, full_data=VALUE, root=bytes(32)),
        consensus(ROUND_CHANGE, round_=2, full_data=VALUE, root=bytes(32)),
        consensus(COMMIT, 1, 2, 3, full_data=VALUE, root=bytes(32)),
    ],
)
def test_c6_full_data_of_another_root_is_rejected(message: SignedMessage) -> None:
    rejects(message, "C6")


@pytest.mark.parametrize("message", CARRIERS)
def test_c26_a_message_that_was_stripped_of_its_full_data_is_ignored(
    message: SignedMessage,
) -> None:
    ignores(replace(message, full_data=b""), "C26")


@pytest.mark.parametrize("message", CARRIERS)
def test_c26_a_stripped_message_does_not_take_the_place_of_the_true_one(
    message: SignedMessage,
) -> None:
    world = World()
    ignored(world.hear(replace(message, full_data=b"")), "C26")
    assert world.validator.seen.streams == 0
    world.accept(message)


@pytest.mark.parametrize("message", CARRIERS)
def test_c26_full_data_that_was_exchanged_does_not_take_the_place_of_the_true_one(
    message: SignedMessage,
) -> None:
    world = World()
    rejected(world.hear(replace(message, full_data=b"another")), "C6")
    world.accept(message)


@pytest.mark.parametrize("message", [prepare(2), consensus(COMMIT, 3), round_change(4)])
def test_c26_other_messages_have_no_full_data(message: SignedMessage) -> None:
    assert not message.full_data
    World().accept(message)


def test_c27_full_data_of_an_unprepared_round_change_is_ignored() -> None:
    ignores(consensus(ROUND_CHANGE, round_=2, full_data=VALUE), "C27")


def test_c28_a_committees_value_has_the_size_of_a_vote() -> None:
    checkpoint = Checkpoint(Epoch(1), bytes(32))
    vote = encode_beacon_vote(BeaconVote(bytes(32), checkpoint, checkpoint))
    assert len(vote) == VOTE_BYTES == MAX_VALUE_BYTES[RunnerRole.COMMITTEE]
    World().accept(proposal(full_data=vote))
    for more in (vote + b"\x00", bytes(MAX_FULL_DATA_BYTES)):
        ignores(proposal(full_data=more), "C28")
        ignores(consensus(COMMIT, 1, 2, 3, full_data=more), "C28")
        ignores(consensus(ROUND_CHANGE, round_=2, data_round=1, full_data=more), "C28")


def largest(object_bytes: int) -> bytes:
    """The largest value of Alan around an object of that size."""
    positions = (0,) * MAX_SYNC_INDICES
    duty = ValidatorDuty(0, VALIDATOR, Slot(ALAN_SLOT), 100, sync_committee_indices=positions)
    return encode_validator_value(ValidatorValue(duty, 6, bytes(object_bytes)))


@pytest.mark.parametrize(
    ("role", "object_bytes"),
    [
        (RunnerRole.AGGREGATOR, 8 + 4 + SIGNATURE_BYTES + MAX_ATTESTATION_BYTES),
        (RunnerRole.SYNC_CONTRIBUTION, 13 * (4 + SIGNATURE_BYTES + CONTRIBUTION_BYTES)),
    ],
)
def test_c28_a_value_of_alan_holds_the_largest_object_of_its_role(
    role: int, object_bytes: int
) -> None:
    World().accept(proposal(role=role, full_data=largest(object_bytes)))
    ignores(proposal(role=role, full_data=largest(object_bytes + 1)), "C28")


@pytest.mark.parametrize(
    ("role", "slot"),
    [
        (RunnerRole.PROPOSER, ALAN_SLOT),
        (RunnerRole.PROPOSER, BOOLE_SLOT),
        (RunnerRole.AGGREGATOR_COMMITTEE, BOOLE_SLOT),
    ],
)
def test_c28_blocks_and_the_aggregates_of_a_committee_may_fill_a_message(
    role: int, slot: int
) -> None:
    full_data = bytes(MAX_FULL_DATA_BYTES)
    World().accept(proposal(role=role, slot=slot, full_data=full_data), slot=slot)
