"""What the network is given and tells, as values.

Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from operator_node.p2p.scoring import PeerId
from sdk.types import OperatorId


@dataclass(frozen=True, slots=True)
class Operator:
    """This node's operator: who signs its address record, `sign` as of the operator key."""

    id: OperatorId
    sign: Callable[[bytes], bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class PeerStatus:
    """A connected peer.

    Attributes:
        operator: as its address record says, None if there is none.
        score: 0 or less.
        has_stream: whether messages go to it directly, too.
    """

    peer: PeerId
    operator: OperatorId | None
    score: float
    has_stream: bool
