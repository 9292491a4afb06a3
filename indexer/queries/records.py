"""Rows as the records of `sdk.registry`, in which alone money is computed; pages of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any, Final, Generic, TypeAlias, TypeVar

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Row,
    Select,
    Table,
    any_,
    bindparam,
    func,
    literal,
    select,
    tuple_,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import ARRAY, array

from indexer.project.records import ACCOUNT, CLUSTER, NETWORK, OPERATOR, VALIDATOR, Shape
from indexer.queries.prepared import Moment, Prepared, given
from indexer.queries.reading import View
from indexer.store.tables import METADATA
from sdk.registry import Account, Cluster, Network, Operator, Validator

PAGE_LIMIT: Final = 500
"""Most entries of one page; a longer answer would keep others waiting."""

FORMS: Final = 200
"""Statements kept per list; people ask in a few of all possible forms."""
Form: TypeAlias = tuple[tuple[str, bool | Enum | None], ...]
"""What is asked; with its value where that stands in the statement."""
Condition: TypeAlias = Callable[[Moment, Any], ColumnElement[bool]]

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


class Listing(Generic[Record]):
    """A kind of list: its rows, how they can be filtered and sorted, and what a row says.

    Each combination of filters, order and direction is one prepared statement. Flags and words of
    closed lists stand in it, because partial indexes hang on them; all else is given.
    """

    def __init__(
        self,
        rows: Callable[[Moment], Select[Any]],
        read: Callable[[Any], Record],
        *,
        where: Mapping[str, Condition],
        sorts: Mapping[str, Sequence[ColumnElement[Any]]],
    ) -> None:
        """A kind of list.

        Args:
            rows: without conditions, order and limit.
            read: a row's record.
            where: the condition for each thing that can be asked, given its value.
            sorts: columns of each order; together they are unique, so no row is skipped or comes
                twice.
        """
        self._rows = rows
        self._read = read
        self._where = where
        self._sorts = sorts
        self._page = lru_cache(FORMS)(self._make_page)
        self._count = lru_cache(FORMS)(self._make_count)

    def page(
        self, view: View, asked: Mapping[str, Any], cut: Cut, *, sort: str, descending: bool
    ) -> Page[Record]:
        """One page in a stable order.

        Args:
            view: to read from.
            asked: values by what is asked, as in `where`; None is not asked.
            cut: which part.
            sort: which order.
            descending: the other way round.
        """
        form, values = _form(asked)
        statement = self._page(form, sort, descending, cut.after is not None)
        values |= {f"after_{place}": value for place, value in enumerate(cut.after or ())}
        # One more than asked for tells whether there is a next page.
        rows = view.ask(statement, **values, most=cut.limit + 1)
        shown = rows[: cut.limit]
        more = len(rows) > cut.limit and shown
        width = len(self._sorts[sort])
        return Page(
            entries=tuple(map(self._read, shown)),
            next=tuple(shown[-1][-width:]) if more else None,
        )

    def count(self, view: View, asked: Mapping[str, Any]) -> int:
        """How many there are."""
        form, values = _form(asked)
        return int(view.ask_first(self._count(form), **values)[0])

    def _make_page(self, form: Form, sort: str, descending: bool, goes_on: bool) -> Prepared:
        by = self._sorts[sort]

        def make(moment: Moment) -> Select[Any]:
            statement = self._filtered(moment, form)
            if goes_on:
                last = tuple_(
                    *(given(f"after_{place}", each.type) for place, each in enumerate(by))
                )
                statement = statement.where(
                    tuple_(*by) < last if descending else tuple_(*by) > last
                )
            places = [column.label(f"sort_{place}") for place, column in enumerate(by)]
            order = [column.desc() if descending else column.asc() for column in by]
            statement = statement.add_columns(*places).order_by(*order)
            return statement.limit(given("most", BigInteger()))

        return Prepared(make, is_planned_once=False)

    def _make_count(self, form: Form) -> Prepared:
        return Prepared(
            lambda moment: self._filtered(moment, form).with_only_columns(
                func.count(), maintain_column_froms=True
            ),
            is_planned_once=False,
        )

    def _filtered(self, moment: Moment, form: Form) -> Select[Any]:
        return self._rows(moment).where(
            *(
                self._where[name](moment, bindparam(name) if flag is None else flag)
                for name, flag in form
            )
        )


def asked_of(wanted: Any) -> dict[str, Any]:
    """What a filter asks, by the names of its fields."""
    return {name: getattr(wanted, name) for name in wanted.__slots__}


def _form(asked: Mapping[str, Any]) -> tuple[Form, dict[str, Any]]:
    """Which statement it takes, and what is given to it."""
    form: list[tuple[str, bool | Enum | None]] = []
    values = {}
    for name, value in asked.items():
        if isinstance(value, bool | Enum):
            form.append((name, value))
        elif value is not None:
            form.append((name, None))
            values[name] = list(value) if isinstance(value, tuple) else value
    return tuple(form), values


def contains(column: ColumnElement[Any], operator_id: Any) -> ColumnElement[bool]:
    """Whether a list of operators has one of them, as the index of lists can tell."""
    one = (
        given(operator_id.key, BigInteger())
        if isinstance(operator_id, BindParameter)
        else literal(operator_id, BigInteger())
    )
    return type_coerce(column, ARRAY(BigInteger)).contains(array([one]))


def one_of(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """Whether a column has one of the values that are given under a name."""
    return column == any_(given(name, ARRAY(column.type)))


def in_order(shape: Shape, *conditions: ColumnElement[bool]) -> Select[Any]:
    """A query for records of one kind."""
    return select(*columns_of(shape)).where(*conditions)
