"""What a slashing record is complete up to, in the terms of the lease.

Pure. Source: docs/slashing.md, "Two instances and a lease".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Standing:
    """What a slashing record is complete up to.

    Attributes:
        term: the highest fencing number that was signed under with it; 0 without a lease so far.
        record_id: 32 hex digits; of the record that it was handed over from, until it is written
            to under a term of its own.
        sequence: how many transactions that one has seen.
    """

    term: int = 0
    record_id: str = ""
    sequence: int = 0


def read_standing(meta: Mapping[str, object], *, record_id: str, sequence: int) -> Standing:
    """The standing out of the facts of a record.

    Args:
        meta: the facts by name.
        record_id: the record's own.
        sequence: the record's own.
    """
    term = int(str(meta.get("lease_term", 0)))
    if inherited := str(meta.get("stands_for", "")):
        record_id, _, count = inherited.partition(" ")
        sequence = int(count)
    return Standing(term, record_id, sequence)


def own_term(term: int) -> dict[str, object]:
    """Facts of a record that is signed with under this fencing number."""
    return {"lease_term": term, "stands_for": ""}


def inherited(standing: Standing) -> dict[str, object]:
    """Facts of a record that was handed over."""
    return {
        "lease_term": standing.term,
        "stands_for": f"{standing.record_id} {standing.sequence}",
    }
