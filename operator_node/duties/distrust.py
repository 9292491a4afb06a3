"""Operators whose partial signatures did not verify of late, so that they delay nobody twice.

Pure. A liar that is quick sits in the first quorum of every validator of its committee, and finding
it out takes a search (`recover`). Whoever calls `recover_all` keeps this value from one call to the
next, and what it names is left for last there; no duty and no message is refused for it.

Source: docs/protocol.md, "Duties" (partial signatures).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from operator_node.duties.types import Recovered
from sdk.types import OperatorId, Slot

DISTRUST_SLOTS: Final = 32
"""An epoch on mainnet: so a liar is searched for once per epoch, and a repaired operator waits no
longer than that."""
DISTRUSTED_KEPT: Final = 1_024
"""More co-operators than a node has; only members of own committees are ever noted."""


@dataclass(frozen=True, slots=True)
class Distrust:
    """By operator, the slot in which it was last a culprit."""

    since: Mapping[OperatorId, Slot] = field(default_factory=dict)

    def noting(self, results: Iterable[Recovered], slot: Slot) -> Distrust:
        """With the culprits of these results; those of the longest ago make room."""
        culprits = {operator for result in results for operator in result.culprits}
        if not culprits:
            return self
        since = {**self.since, **dict.fromkeys(culprits, slot)}
        latest = sorted(since, key=since.__getitem__, reverse=True)[:DISTRUSTED_KEPT]
        return Distrust({operator: since[operator] for operator in latest})

    def at(self, slot: Slot) -> frozenset[OperatorId]:
        """Who is distrusted in a slot."""
        return frozenset(
            operator for operator, noted in self.since.items() if slot < noted + DISTRUST_SLOTS
        )
