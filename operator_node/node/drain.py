"""Whether the operator wants no duty to begin: before an upgrade, a move, or to take a look.

Running duties go on to their end. It is forgotten with the process: a node that is started again
was wanted.

Source: docs/run-a-node.md, "Control".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from operator_node.duties import Reason

Quiet: TypeAlias = Callable[[int], tuple[Reason, str] | None]
WHY = "its operator told this node to begin no duties (phalanx node drain)"


class Drain:
    """Asked before every duty.

    Attributes:
        is_on: whether the operator wants that.
    """

    def __init__(self, otherwise: Quiet) -> None:
        """Not wanted.

        Args:
            otherwise: why a duty of a slot must not begin for other reasons.
        """
        self.is_on = False
        self._otherwise = otherwise

    def of(self, slot: int) -> tuple[Reason, str] | None:
        """Why a duty of this slot must not begin, None if it may."""
        other = self._otherwise(slot)
        return (Reason.DRAINED, WHY) if other is None and self.is_on else other
