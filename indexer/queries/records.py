"""Rows as the records of `sdk.registry`, in which alone money is computed; pages of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeAlias, TypeVar

from sqlalchemy import BigInteger, ColumnElement, Row, Select, Table, select, tuple_, type_coerce
from sqlalchemy.dialects.postgresql import ARRAY

from indexer.project.records import ACCOUNT, CLUSTER, NETWORK, OPERATOR, VALIDATOR, Shape
from indexer.queries.reading import View
from indexer.store.tables import METADATA
from sdk.registry import Account, Cluster, Network, Operator, Validator
from sdk.types import OperatorId

PAGE_LIMIT: Final = 500
"""Most entries of one page; a longer answer would keep others waiting."""

Record = TypeVar("Record")
PageKey: TypeAlias = tuple[int | bytes, ...]
"""Values of the sort columns of a page's last entry; the next page begins behind it."""


@dataclass(frozen=True, slots=True)
class Page(Generic[Record]):
    """Part of a list. `next` is where the next part begins, None at the end."""

    entries: tuple[Record, ...]
    next: PageKey | None


@dataclass(frozen=True, slots=True)
class Cut:
    """Which part of a list: at most `limit` entries behind `after`."""

    limit: int = 100
    after: PageKey | None = None


def columns_of(shape: Shape) -> list[Any]:
    """What to select so that `record_of` can read it."""
    return [table_of(shape).c[name] for name in shape.columns]


def table_of(shape: Shape) -> Table:
    """The table of a shape's versions."""
    return METADATA.tables[shape.table]


def record_of(shape: Shape, row: Sequence[Any]) -> Any:
    """The record of a row that begins with `columns_of`."""
    created: Any = shape.creation(tuple(row[: len(shape.columns)]))
    return created.after


def operator_of(row: Row[Any]) -> Operator:
    """The operator of such a row."""
    found: Operator = record_of(OPERATOR, row)
    return found


def cluster_of(row: Row[Any]) -> Cluster:
    """The cluster of such a row."""
    found: Cluster = record_of(CLUSTER, row)
    return found


def validator_of(row: Row[Any]) -> Validator:
    """The registration of such a row."""
    found: Validator = record_of(VALIDATOR, row)
    return found


def account_of(row: Row[Any]) -> Account:
    """The account of such a row."""
    found: Account = record_of(ACCOUNT, row)
    return found


def network_of(row: Row[Any]) -> Network:
    """The network of such a row."""
    found: Network = record_of(NETWORK, row)
    return found


def page(
    view: View,
    statement: Select[Any],
    *,
    by: Sequence[ColumnElement[Any]],
    descending: bool,
    cut: Cut,
    read: Callable[[Row[Any]], Record],
) -> Page[Record]:
    """One page of a list in a stable order.

    Args:
        view: to read from.
        statement: without order and limit.
        by: columns to sort by; together they are unique, so no row is skipped or comes twice.
        descending: the other way round.
        cut: which part.
        read: a row's record.
    """
    places = [column.label(f"_sort_{place}") for place, column in enumerate(by)]
    statement = statement.add_columns(*places)
    if cut.after is not None:
        last = tuple_(*cut.after)
        statement = statement.where(tuple_(*by) < last if descending else tuple_(*by) > last)
    order = [column.desc() if descending else column.asc() for column in by]
    # One more than asked for tells whether there is a next page.
    rows = view.rows(statement.order_by(*order).limit(cut.limit + 1))
    shown = rows[: cut.limit]
    more = len(rows) > cut.limit and shown
    return Page(
        entries=tuple(read(row) for row in shown),
        next=tuple(shown[-1][-len(by) :]) if more else None,
    )


def contains(column: ColumnElement[Any], operator_id: OperatorId) -> ColumnElement[bool]:
    """Whether a list of operators has one of them, as the index of lists can tell."""
    return type_coerce(column, ARRAY(BigInteger)).contains([operator_id])


def in_order(shape: Shape, *conditions: ColumnElement[bool]) -> Select[Any]:
    """A query for records of one kind."""
    return select(*columns_of(shape)).where(*conditions)
