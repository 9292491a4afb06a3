"""A decoded message on its way through the rules, and the network that it is measured against.

Pure values.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from msgspec import Struct

from operator_node.validation.registry_view import KnownCommittee, RegistryView
from operator_node.validation.seen import Stream
from operator_node.wire.generations import BOOLE, ForkEpochs, Generation, Limits
from operator_node.wire.ids import SUBNETS, DomainType, alan_topic, boole_topic
from operator_node.wire.messages import SignedMessage

SLOT_MS: Final = 12_000


@dataclass(frozen=True, slots=True)
class Chain:
    """What is the same for all messages of a network.

    Attributes:
        name: as in `mainnet`; part of Boole's topics.
        forks: when the generations begin, and slots per epoch.
        alan_domain: of message ids for Alan's slots.
        boole_domain: of message ids for Boole's slots.
        slot_ms: length of a slot.
    """

    name: str
    forks: ForkEpochs
    alan_domain: DomainType
    boole_domain: DomainType
    slot_ms: int = SLOT_MS
    _alan_topics: tuple[str, ...] = field(init=False, repr=False, compare=False)
    _boole_topics: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        subnets = range(SUBNETS)
        object.__setattr__(self, "_alan_topics", tuple(map(alan_topic, subnets)))
        object.__setattr__(
            self, "_boole_topics", tuple(boole_topic(self.name, each) for each in subnets)
        )

    def domain(self, generation: Generation) -> DomainType:
        """Domain of the message ids of a generation."""
        return self.boole_domain if generation is BOOLE else self.alan_domain

    def topic_of(self, committee: KnownCommittee, generation: Generation) -> str:
        """Topic of a committee's messages of a generation."""
        if generation is BOOLE:
            return self._boole_topics[committee.boole_subnet]
        return self._alan_topics[committee.alan_subnet]

    def topic(self, generation: Generation, subnet: int) -> str:
        """Topic of a subnet in a generation."""
        topics = self._boole_topics if generation is BOOLE else self._alan_topics
        return topics[subnet]


_NOBODY: Final = KnownCommittee.of((0,), ())
"""Stands for the committee while it is not known whose message it is; in no registry."""


class Arrival(Struct):
    """One message under examination.

    Attributes:
        role: number in the message id; becomes a known role by rule E16.
        slot: height or slot as the message states it, read ahead of everything else because the
            generation follows from it; the current slot if there is too little data.
        since_slot_start_ms: time of arrival relative to the start of `slot`; negative if before.
        past: what was accepted of the same message id before, whoever delivered it.
        committee: set when the executor is known, after rule E22; nobody's before.
        validator_index: set together with `committee`; None in committee roles.
    """

    signed: SignedMessage
    topic: str
    role: int
    slot: int
    generation: Generation
    limits: Limits
    since_slot_start_ms: int
    past: Stream
    chain: Chain
    registry: RegistryView
    committee: KnownCommittee = _NOBODY
    validator_index: int | None = None
