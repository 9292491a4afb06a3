"""Lists by page number, and what the shapes of the v4 API want beside the records.

Pages by number count every row before them, so they end at `MOST_ROWS`; the lists of `/v1` do not.

Source: docs/compatibility.md, "/api/v4".
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    LargeBinary,
    Select,
    Table,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY

from indexer.project.records import Shape
from indexer.queries.reading import View
from indexer.queries.records import columns_of, record_of, table_of
from indexer.store.tables import (
    account_version,
    block,
    cluster_version,
    log,
    operator_version,
    validator_version,
    whitelist_version,
)
from sdk.errors import InputError
from sdk.types import OperatorId

MOST_PER_PAGE: Final = 100
MOST_ROWS: Final = 10_000
"""Up to the end of the last page; existing frontends never ask beyond either."""
MOST_LISTED: Final = 20_000
"""Addresses on the lists of one page of operators."""
Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class Part:
    """Which page.

    Raises:
        InputError: `page_out_of_bounds`.
    """

    page: int = 1
    per_page: int = 10

    def __post_init__(self) -> None:
        if (
            self.page < 1
            or not 1 <= self.per_page <= MOST_PER_PAGE
            or self.page * self.per_page > MOST_ROWS
        ):
            raise InputError(
                f"page {self.page} of {self.per_page} is out of bounds: perPage is 1 to "
                f"{MOST_PER_PAGE}, and page * perPage at most {MOST_ROWS}",
                code="page_out_of_bounds",
                hint="Filter more closely, or page through /v1 with cursors.",
            )


@dataclass(frozen=True, slots=True)
class Found(Generic[Record]):
    """One page, and how many there are on all."""

    entries: tuple[Record, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Dated(Generic[Record]):
    """A record with the block since which it is as it is."""

    record: Record
    changed: int


def page_of(
    view: View,
    shape: Shape,
    conditions: Iterable[ColumnElement[bool]],
    *,
    order: Sequence[ColumnElement[Any]],
    part: Part,
) -> Found[Dated[Any]]:
    """One page of records; `order` must leave no two rows equal."""
    table = table_of(shape)
    own = columns_of(shape)
    wanted = [view.holds(table), *conditions]
    statement = select(*own, table.c.valid_from).where(*wanted)
    rows = view.rows(_cut(statement, order, part))
    count = view.number(select(func.count()).select_from(table).where(*wanted))
    found = (Dated(record_of(shape, row), row.valid_from) for row in rows)
    return Found(tuple(found), count)


def rows_of(
    view: View,
    statement: Select[Any],
    *,
    order: Sequence[ColumnElement[Any]],
    part: Part,
    read: Callable[[Any], Record],
) -> Found[Record]:
    """One page of anything."""
    rows = view.rows(_cut(statement, order, part))
    count = view.number(select(func.count()).select_from(statement.order_by(None).subquery()))
    return Found(tuple(map(read, rows)), count)


def _cut(statement: Select[Any], order: Sequence[ColumnElement[Any]], part: Part) -> Select[Any]:
    skipped = (part.page - 1) * part.per_page
    return statement.order_by(*order).limit(part.per_page).offset(skipped)


def born(view: View, column: ColumnElement[Any], keys: Collection[Any]) -> dict[Any, int]:
    """The first block of each of some records, by a key column of their versions."""
    if not keys:
        return {}
    table: Any = column.table
    rows = view.rows(
        select(column.label("key"), func.min(table.c.valid_from).label("number"))
        .where(column.in_(set(keys)))
        .group_by(column)
    )
    return {row.key: row.number for row in rows}


def times(view: View, numbers: Collection[int]) -> dict[int, int]:
    """Seconds of the unix epoch of some blocks that have logs."""
    if not numbers:
        return {}
    rows = view.rows(
        select(block.c.number, block.c.timestamp_s).where(block.c.number.in_(set(numbers)))
    )
    return {row.number: row.timestamp_s for row in rows}


def whitelists(view: View, ids: Collection[OperatorId]) -> dict[OperatorId, list[bytes]]:
    """Addresses that some operators list, in order, at most `MOST_LISTED` on all."""
    table = whitelist_version.c
    rows = view.rows(
        select(table.operator_id, table.address)
        .where(view.holds(whitelist_version), table.operator_id.in_(set(ids)))
        .order_by(table.operator_id, table.address)
        .limit(MOST_LISTED)
    )
    found: dict[OperatorId, list[bytes]] = {}
    for row in rows:
        found.setdefault(OperatorId(row.operator_id), []).append(row.address)
    return found


def has_any(column: ColumnElement[Any], ids: Sequence[OperatorId]) -> ColumnElement[bool]:
    """Whether a list of operators has one of these, as the index of lists can tell."""
    listed = type_coerce(column, ARRAY(BigInteger))
    return or_(*(listed.contains([each]) for each in ids))


def of_clusters_with(view: View, ids: Sequence[OperatorId]) -> ColumnElement[bool]:
    """Whether a validator's cluster has one of these operators."""
    wanted = select(cluster_version.c.cluster_id).where(
        view.holds(cluster_version), has_any(cluster_version.c.operator_ids, ids)
    )
    return validator_version.c.cluster_id.in_(wanted)


