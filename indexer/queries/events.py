"""Events with all their arguments, in the order of the chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, Select, select

from indexer.queries.reading import View
from indexer.queries.records import Cut, Listing, Page, asked_of, contains, one_of
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
    return _LIST.page(view, _asked(view, wanted), cut, sort="chain", descending=descending)


def count_events(view: View, wanted: EventFilter) -> int:
    """How many there are."""
    return _LIST.count(view, _asked(view, wanted))


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


def _asked(view: View, wanted: EventFilter) -> dict[str, Any]:
    asked = asked_of(wanted)
    names = asked.pop("names")
    if names is not None and len(set(names)) == 1:
        asked["name"] = names[0]  # the index of names has these in the order of the chain
    elif names is not None:
        asked["names"] = sorted(set(names))
    newest = asked["to_block"]
    return {**asked, "to_block": view.at if newest is None else min(view.at, newest)}


_COLUMNS = (
    *("block_number", "log_index", "block_hash", "transaction_hash", "transaction_index"),
    *("name", "undecodable", "args", "owner", "operator_ids", "cluster_id", "validator_key"),
    *("refusal", "nonce", "deposit_wei"),
)
SORTS: Final = {"chain": (log.c.block_number, log.c.log_index)}
"""The order of the list."""
_LIST: Final = Listing(
    lambda _: event_statement(),
    event_of,
    where={
        "name": lambda _, name: log.c.name == name,
        "names": lambda _, names: one_of(log.c.name, names.key),
        "owner": lambda _, owner: log.c.owner == owner,
        "operator_id": lambda _, number: contains(log.c.operator_ids, number),
        "cluster_id": lambda _, cluster_id: log.c.cluster_id == cluster_id,
        "validator_key": lambda _, key: log.c.validator_key == key,
        "transaction_hash": lambda _, transaction: log.c.transaction_hash == transaction,
        "from_block": lambda _, number: log.c.block_number >= number,
        "to_block": lambda _, number: log.c.block_number <= number,
        "is_refused": lambda _, flag: (
            log.c.refusal.is_not(None) if flag else log.c.refusal.is_(None)
        ),
    },
    sorts=SORTS,
)
