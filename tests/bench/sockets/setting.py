"""What a run is, and what a node tells of it: values that cross between processes as JSON.

Pure. Slots are shorter than on mainnet, so that a minute has many duties; everything else of the
chain is as it is there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from msgspec import Struct

from operator_node.spec.chain import ChainSpec
from operator_node.testing.world import ALAN_DOMAIN, BOOLE_DOMAIN, CHAIN
from operator_node.validation import Chain
from operator_node.wire.generations import ForkEpochs
from sdk.types import Epoch

AGED_SLOTS: Final = 800
"""How old the chain is when a run begins: beyond the last fork of the beacon chain."""
ATTESTING_SLOTS: Final = 32
"""Validators attest once in so many slots, as in mainnet's epochs."""


class Setting(Struct, frozen=True):
    """One run.

    Attributes:
        operators: how many nodes; their ids count from 1.
        committees: operator ids of each.
        validators: of all committees together; spread evenly over committees and slots.
        ports: TCP, by node.
        genesis_time: unix seconds of slot 0.
        slot_s: length of a slot.
        turns: of direct streams and gossip alone: each lasts one slot per operator. Otherwise
            there are direct streams all the time.
        aggregates: whether attesters are asked for selection proofs, and some aggregate.
        watched: whether node 1 times every message and samples where its time goes.
        urgent: whether nodes get real-time priority while they are measured.
    """

    operators: int
    committees: tuple[tuple[int, ...], ...]
    validators: int
    ports: tuple[int, ...]
    genesis_time: int
    slot_s: int
    turns: bool = False
    aggregates: bool = False
    watched: bool = False
    urgent: bool = False

    def chain(self) -> ChainSpec:
        """The beacon chain of the run."""
        return replace(CHAIN, genesis_time=self.genesis_time, seconds_per_slot=self.slot_s)

    def network(self) -> Chain:
        """The operators' network: Boole from the beginning."""
        forks = ForkEpochs(CHAIN.slots_per_epoch, Epoch(0))
        return Chain("holesky", forks, ALAN_DOMAIN, BOOLE_DOMAIN, self.slot_s * 1000)

    def is_direct(self, slot: int) -> bool:
        """Whether own messages go by direct streams, too, in a slot."""
        return not self.turns or slot // self.operators % 2 == 0


class Ready(Struct, frozen=True):
    """What a node says when it is connected to all others, or has given up.

    Attributes:
        made_s: seconds that making its parts took.
        connected_s: seconds from then on.
        lacking: which connections are not there; empty if all are.
    """

    made_s: float
    connected_s: float
    lacking: str


class Plan(Struct, frozen=True):
    """When it happens: idle slots, then those with duties, then one to end them."""

    idle: int
    first: int
    end: int


class Duty(Struct, frozen=True):
    """How one duty went. Times are milliseconds into its slot.

    Attributes:
        role: its name.
        leads: whether this node led the round that consensus ended in.
        reason: the outcome's word.
        steps: when each step was last reached.
    """

    slot: int
    role: str
    at_ms: float
    round: int
    leads: bool
    reason: str
    steps: dict[str, float]


class Told(Struct, frozen=True):
    """What a node tells when a run is over.

    Attributes:
        cpu_s: processor seconds of the process at the start of each slot, from `Plan.idle` to
            `Plan.end`, and one slot later.
        start_mib: resident memory before there was any validator.
        rss_mib: at the end.
        peak_mib: the most there was.
        sent: messages of this node, while there were duties.
        taken: messages of others that reached a session.
        copies: messages that came a second time.
        lost: messages that found a full queue or no peer, in either direction.
        failures: faults of the software.
        times: microseconds, by name; see `watch`.
        profile: seconds of processor time by what was running; see `sampling`.
    """

    operator: int
    cpu_s: tuple[float, ...]
    start_mib: float
    rss_mib: float
    peak_mib: float
    duties: tuple[Duty, ...]
    sent: int
    taken: int
    copies: int
    lost: int
    failures: int
    times: dict[str, list[float]]
    profile: dict[str, float]
