"""Events with all their arguments, in the order of the chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select

from indexer.queries.reading import View
from indexer.queries.records import Cut, Page, contains, page
from indexer.store.tables import block, log
from sdk.types import Address, BlockNumber, ClusterId, OperatorId, Wei


@dataclass(frozen=True, slots=True)
class EventRow:
    """One log of the registry.

    Attributes:
        name: None for a log that is no event of the registry; then `undecodable` says why.
        args: by ABI name, without shares: numbers as decimal text, bytes as hex.
        refusal: why nodes do not act on this registration.
        nonce: owner nonce that it used up.
        deposit_wei: what a registration or reactivation paid in.
    """

    block: BlockNumber
    log_index: int
    block_hash: bytes
    timestamp_s: int | None
    transaction_hash: bytes
    transaction_index: int
    name: str | None
    undecodable: str | None
    args: Mapping[str, Any]
    owner: Address | None
    operator_ids: tuple[OperatorId, ...]
    cluster_id: ClusterId | None
    validator_key: bytes | None
    refusal: str | None
    nonce: int | None
    deposit_wei: Wei | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Which events; what is None is not asked. Both blocks are included."""

    names: Sequence[str] | None = None
    owner: Address | None = None
    operator_id: OperatorId | None = None
    cluster_id: ClusterId | None = None
    validator_key: bytes | None = None
    transaction_hash: bytes | None = None
    from_block: BlockNumber | None = None
    to_block: BlockNumber | None = None
    is_refused: bool | None = None


def events(view: View, wanted: EventFilter, cut: Cut, *, descending: bool = True) -> Page[EventRow]:
    """One page of the list, none newer than the view's block."""
    return page(
        view,
        event_statement().where(*_conditions(view, wanted)),
        by=(log.c.block_number, log.c.log_index),
        descending=descending,
        cut=cut,
        read=event_of,
    )


def count_events(view: View, wanted: EventFilter) -> int:
    """How many there are."""
    return view.number(select(func.count()).select_from(log).where(*_conditions(view, wanted)))


def event_statement() -> Select[Any]:
    """All that an `EventRow` needs; the bytes of a log stay where they are."""
    return select(
        *(log.c[name] for name in _COLUMNS),
        block.c.timestamp_s,
    ).select_from(log.outerjoin(block, block.c.number == log.c.block_number))


def event_of(row: Row[Any]) -> EventRow:
    """The event of a row."""
    return EventRow(
        block=BlockNumber(row.block_number),
        log_index=row.log_index,
        block_hash=row.block_hash,
        timestamp_s=row.timestamp_s,
        transaction_hash=row.transaction_hash,
        transaction_index=row.transaction_index,
        name=row.name,
        undecodable=row.undecodable,
        args=row.args or {},
        owner=None if row.owner is None else Address(row.owner),
        operator_ids=tuple(row.operator_ids or ()),
        cluster_id=None if row.cluster_id is None else ClusterId(row.cluster_id),
        validator_key=row.validator_key,
        refusal=row.refusal,
        nonce=row.nonce,
        deposit_wei=None if row.deposit_wei is None else Wei(row.deposit_wei),
    )


def _conditions(view: View, wanted: EventFilter) -> list[ColumnElement[bool]]:
    newest = view.at if wanted.to_block is None else min(view.at, wanted.to_block)
    found: list[ColumnElement[bool]] = [log.c.block_number <= newest]
    if wanted.names is not None:
        found.append(log.c.name.in_(set(wanted.names)))
    if wanted.owner is not None:
        found.append(log.c.owner == wanted.owner)
    if wanted.operator_id is not None:
        found.append(contains(log.c.operator_ids, wanted.operator_id))
    if wanted.cluster_id is not None:
        found.append(log.c.cluster_id == wanted.cluster_id)
    if wanted.validator_key is not None:
        found.append(log.c.validator_key == wanted.validator_key)
    if wanted.transaction_hash is not None:
        found.append(log.c.transaction_hash == wanted.transaction_hash)
    if wanted.from_block is not None:
        found.append(log.c.block_number >= wanted.from_block)
    if wanted.is_refused is not None:
        refusal = log.c.refusal
        found.append(refusal.is_not(None) if wanted.is_refused else refusal.is_(None))
    return found


_COLUMNS = (
    *("block_number", "log_index", "block_hash", "transaction_hash", "transaction_index"),
    *("name", "undecodable", "args", "owner", "operator_ids", "cluster_id", "validator_key"),
    *("refusal", "nonce", "deposit_wei"),
)
