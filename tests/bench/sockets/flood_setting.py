"""Whose messages flood a node, and which of them are sent when. Pure.

Prepares and commits of round 1: gossip rules let each operator say each of them once per slot and
committee, so that many distinct messages take many committees.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, islice, product
from typing import Final

from msgspec import Struct

from operator_node.engine.types import Assignment
from operator_node.testing.world import ALAN_DOMAIN, BOOLE_DOMAIN, CHAIN
from operator_node.validation import Chain, KnownCommittee, KnownValidator
from operator_node.wire.codec import encode_consensus, encode_envelope, encode_signed
from operator_node.wire.generations import ForkEpochs, Generation
from operator_node.wire.ids import CommitteeId, RunnerRole, committee_id, committee_message_id
from operator_node.wire.messages import (
    ConsensusKind,
    ConsensusMessage,
    Envelope,
    EnvelopeKind,
    SignedMessage,
)
from sdk.crypto.operator_keys import OperatorPublicKey
from sdk.testing.keys import operator_key
from sdk.types import Epoch, OperatorId, PublicKey, Slot

OPERATORS: Final = 13
SIZE: Final = 4
SLOT_S: Final = 4
SLOTS_PER_RATE: Final = 2
AGED_SLOTS: Final = 800
NETWORK: Final = Chain(
    "holesky",
    ForkEpochs(CHAIN.slots_per_epoch, Epoch(0)),
    ALAN_DOMAIN,
    BOOLE_DOMAIN,
    SLOT_S * 1000,
)


class Flood(Struct, frozen=True):
    """One run.

    Attributes:
        rates: messages a second, one after the other.
        port: of the node.
        first: slot in which the first rate begins.
    """

    rates: tuple[int, ...]
    port: int
    first: int

    def first_of(self, number: int) -> int:
        """The first slot of a rate. Each is followed by an empty slot."""
        return self.first + number * (SLOTS_PER_RATE + 1)

    @property
    def end(self) -> int:
        """The slot by which everything was said, and heard."""
        return self.first_of(len(self.rates))


class Step(Struct, frozen=True):
    """What became of one rate.

    Attributes:
        sent_late_ms: from the end of its slots to the last message sent: below 0 by as much as
            there is between two messages, if the sender keeps up.
        late_ms: from the end of its slots to the last message accepted of it.
        cpu_s: processor time of the node until the next rate begins.
    """

    rate: int
    sent: int = 0
    accepted: int = 0
    sent_late_ms: float = 0.0
    late_ms: float = 0.0
    cpu_s: float = 0.0


class Crowd:
    """All committees of four of thirteen operators, as gossip validation asks for them."""

    def __init__(self) -> None:
        self.committees = {
            committee_id(each.members.operators): each
            for each in (
                KnownCommittee.of(ids, range(CHAIN.slots_per_epoch))
                for ids in combinations(range(1, OPERATORS + 1), SIZE)
            )
        }
        self.keys = {OperatorId(each): operator_key(each) for each in range(1, OPERATORS + 1)}
        self._public = {each: key.public_key for each, key in self.keys.items()}
        self.view = self

    def topics(self) -> frozenset[str]:
        """Of all committees."""
        return frozenset(map(topic_of, self.committees.values()))

    def own(self) -> dict[PublicKey, Assignment]:
        return {}

    def operator_keys(self) -> dict[OperatorId, OperatorPublicKey]:
        return self._public

    def has_operator(self, operator: OperatorId, /) -> bool:
        return operator in self.keys

    def committee(self, committee: bytes, /) -> KnownCommittee | None:
        return self.committees.get(CommitteeId(committee))

    def validator(self, _: PublicKey, /) -> KnownValidator | None:
        return None

    def proposers_known(self, _: Epoch, /) -> bool:
        return True

    def has_proposal(self, _: int, __: Slot, /) -> bool:
        return False

    def in_sync_committee(self, _: int, __: Epoch, /) -> bool:
        return False

    def exit_requests(self, _: PublicKey, __: Slot, /) -> int:
        return 0


def topic_of(committee: KnownCommittee) -> str:
    """Where its messages travel."""
    return NETWORK.topic(Generation.BOOLE, committee.subnet(Generation.BOOLE))


def messages(crowd: Crowd, slot: int, count: int) -> Iterator[tuple[str, bytes]]:
    """Signed messages of a slot with their topics, all different."""
    kinds = (ConsensusKind.PREPARE, ConsensusKind.COMMIT)
    every = product(kinds, range(SIZE), crowd.committees.items())
    for kind, place, (identifier, committee) in islice(every, count):
        operator = committee.members.operators[place]
        message_id = committee_message_id(BOOLE_DOMAIN, RunnerRole.COMMITTEE, identifier)
        body = ConsensusMessage(int(kind), slot, 1, message_id, bytes(32))
        envelope = Envelope(EnvelopeKind.CONSENSUS, message_id, encode_consensus(body))
        signature = crowd.keys[operator].sign(encode_envelope(envelope))
        yield topic_of(committee), encode_signed(SignedMessage((signature,), (operator,), envelope))
