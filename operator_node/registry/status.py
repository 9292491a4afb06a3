"""Where the registry stands, for health, metrics and people.

Pure value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Self

from sdk.chain.follower import Point
from sdk.chain.logs import WITH_HISTORY
from sdk.types import BlockNumber, OperatorId, PublicKey

STALE_S: Final = 300
"""Age of the newest block from which on the registry counts as impaired. Duties go on."""
COUNTED: Final = (
    "steps",
    "changes",
    "oddities",
    "divergences",
    "rollbacks",
    "restarts",
    "failures",
    "proven",
    "unproven",
    "refuted",
    "gaps",
    "refused_exits",
    "differences",
    "mended",
)
"""What `RegistryStatus.counts` has."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A block whose logs a node gave otherwise than its receipts prove them.

    Attributes:
        node: without credentials.
        given: logs that it gave.
        proven: logs that there are.
    """

    block: BlockNumber
    node: str
    given: int
    proven: int


@dataclass(frozen=True, slots=True)
class ProofStatus:
    """How far the execution nodes' words are proven.

    Attributes:
        whole: first and last block of the newest stretch of which every block is proven.
        untied: why headers are not compared with the own beacon nodes; empty if they are.
        gaps: the last ones, repaired.
        trouble: what was last found wrong with a node, by its name.
    """

    whole: tuple[BlockNumber, BlockNumber] | None = None
    untied: str = ""
    gaps: tuple[Gap, ...] = ()
    trouble: Mapping[str, str] = field(default_factory=dict)


class SourceState(StrEnum):
    """How an execution node is, where there are several."""

    GOOD = "good"
    AWAY = "away"
    BEHIND = "behind"
    FORKED = "forked"
    WRONG_CHAIN = "wrong_chain"


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """One execution node.

    Attributes:
        name: without credentials.
        head: its newest block, None if it did not tell.
        problem: empty if it is good.
    """

    name: str
    state: SourceState
    head: int | None
    problem: str


@dataclass(frozen=True, slots=True)
class Difference:
    """What the contract says otherwise than the registry that was read; words of 32 bytes.

    Attributes:
        node: that said so, without credentials.
    """

    subject: str
    block: BlockNumber
    ours: bytes
    theirs: bytes
    node: str


@dataclass(frozen=True, slots=True)
class AuditStatus:
    """How far the registry that was read is known to be the contract's.

    Attributes:
        verified: newest block as of which that is so; None before the first round.
        missing: why it cannot be known; empty if it can.
        operators_missing: ids that must have been registered, and that no event tells of.
        left: subjects to compare until the round is over.
    """

    verified: BlockNumber | None = None
    differences: tuple[Difference, ...] = ()
    missing: str = ""
    operators_missing: int = 0
    left: int = 0


@dataclass(frozen=True, slots=True)
class RegistryStatus:
    """Where the registry stands.

    Attributes:
        tip: newest block applied.
        tip_time_s: its time, unix seconds; 0 if there is none.
        target: block to be reached, as far as known.
        operator_id: this operator's id, None while it is not registered.
        alarms: by validator, why its share cannot be used.
        counts: so far, by the names in `COUNTED`.
        proof: of what is read.
        audit: of what was read.
        sources: execution nodes one by one; empty if there is only one.
        exits_held: exits of own validators that are not told before they are proven.
    """

    tip: Point | None
    tip_time_s: int
    target: BlockNumber | None
    is_complete: bool
    operator_id: OperatorId | None
    alarms: Mapping[PublicKey, str]
    counts: Mapping[str, int]
    proof: ProofStatus = field(default_factory=ProofStatus)
    audit: AuditStatus = field(default_factory=AuditStatus)
    sources: tuple[SourceStatus, ...] = ()
    exits_held: int = 0

    @classmethod
    def nothing(cls) -> Self:
        """Before the registry is opened."""
        counts = dict.fromkeys(COUNTED, 0)
        return cls(None, 0, None, False, None, {}, counts)

    @property
    def gaps_found(self) -> int:
        """What a node gave wrong, and what the contract says otherwise."""
        return self.counts["gaps"] + self.counts["differences"]

    @property
    def gaps_repaired(self) -> int:
        """Of these, what is right by now."""
        return self.counts["gaps"] + self.counts["mended"]

    @property
    def problem(self) -> str:
        """What is not proven or not as it should be, in words; empty if all is well."""
        told = [f"{name} {what}" for name, what in sorted(self.proof.trouble.items())]
        bad = [each for each in self.sources if each.state is not SourceState.GOOD]
        told += [f"{each.name} is {each.state}: {each.problem}" for each in bad]
        differences = self.audit.differences
        if differences:
            first = differences[0]
            told.append(
                f"{len(differences)} of what was read differ from the contract at block "
                f"{first.block}, the first is {first.subject}"
            )
        if self.audit.operators_missing:
            told.append(
                f"the registrations of {self.audit.operators_missing} operators are missing from "
                f"the history that was read. {WITH_HISTORY}"
            )
        if self.exits_held:
            told.append(f"{self.exits_held} exits wait for the proof of their event")
        return "; ".join(told)

    @property
    def is_waiting_operator(self) -> bool:
        """All is read and this operator is not registered."""
        return self.is_complete and self.operator_id is None

    def is_stale(self, now_s: float) -> bool:
        """Whether the newest block is older than it should be."""
        return now_s - self.tip_time_s > STALE_S
