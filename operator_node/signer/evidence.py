"""Proof that signed data is slashable: pairs in a history that should not both exist.

Pure. Only tells; what is recorded stays recorded, and the strictest values count.
Source: docs/slashing.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from operator_node.signer.rules import AttestationGuard, Guard, History, Reason


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two signatures that together are slashable, or one that is invalid by itself.

    Attributes:
        reason: what `one` does to `other`.
        is_proven: both have a signing root. Without, one of them may be a mere bound, or both the
            same message.
    """

    reason: Reason
    one: Guard
    other: Guard | None = None

    @property
    def is_proven(self) -> bool:
        guards = (self.one, self.other)
        return all(guard is None or guard.signing_root is not None for guard in guards)


def find_contradictions(history: History) -> Iterator[Contradiction]:
    """Not every pair, but at least one exactly if some kept entries are slashable.

    Takes n log n steps, so a whole record is searched in seconds.
    """
    for block, later_block in pairwise(history.blocks.entries):
        if block.slot == later_block.slot:
            yield Contradiction(Reason.DOUBLE_BLOCK, later_block, block)
    votes = history.attestations.entries
    for vote in votes:
        if vote.source_epoch > vote.target_epoch:
            yield Contradiction(Reason.SOURCE_ABOVE_TARGET, vote)
    for vote, later in pairwise(votes):
        if vote.target_epoch == later.target_epoch:
            yield Contradiction(Reason.DOUBLE_VOTE, later, vote)
    yield from _surrounded(votes)


def _surrounded(votes: tuple[AttestationGuard, ...]) -> Iterator[Contradiction]:
    """Votes whose target is below that of one with a lower source."""
    widest: AttestationGuard | None = None
    for vote in sorted(votes, key=lambda vote: (vote.source_epoch, vote.target_epoch)):
        # In this order, an earlier vote with a higher target has a lower source.
        if widest is None or widest.target_epoch <= vote.target_epoch:
            widest = vote
        else:
            yield Contradiction(Reason.SURROUNDED_VOTE, vote, widest)
