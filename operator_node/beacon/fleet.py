"""All beacon nodes of this operator, in the order in which they are asked now.

Shell. Holds what every part of the room shares: nodes, chain, and the clock that was handed in.

Source: this node's own rules for health and preference (BN-1, BN-2).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from operator_node.beacon.asking import Offer
from operator_node.beacon.health import TOLERANCE_SLOTS
from operator_node.beacon.node import BeaconNode
from operator_node.beacon.types import NodeState
from operator_node.spec.chain import ChainSpec
from sdk.errors import UsageError
from sdk.types import Epoch, Slot

T = TypeVar("T")

_MS: Final = 1000


class Fleet:
    """The beacon nodes, preferred ones first.

    Args:
        nodes: at least one.
        now_ms: the time, unix milliseconds.
        tolerance_slots: how far behind a node still counts as synced.
    """

    def __init__(
        self,
        nodes: Sequence[BeaconNode],
        now_ms: Callable[[], int],
        *,
        tolerance_slots: int = TOLERANCE_SLOTS,
    ) -> None:
        self.nodes = tuple(nodes)
        self.now_ms = now_ms
        self.tolerance_slots = tolerance_slots
        self.deposit_contract = ""
        """Of the node that `chain` is from."""
        self._chain: ChainSpec | None = None

    @property
    def chain(self) -> ChainSpec:
        """The chain that was agreed on at the start.

        Raises:
            UsageError: no node was ever reached.
        """
        if self._chain is None:
            raise UsageError("beacon nodes are asked before they are connected")
        return self._chain

    @chain.setter
    def chain(self, chain: ChainSpec) -> None:
        self._chain = chain

    @property
    def slot_s(self) -> int:
        """Length of a slot."""
        return self.chain.seconds_per_slot

    def slot_now(self) -> Slot:
        """The current slot; negative before genesis."""
        since = self.now_ms() - self.chain.genesis_time * _MS
        return Slot(since // (self.slot_s * _MS))

    def seconds_until(self, slot: int) -> float:
        """Seconds until a slot begins, 0 if it has begun."""
        return max(0.0, (self.chain.slot_start(slot) * _MS - self.now_ms()) / _MS)

    def epoch_of(self, slot: Slot) -> Epoch:
        """The slot's epoch."""
        return self.chain.epoch_of(slot)

    def best_first(self) -> list[BeaconNode]:
        """Nodes of the right chain, best first; the configured order decides ties."""
        known = [node for node in self.nodes if node.health.state is not NodeState.WRONG_CHAIN]
        return sorted(known, key=lambda node: node.health.rank)

    def for_duties(self) -> list[BeaconNode]:
        """The synced nodes; if there are none, all: a late answer is better than none (BN-10)."""
        best = self.best_first()
        return [node for node in best if node.health.state is NodeState.SYNCED] or best

    def reserves(self) -> list[BeaconNode]:
        """Whom to ask when those for duties bring nothing; best first."""
        first = self.for_duties()
        return [node for node in self.best_first() if node not in first]

    def preferred_first(self, offers: Sequence[Offer[T]]) -> list[Offer[T]]:
        """The offers by preference of their nodes, not by who was quickest now."""
        places = {node.name: place for place, node in enumerate(self.best_first())}
        return sorted(offers, key=lambda offer: places.get(offer.node.name, len(places)))

    @property
    def is_any_answering(self) -> bool:
        """Whether some node answered when it was last asked."""
        return any(node.health.is_answering for node in self.best_first())
