"""What a consensus instance is given and what it asks for, as values.

Pure. Rounds are numbers here; seconds, signatures and sockets belong to whoever carries the
outputs out. An instance sees its own broadcasts like a peer's, when they come back as messages.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final, Protocol, TypeAlias

from msgspec import Struct

from operator_node.wire.committee import Committee
from operator_node.wire.faults import Complain
from operator_node.wire.generations import Generation
from operator_node.wire.messages import ConsensusMessage, Received, SignedMessage
from sdk.types import OperatorId

CUT_OFF_ROUND: Final = 12
"""Instances take no part from this round on (docs/protocol.md, "Timing")."""

Leader: TypeAlias = Callable[[int, int], OperatorId]
"""(height, round) → who proposes."""


class Verdict(Enum):
    """What a value check says of a value that it does not refuse."""

    VALID = auto()
    UNVOUCHED = auto()
    """Nothing speaks against it, but this node cannot see the chain: prepare only after f + 1
    others have prepared this very value, so that an honest one with a beacon node vouches."""


class CheckValue(Protocol):
    """Whether this node would sign what a value leads to; raises `ProtocolFault` if not."""

    def __call__(self, value: bytes, /) -> Verdict: ...


@dataclass(frozen=True, slots=True)
class Setup:
    """What stays the same for all instances of one identifier.

    Attributes:
        identifier: the 56-byte message id.
        verify: whether all operator signatures of a message hold; asked for messages inside
            justifications and for decided messages only, everything else was checked on arrival.
        generation: whose container limits and structural checks apply; a duty keeps the one that
            it began with.
        cut_off: round from which an instance takes no part.
    """

    committee: Committee
    me: OperatorId
    identifier: bytes
    leader: Leader
    check_value: CheckValue
    verify: Callable[[SignedMessage], bool]
    generation: Generation
    cut_off: int = CUT_OFF_ROUND


@dataclass(slots=True)
class State:
    """Everything an instance knows. Messages per round, in arrival order, one per signer set.

    `start_value` is None while this node has nothing to propose. Whoever stores a state and goes on
    from it later stores it before the broadcasts of that step leave the process: what this node
    voted for in which round is here and nowhere else. Needed to keep its word after a restart are
    the rounds, what is prepared with its proof (`adopted_proof`, or the prepares of that round),
    and the flags; the other messages only save time.
    """

    height: int
    round: int = 1
    start_value: bytes | None = None
    prepared_round: int = 0
    prepared_value: bytes = b""
    adopted_proof: tuple[bytes, ...] = ()
    """Encoded prepares, when it was another member's round change that told what is prepared."""
    proposal: Received | None = None
    """The proposal accepted for the current round."""
    decided: bool = False
    decided_value: bytes = b""
    stopped: bool = False
    own_proposal_round: int = 0
    """Round of this node's last proposal; 0 before the first, as in the next two."""
    own_prepare_round: int = 0
    own_commit_round: int = 0
    silent_until_round: int = 0
    """Nothing is sent in earlier rounds: this node may have voted there and has forgotten it."""
    is_prepare_held: bool = False
    """The accepted proposal is unvouched, and this node waits for others to prepare it."""
    proposals: dict[int, list[Received]] = field(default_factory=dict)
    prepares: dict[int, list[Received]] = field(default_factory=dict)
    commits: dict[int, list[Received]] = field(default_factory=dict)
    round_changes: dict[int, list[Received]] = field(default_factory=dict)


class Broadcast(Struct, frozen=True):
    """Sign this message with the operator key and publish it, to myself too."""

    body: ConsensusMessage
    full_data: bytes = b""


class Spread(Struct, frozen=True):
    """Publish a message that is complete: a decided message with its signatures.

    `to` is the operator that fell behind and needs it, None for everybody.
    """

    signed: SignedMessage
    to: OperatorId | None = None


class StartTimer(Struct, frozen=True):
    """The round began; call `expire(round)` when its time is over."""

    height: int
    round: int


class Decide(Struct, frozen=True):
    """The committee agreed; `decided` proves it. Returned once per height."""

    height: int
    round: int
    value: bytes
    decided: SignedMessage


Output: TypeAlias = Broadcast | Spread | StartTimer | Decide | Complain