def people(view: View) -> Select[Any]:
    """Accounts with what they have: owners of clusters or operators, and who set a recipient."""
    known, operator, cluster = account_version.c, operator_version.c, cluster_version.c
    live = (view.holds(operator_version), operator.removed_at.is_(None))
    named = union_all(
        select(
            known.owner.label("owner"),
            known.next_nonce.label("nonce"),
            known.fee_recipient.label("recipient"),
        ).where(view.holds(account_version)),
        select(operator.owner, literal(0), cast(null(), LargeBinary))
        .where(
            view.holds(operator_version),
            operator.owner.not_in(select(known.owner).where(view.holds(account_version))),
        )
        .distinct(),
    ).subquery()

    def own(value: ColumnElement[Any], table: Table, *conditions: Any) -> ColumnElement[int]:
        mine = (table.c.owner == named.c.owner, *conditions)
        return select(func.coalesce(value, 0)).where(*mine).scalar_subquery()

    held = view.holds(cluster_version)
    inner = select(
        *named.c,
        own(func.count(), operator_version, *live).label("operators"),
        own(func.count(), cluster_version, held).label("clusters"),
        own(func.sum(cluster.validator_count), cluster_version, held).label("validators"),
        own(func.sum(cluster.effective_balance_eth), cluster_version, held).label("eth"),
        own(func.sum(operator.effective_balance_eth), operator_version, *live).label("managed"),
    ).subquery()
    return select(*inner.c)


def validators_in_active_clusters(view: View, *, is_active: bool) -> int:
    """Registrations in clusters that run, or in liquidated ones."""
    table = cluster_version.c
    total = func.coalesce(func.sum(table.validator_count), 0)
    return view.number(
        select(total).where(view.holds(cluster_version), table.snapshot_active.is_(is_active))
    )


def keys_of_cluster(view: View, cluster_id: bytes) -> list[bytes]:
    """Public keys registered in a cluster, in order, at most `MOST_ROWS`."""
    table = validator_version.c
    rows = view.rows(
        select(table.public_key)
        .where(view.holds(validator_version), table.cluster_id == cluster_id)
        .order_by(table.public_key)
        .limit(MOST_ROWS)
    )
    return [row.public_key for row in rows]


def registration_log(view: View, owner: bytes, nonce: int) -> tuple[int, int, int] | None:
    """Block, place in it, and place of the transaction of a registration."""
    row = view.first(
        select(log.c.block_number, log.c.log_index, log.c.transaction_index).where(
            log.c.owner == owner, log.c.nonce == nonce
        )
    )
    return None if row is None else tuple(row)
