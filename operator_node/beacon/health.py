"""How one beacon node is doing, judged so that a flapping one does not steal duties.

Pure: observations come in with their time. Worse needs two observations, or one failure of a
duty's request; better needs three good ones over a while. Of several observations that differ, the
one that changes least counts, so that one look alone never decides.

Source: Ethereum Beacon APIs, node/syncing; the thresholds are this node's own (BN-1).
"""

from __future__ import annotations

from typing import Final

from operator_node.beacon.types import NodeState

TOLERANCE_SLOTS: Final = 4
"""A node this far behind still answers for the slot it is asked about; unless configured."""
FAR_SLOTS: Final = 8
WORSE_AFTER: Final = 2
BETTER_AFTER: Final = 3
BETTER_MS: Final = 10_000
_STEP_MS: Final = 50
_NEW_SHARE: Final = 0.2
"""Weight of the newest latency in the mean."""
_STATES: Final = tuple(NodeState)
SEVERITY: Final = {state: place for place, state in enumerate(_STATES)}
"""0 is best."""


def judge(
    *,
    distance: int,
    is_optimistic: bool,
    is_execution_offline: bool,
    tolerance_slots: int = TOLERANCE_SLOTS,
) -> NodeState:
    """What a node's own account of its sync says.

    Args:
        distance: slots behind the clock.
        is_optimistic: its execution node has not confirmed the head.
        is_execution_offline: its execution node does not answer.
        tolerance_slots: distance up to which it counts as synced.
    """
    if is_optimistic or is_execution_offline:
        return NodeState.OPTIMISTIC
    if distance <= tolerance_slots:
        return NodeState.SYNCED
    return NodeState.LAGGING if distance <= FAR_SLOTS else NodeState.FAR


class Health:
    """The state of one beacon node.

    Attributes:
        state: as judged so far.
        is_answering: whether the last request was answered at all.
        latency_ms: recent mean.
    """

    def __init__(self) -> None:
        """Not looked at; the first look decides."""
        self.state = NodeState.UNREACHABLE
        self.is_answering = False
        self.latency_ms = 0.0
        self._is_new = True
        self._run = 0
        """Observations in a row on the same side of the state: worse if negative."""
        self._run_since_ms = 0
        self._least = NodeState.UNREACHABLE
        """Of the run, the one nearest to the state."""

    @property
    def rank(self) -> tuple[int, float]:
        """Lowest is best: by state, then by latency in steps, so that noise does not sort."""
        return SEVERITY[self.state], self.latency_ms // _STEP_MS

    def observe(self, seen: NodeState, now_ms: int) -> None:
        """Takes in what one look at the node showed."""
        self.is_answering = seen is not NodeState.UNREACHABLE
        if self._is_new or seen is NodeState.WRONG_CHAIN:
            self._settle(seen)
            return
        change = SEVERITY[seen] - SEVERITY[self.state]
        if not change:
            self._run = 0
        elif change > 0:
            self._extend(-1, min(seen, self._least, key=SEVERITY.__getitem__), seen, now_ms)
            if -self._run >= WORSE_AFTER:
                self._settle(self._least)
        else:
            self._extend(1, max(seen, self._least, key=SEVERITY.__getitem__), seen, now_ms)
            if self._run >= BETTER_AFTER and now_ms - self._run_since_ms >= BETTER_MS:
                self._settle(self._least)

    def fail(self, seen: NodeState = NodeState.UNREACHABLE) -> None:
        """A request that a duty waited for brought nothing.

        Args:
            seen: `UNREACHABLE` for no answer at all, `FAR` for one that no duty can use.
        """
        if seen is NodeState.UNREACHABLE:
            self.is_answering = False
        if self.state is NodeState.WRONG_CHAIN:
            return
        if self._is_new or SEVERITY[seen] >= SEVERITY[self.state]:
            self._settle(seen)

    def succeed(self, took_ms: float) -> None:
        """A request was answered; says nothing about the node's sync."""
        self.is_answering = True
        older = took_ms if not self.latency_ms else self.latency_ms
        self.latency_ms = older + _NEW_SHARE * (took_ms - older)

    def give_up(self, waited_ms: float) -> None:
        """Nobody waited longer for an answer: it is slower than this, if it comes at all."""
        if waited_ms > self.latency_ms:
            self.latency_ms += _NEW_SHARE * (waited_ms - self.latency_ms)

    def _extend(self, side: int, least: NodeState, seen: NodeState, now_ms: int) -> None:
        is_same_side = self._run * side > 0
        self._least = least if is_same_side else seen
        self._run = self._run + side if is_same_side else side
        if not is_same_side:
            self._run_since_ms = now_ms

    def _settle(self, state: NodeState) -> None:
        self.state = state
        self._is_new = False
        self._run = 0
