"""How one beacon node is doing, judged so that a flapping one does not steal duties.

Pure: observations come in with their time. Worse needs two observations, or one failure of a
duty's request; better needs three good ones over a while.

Source: Ethereum Beacon APIs, node/syncing; the thresholds are this node's own (BN-1).
"""

from __future__ import annotations

from typing import Final

from operator_node.beacon.types import NodeState

TOLERANCE_SLOTS: Final = 4
"""A node this far behind still answers for the slot it is asked about."""
FAR_SLOTS: Final = 8
_WORSE_AFTER: Final = 2
_BETTER_AFTER: Final = 3
_BETTER_MS: Final = 10_000
_STEP_MS: Final = 50
_NEW_SHARE: Final = 0.2
"""Weight of the newest latency in the mean."""
_SEVERITY: Final = {state: place for place, state in enumerate(NodeState)}


def judge(*, distance: int, is_optimistic: bool, is_execution_offline: bool) -> NodeState:
    """What a node's own account of its sync says; `distance` in slots behind the clock."""
    if is_optimistic or is_execution_offline:
        return NodeState.OPTIMISTIC
    if distance <= TOLERANCE_SLOTS:
        return NodeState.SYNCED
    return NodeState.LAGGING if distance <= FAR_SLOTS else NodeState.FAR


class Health:
    """The state of one beacon node."""

    def __init__(self) -> None:
        self.state = NodeState.UNREACHABLE
        self.is_answering = False
        self.latency_ms = 0.0
        self._is_new = True
        self._worse = 0
        self._better = 0
        self._better_since_ms = 0

    @property
    def rank(self) -> tuple[int, float]:
        """Lowest is best: by state, then by latency in steps, so that noise does not sort."""
        return _SEVERITY[self.state], self.latency_ms // _STEP_MS

    def observe(self, seen: NodeState, now_ms: int) -> None:
        """Takes in what one look at the node showed."""
        self.is_answering = seen is not NodeState.UNREACHABLE
        if self._is_new or seen is NodeState.WRONG_CHAIN:
            self._settle(seen)
        elif _SEVERITY[seen] > _SEVERITY[self.state]:
            self._better, self._worse = 0, self._worse + 1
            if self._worse >= _WORSE_AFTER:
                self._settle(seen)
        elif _SEVERITY[seen] < _SEVERITY[self.state]:
            self._worse = 0
            if not self._better:
                self._better_since_ms = now_ms
            self._better += 1
            if self._better >= _BETTER_AFTER and now_ms - self._better_since_ms >= _BETTER_MS:
                self._settle(seen)
        else:
            self._worse = self._better = 0

    def fail(self) -> None:
        """A request that a duty waited for got no answer at all."""
        self.is_answering = False
        if self.state is not NodeState.WRONG_CHAIN:
            self._settle(NodeState.UNREACHABLE)

    def succeed(self, took_ms: float) -> None:
        """A request was answered; says nothing about the node's sync."""
        self.is_answering = True
        older = took_ms if not self.latency_ms else self.latency_ms
        self.latency_ms = older + _NEW_SHARE * (took_ms - older)

    def _settle(self, state: NodeState) -> None:
        self.state = state
        self._is_new = False
        self._worse = self._better = 0
