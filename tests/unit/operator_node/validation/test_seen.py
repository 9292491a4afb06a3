"""The memory stays within its bounds, and what it drops first."""

from __future__ import annotations

import pytest

from operator_node.validation import Seen
from operator_node.validation.seen import MAX_SLOTS, RETAINED_SLOTS
from operator_node.wire.codec import decode_consensus, decode_partials
from operator_node.wire.generations import Generation
from operator_node.wire.messages import SignedMessage
from sdk.types import OperatorId
from tests.unit.operator_node.validation.verdicts import ignored
from tests.unit.operator_node.validation.world import (
    ALAN_SLOT,
    A,
    World,
    decided,
    message_id,
    post_consensus,
    prepare,
    registration,
)

ID = message_id(0)


def note(seen: Seen, message: SignedMessage, *, now_slot: int = ALAN_SLOT) -> None:
    body = decode_consensus(message.message.data)
    seen.note_consensus(message, body, now_slot=now_slot)


def of(role: int, *signers: int) -> SignedMessage:
    """A prepare of one signer, a decided message of several, with the role's message id."""
    return decided(*signers, role=role) if len(signers) > 1 else prepare(*signers, role=role)


def remembered(seen: Seen, slot: int = ALAN_SLOT, role: int = 0) -> bool:
    """Whether anything of operator 1 is."""
    return seen.past(message_id(role)).slot_record(OperatorId(1), slot) is not None


def test_nothing_is_known_of_a_stream_that_does_not_exist() -> None:
    seen = Seen()
    assert not remembered(seen)
    assert seen.past(ID).most_signers(ALAN_SLOT) == 0
    assert (seen.streams, seen.records) == (0, 0)


def test_a_record_is_kept_per_signer_and_slot() -> None:
    seen = Seen()
    for signer in (1, 2):
        note(seen, prepare(signer))
        note(seen, prepare(signer, round_=2))
    note(seen, prepare(1, slot=ALAN_SLOT + 1))
    assert (seen.streams, seen.records) == (1, 3)


def test_partial_signatures_share_the_record_of_their_slot() -> None:
    seen = Seen()
    note(seen, prepare())
    message = post_consensus()
    body = decode_partials(message.message.data, Generation.ALAN)
    seen.note_partials(message, body, now_slot=ALAN_SLOT)
    assert (seen.streams, seen.records) == (1, 1)


def test_a_decision_counts_once_beside_the_records_of_its_signers() -> None:
    seen = Seen()
    note(seen, decided(1, 2, 3))
    assert seen.records == 3 + 1
    note(seen, decided(1, 2, 3, 4))
    assert seen.records == 4 + 1
    assert seen.past(ID).most_signers(ALAN_SLOT) == 4


def test_per_signer_the_newest_slots_are_kept() -> None:
    seen = Seen()
    for slot in range(ALAN_SLOT, ALAN_SLOT + MAX_SLOTS + 10):
        note(seen, prepare(slot=slot), now_slot=slot)
    assert seen.records == MAX_SLOTS
    assert not remembered(seen, ALAN_SLOT + 9)
    assert remembered(seen, ALAN_SLOT + 10)


def test_a_slot_older_than_all_that_are_kept_is_not_remembered() -> None:
    seen = Seen()
    for slot in range(ALAN_SLOT, ALAN_SLOT + MAX_SLOTS):
        note(seen, prepare(slot=slot), now_slot=slot)
    note(seen, prepare(slot=ALAN_SLOT - 1))
    assert seen.records == MAX_SLOTS
    assert not remembered(seen, ALAN_SLOT - 1)


def test_per_stream_the_decisions_of_the_newest_slots_are_kept() -> None:
    seen = Seen()
    for slot in range(ALAN_SLOT, ALAN_SLOT + MAX_SLOTS + 1):
        note(seen, decided(1, 2, 3, slot=slot), now_slot=slot)
    assert seen.records == MAX_SLOTS * (3 + 1)
    assert seen.past(ID).most_signers(ALAN_SLOT) == 0
    assert seen.past(ID).most_signers(ALAN_SLOT + 1) == 3


def test_with_too_many_streams_the_one_silent_longest_is_dropped() -> None:
    seen = Seen(max_streams=2)
    for message in (of(0, 1), of(1, 1), of(0, 2), of(2, 1)):
        note(seen, message)
    assert [remembered(seen, role=role) for role in (0, 1, 2)] == [True, False, True]
    assert (seen.streams, seen.records) == (2, 3)


def test_with_too_many_records_the_streams_silent_longest_are_dropped() -> None:
    seen = Seen(max_records=6)
    for message in (of(0, 1), of(1, 1), of(2, 1, 2, 3, 4)):
        note(seen, message)
    assert [remembered(seen, role=role) for role in (0, 1, 2)] == [False, True, True]
    assert (seen.streams, seen.records) == (2, 6)


def test_a_stream_that_exceeds_all_room_alone_is_dropped() -> None:
    seen = Seen(max_records=3)
    note(seen, decided(1, 2, 3))
    assert (seen.streams, seen.records) == (0, 0)


@pytest.mark.parametrize(("later", "kept"), [(RETAINED_SLOTS, True), (RETAINED_SLOTS + 1, False)])
def test_a_stream_is_dropped_after_34_silent_slots(later: int, kept: bool) -> None:
    seen = Seen()
    note(seen, of(0, 1))
    note(seen, of(1, 1), now_slot=ALAN_SLOT + later)
    assert remembered(seen) is kept
    assert seen.streams == 1 + kept


def test_dropping_costs_one_more_acceptance_and_no_more() -> None:
    world = World(seen=Seen(max_streams=1))
    for role in (0, 1, 0):
        world.accept(prepare(role=role))
    ignored(world.hear(prepare()), "C18")


def test_many_messages_leave_bounded_counts() -> None:
    seen = Seen(max_streams=15, max_records=120)
    world = World(seen=seen)
    for slot in range(ALAN_SLOT, ALAN_SLOT + 40):
        for index in sorted(A.validators):
            message = registration(slot, index=index)
            world.hear(message, slot=slot)
            for signer in (1, 2, 3, 4):
                world.hear(prepare(signer, slot=slot), slot=slot)
            world.hear(decided(slot=slot), slot=slot)
            assert seen.streams <= 15
            assert seen.records <= 120
    assert seen.streams == 15
