"""How the indexer is doing: reorganisations followed, comparisons with the contract, doubts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on

from indexer.queries.reading import View
from indexer.store.tables import divergence, integrity, reorg, suspect
from sdk.types import BlockNumber

SHOWN: Final = 20
"""Entries of each list; the newest."""


@dataclass(frozen=True, slots=True)
class Reorg:
    """A reorganisation that was followed: blocks above `to` were taken back."""

    number: int
    from_block: BlockNumber
    to: BlockNumber
    to_hash: bytes
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Comparison:
    """The newest comparison of one kind with the contract's views."""

    kind: str
    block: BlockNumber
    compared: int
    mismatches: int
    checked_at: datetime


@dataclass(frozen=True, slots=True)
class Suspect:
    """Something that differs from the contract's views now."""

    kind: str
    subject: str
    block: BlockNumber
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class Divergence:
    """A log that contradicts those before it."""

    block: BlockNumber
    log_index: int
    aspect: str
    subject: str | None
    expected: str | None
    found: str | None


def reorgs(view: View) -> list[Reorg]:
    """The newest reorganisations, newest first."""
    rows = view.rows(select(reorg).order_by(reorg.c.id.desc()).limit(SHOWN))
    return [
        Reorg(row.id, BlockNumber(row.old_number), BlockNumber(row.number), row.hash, row.seen_at)
        for row in rows
    ]


def comparisons(view: View) -> list[Comparison]:
    """The newest comparison of every kind."""
    rows = view.rows(
        select(integrity)
        .ext(distinct_on(integrity.c.kind))
        .order_by(integrity.c.kind, integrity.c.block_number.desc())
    )
    return [
        Comparison(
            row.kind, BlockNumber(row.block_number), row.compared, row.mismatches, row.checked_at
        )
        for row in rows
    ]


def suspects(view: View) -> list[Suspect]:
    """What differs now."""
    rows = view.rows(select(suspect).order_by(suspect.c.kind, suspect.c.subject).limit(SHOWN))
    return [
        Suspect(row.kind, row.subject, BlockNumber(row.block_number), row.expected, row.found)
        for row in rows
    ]


def count_suspects(view: View) -> int:
    """How much differs now."""
    return view.number(select(func.count()).select_from(suspect))


def last_compared(view: View) -> BlockNumber | None:
    """The newest block at which anything was compared with the contract's views."""
    row = view.first(select(func.max(integrity.c.block_number).label("newest")))
    return None if row is None or row.newest is None else BlockNumber(row.newest)


def divergences(view: View) -> list[Divergence]:
    """The newest logs that contradict those before them."""
    rows = view.rows(
        select(divergence)
        .order_by(
            divergence.c.block_number.desc(), divergence.c.log_index.desc(), divergence.c.ordinal
        )
        .limit(SHOWN)
    )
    return [
        Divergence(
            BlockNumber(row.block_number),
            row.log_index,
            row.aspect,
            row.subject,
            row.expected,
            row.found,
        )
        for row in rows
    ]
