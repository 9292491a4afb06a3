"""What the network is told of duties: own messages first, nobody let go while they are due."""

from __future__ import annotations

import pytest

from operator_node.clock import SlotClock
from operator_node.node.crowding import is_quiet, known_topics, looks_own
from operator_node.validation import Chain
from operator_node.wire import encode_signed
from operator_node.wire.generations import ForkEpochs
from operator_node.wire.ids import SUBNETS, DomainType, MessageId
from operator_node.wire.messages import Envelope, EnvelopeKind, SignedMessage
from sdk.types import Epoch, OperatorId

OWN = MessageId(bytes(range(56)))


def encoded(message_id: MessageId) -> bytes:
    envelope = Envelope(EnvelopeKind.CONSENSUS, message_id, b"content")
    return encode_signed(SignedMessage((bytes(256),), (OperatorId(1),), envelope))


def test_a_message_is_own_by_the_id_that_it_claims() -> None:
    assert looks_own(OWN.__eq__, encoded(OWN))
    assert not looks_own(OWN.__eq__, encoded(MessageId(bytes(56))))


def test_bytes_that_are_no_message_are_nobodys() -> None:
    assert not looks_own(lambda _id: True, b"\xff" * 100)


@pytest.mark.parametrize(
    ("into_slot_ms", "is_so"),
    [(0, False), (2_999, False), (4_000, False), (4_999, False), (5_000, True), (11_999, True)],
)
def test_no_peer_is_let_go_while_proposals_and_attestations_are_due(
    into_slot_ms: int, is_so: bool
) -> None:
    clock = SlotClock(
        genesis_time=1_000,
        slot_ms=12_000,
        slots_per_epoch=32,
        wall=lambda: 1_000 + 7 * 12 + into_slot_ms / 1000,
    )
    assert is_quiet(clock) is is_so


def test_topics_of_both_generations_are_known() -> None:
    chain = Chain(
        name="hoodi",
        forks=ForkEpochs(32, Epoch(10)),
        alan_domain=DomainType(bytes(4)),
        boole_domain=DomainType(bytes(4)),
        slot_ms=12_000,
    )
    assert len(known_topics(chain)) == 2 * SUBNETS
