"""The network between simulated operators: delays, loss, duplicates, partitions, recovery.

A model of gossip, not of a wire. A packet that a link loses is offered again at each heartbeat
while the sender's cache holds it; what the cache has forgotten is lost for good to that receiver.
A receiver that is down or cut off misses packets in the same way. Packets that were delivered are
not delivered again, except for the duplicates which the model makes on purpose (a peer's memory of
what it saw is finite).

Source: libp2p gossipsub v1.1, "Gossip propagation" (IHAVE, IWANT, message cache).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random
from typing import Final

from msgspec import Struct

from operator_node.testing.clock import Timeline
from operator_node.testing.faults import CALM_LINKS, Links, Muffle, Partition
from operator_node.wire.messages import ConsensusKind, Envelope, EnvelopeKind
from sdk.types import OperatorId

HEARTBEAT_MS: Final = 700
"""Gossipsub's usual interval."""
OFFERS: Final = 5
"""Heartbeats for which a message is offered to peers that lack it."""
DUPLICATE_WITHIN_MS: Final = 20_000
"""How much later the same packet may come once more; longer than several rounds."""
_CONSENSUS: Final = int(EnvelopeKind.CONSENSUS)
_COMMIT: Final = int(ConsensusKind.COMMIT)


class Packet(Struct, frozen=True, eq=False):
    """One gossip message on its way.

    Attributes:
        origin: who published it. Peers that pass it on are not modelled.
        envelope: what was encoded, for the transcript and the account of losses. Receivers decode
            the data.
    """

    data: bytes
    topic: str
    origin: OperatorId
    envelope: Envelope


Deliver = Callable[[Packet, bool], None]
"""(packet, whether the receiver had it before)."""


def is_commit(envelope: Envelope) -> bool:
    """Whether it is a commit, of one operator or of a quorum."""
    return envelope.kind == _CONSENSUS and envelope.data[0] == _COMMIT


class Network:
    """Carries packets between operators on a timeline."""

    def __init__(
        self,
        timeline: Timeline,
        choices: Random,
        *,
        links: Links,
        partitions: tuple[Partition, ...],
        muffles: tuple[Muffle, ...],
        calm_ms: int,
    ) -> None:
        """A network without members.

        Args:
            timeline: on which packets travel.
            choices: decides delays and losses.
            links: how links behave before `calm_ms`; later they work.
            partitions: all over by then.
            muffles: these, too.
            calm_ms: see `Plan`.
        """
        self._timeline = timeline
        self._random = choices.random
        self._links = links
        self._partitions = partitions
        self._whole_from_ms = max((each.until_ms for each in partitions), default=0)
        self._muffles = muffles
        self._calm_ms = calm_ms
        self._receivers: dict[OperatorId, Deliver] = {}
        self._down: set[OperatorId] = set()
        self._had: dict[OperatorId, set[bytes]] = {}
        self.lost: list[tuple[Packet, OperatorId]] = []
        """What was lost for good, and to whom; read by the liveness checker."""

    def join(self, operator: OperatorId, deliver: Deliver) -> None:
        """From now on, packets for this operator go here."""
        self._receivers[operator] = deliver
        self._had.setdefault(operator, set())

    def set_down(self, operator: OperatorId, *, down: bool) -> None:
        """Whether the operator's process runs; packets find it only when it does."""
        (self._down.add if down else self._down.discard)(operator)

    def publish(self, packet: Packet, receivers: Iterable[OperatorId] | None = None) -> None:
        """Send to everybody else, or only to those named (a liar's choice)."""
        origin = packet.origin
        held_ms = self._muffled_ms(packet) if self._muffles else 0
        for receiver in self._receivers if receivers is None else receivers:
            if receiver == origin:
                continue
            if held_ms:
                self._timeline.after(held_ms, self._dispatch, packet, receiver)
            else:
                self._dispatch(packet, receiver)

    def _dispatch(self, packet: Packet, receiver: OperatorId) -> None:
        timeline, random = self._timeline, self._random
        links = self._links if timeline.now_ms < self._calm_ms else CALM_LINKS
        delay = links.fastest_ms + int(random() * (links.slowest_ms - links.fastest_ms + 1))
        if links.straggling and random() < links.straggling:
            delay += int(random() * links.straggler_ms)
        lost = links.loss and random() < links.loss
        if lost:
            self._offer_again(packet, receiver, timeline.now_ms, 1)
        else:
            timeline.after(delay, self._arrive, packet, receiver, timeline.now_ms, 0)
        if links.duplicates and random() < links.duplicates:
            again = delay + int(random() * DUPLICATE_WITHIN_MS)
            timeline.after(again, self._arrive_again, packet, receiver)

    def _arrive(self, packet: Packet, receiver: OperatorId, sent_ms: int, offer: int) -> None:
        if receiver in self._down or self._is_cut(packet.origin, receiver):
            self._offer_again(packet, receiver, sent_ms, offer + 1)
            return
        had = self._had[receiver]
        if packet.data not in had:
            had.add(packet.data)
            self._receivers[receiver](packet, False)

    def _arrive_again(self, packet: Packet, receiver: OperatorId) -> None:
        if packet.data in self._had[receiver] and receiver not in self._down:
            self._receivers[receiver](packet, True)

    def _offer_again(self, packet: Packet, receiver: OperatorId, sent_ms: int, offer: int) -> None:
        if offer > OFFERS or self._random() < self._links_now.unrecovered:
            self.lost.append((packet, receiver))
            return
        moment = sent_ms + offer * HEARTBEAT_MS + self._links.fastest_ms
        if moment < self._timeline.now_ms:  # a straggler outlived some offers
            self._offer_again(packet, receiver, sent_ms, offer + 1)
            return
        self._timeline.at(moment, self._arrive, packet, receiver, sent_ms, offer)

    def _muffled_ms(self, packet: Packet) -> int:
        """How long an operator's commits and decisions are held back."""
        now_ms = self._timeline.now_ms
        for muffle in self._muffles:
            if muffle.operator == packet.origin and muffle.from_ms <= now_ms < muffle.until_ms:
                return muffle.until_ms - now_ms if is_commit(packet.envelope) else 0
        return 0

    @property
    def _links_now(self) -> Links:
        return self._links if self._timeline.now_ms < self._calm_ms else CALM_LINKS

    def _is_cut(self, one: OperatorId, other: OperatorId) -> bool:
        now = self._timeline.now_ms
        if now >= self._whole_from_ms:
            return False
        return any(partition.cuts(one, other, now) for partition in self._partitions)
