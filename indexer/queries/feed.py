"""What happened since a place in the chain, and whether what was told before still holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from sqlalchemy import ColumnElement, func, or_, select, tuple_

from indexer.queries.events import EventRow, event_of, event_statement
from indexer.queries.reading import View
from indexer.queries.records import contains
from indexer.store.tables import log, reorg
from sdk.types import Address, BlockNumber, ClusterId, OperatorId

BATCH: Final = 200
"""Events read at once; a subscriber that is behind gets one batch after the other."""
END_OF_BLOCK: Final = 2**31 - 1
"""No log has this index: everything of the block was told."""
NO_REORG: Final = -1
"""Of a client that does not say what it was told of; the newest is taken."""
_LIQUIDATIONS: Final = ("ClusterLiquidated", "ClusterReactivated")


@dataclass(frozen=True, slots=True)
class Place:
    """How far somebody was told.

    Attributes:
        block: of the last log told.
        log_index: its index.
        reorg: number of the last reorganisation that was told of.
    """

    block: BlockNumber
    log_index: int
    reorg: int


@dataclass(frozen=True, slots=True)
class Topics:
    """What somebody wants to hear; any of these."""

    events: bool = False
    blocks: bool = False
    liquidations: bool = False
    operators: frozenset[OperatorId] = field(default_factory=frozenset)
    clusters: frozenset[ClusterId] = field(default_factory=frozenset)
    owners: frozenset[Address] = field(default_factory=frozenset)
    validators: frozenset[bytes] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class News:
    """One read of the feed.

    Attributes:
        reverted_to: newest block that still holds, if something told before does not.
        is_unknown: the place is of other tables, so nothing told before can be relied on.
        events: in the order of the chain.
        place: how far this goes.
        more: there is more to read at once.
    """

    reverted_to: BlockNumber | None
    is_unknown: bool
    events: Sequence[EventRow]
    place: Place
    more: bool


def here(view: View) -> Place:
    """The place of somebody who was told everything up to the view's block."""
    newest = view.number(select(func.max(reorg.c.id)))
    return Place(view.at, END_OF_BLOCK, newest)


def news(view: View, topics: Topics, since: Place) -> News:
    """What happened since; the view must be of the newest block."""
    end = here(view)
    if since.reorg == NO_REORG:
        since = replace(since, reorg=end.reorg)
    if since.reorg > end.reorg:
        return News(None, is_unknown=True, events=(), place=end, more=False)
    lowest = view.first(select(func.min(reorg.c.number)).where(reorg.c.id > since.reorg))
    fork = None if lowest is None or lowest[0] is None else BlockNumber(lowest[0])
    reverted_to = fork if fork is not None and fork < since.block else None
    place = replace(since, reorg=end.reorg)
    if reverted_to is not None:
        place = replace(place, block=reverted_to, log_index=END_OF_BLOCK)
    rows = (
        view.rows(
            event_statement()
            .where(
                tuple_(log.c.block_number, log.c.log_index) > (place.block, place.log_index),
                log.c.block_number <= view.at,
                or_(*_conditions(topics)),
            )
            .order_by(log.c.block_number, log.c.log_index)
            .limit(BATCH)
        )
        if _conditions(topics)
        else []
    )
    found = list(map(event_of, rows))
    more = len(found) == BATCH
    if more:
        place = replace(place, block=found[-1].block, log_index=found[-1].log_index)
    elif end.block >= place.block:
        place = end
    return News(reverted_to, is_unknown=False, events=found, place=place, more=more)


def _conditions(topics: Topics) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if topics.events:
        found.append(log.c.block_number >= 0)
    if topics.liquidations:
        found.append(log.c.name.in_(_LIQUIDATIONS))
    if topics.clusters:
        found.append(log.c.cluster_id.in_(topics.clusters))
    if topics.owners:
        found.append(log.c.owner.in_(topics.owners))
    if topics.validators:
        found.append(log.c.validator_key.in_(topics.validators))
    found += [contains(log.c.operator_ids, each) for each in sorted(topics.operators)]
    return found
