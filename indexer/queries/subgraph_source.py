"""An entity of the existing subgraph as a query, and the names that it gives to clusters.

Source: docs/compatibility.md, "GraphQL".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from sqlalchemy import ColumnElement, Select, Subquery, Text, cast, func, select

from indexer.store.tables import block, log
from sdk.errors import InputError
from sdk.registry import cluster_id
from sdk.types import ClusterId, OperatorId, parse_address

Equal: TypeAlias = Callable[[Subquery, Sequence[Any]], ColumnElement[bool]]
"""The condition that a field is one of some values."""
MOST_ID: Final = 10**18 - 1
"""Every number of so many digits fits the column."""


@dataclass(frozen=True, slots=True)
class Source:
    """One entity as a query.

    Attributes:
        rows: with a column per field that is stored, and some of its own that begin with `_`.
        equal: faster ways to find rows by a field's value.
    """

    rows: Subquery
    equal: Mapping[str, Equal]


def made(statement: Select[Any], **equal: Equal) -> Source:
    """A source of a query that names its columns."""
    return Source(statement.subquery(), equal)


def last_update(table: Any, number: ColumnElement[int]) -> list[ColumnElement[Any]]:
    """Block, time and transaction of the log that made a version what it is."""
    seen = log.alias()
    return [
        number.label("lastUpdateBlockNumber"),
        select(block.c.timestamp_s)
        .where(block.c.number == number)
        .scalar_subquery()
        .label("lastUpdateBlockTimestamp"),
        select(seen.c.transaction_hash)
        .where(seen.c.block_number == table.valid_from, seen.c.log_index == table.log_index)
        .scalar_subquery()
        .label("lastUpdateTransactionHash"),
    ]


def parse_cluster_text(text: str) -> ClusterId | None:
    """The cluster that a text such as `0x…-1-2-3-4` names, None if it names none."""
    owner, *ids = text.split("-")
    if not ids or not all(is_id(each) for each in ids):
        return None
    try:
        address = parse_address(owner, strict=False)
    except InputError:
        return None
    return cluster_id(address, tuple(OperatorId(int(each)) for each in ids))


def written_cluster(table: Any) -> ColumnElement[str]:
    """The subgraph's name of a cluster, from columns with its owner and operators."""
    owner = func.encode(table.owner, "hex")
    listed = func.array_to_string(table.operator_ids, "-")
    return cast(func.concat("0x", owner, "-", listed), Text)


def is_id(text: str) -> bool:
    """Whether a text can be an operator's id."""
    return text.isascii() and text.isdecimal() and len(text) <= len(str(MOST_ID))


def cluster_is(rows: Subquery, values: Sequence[str]) -> ColumnElement[bool]:
    """Rows of some clusters, by their ids in `_cluster`."""
    return rows.c._cluster.in_(set(filter(None, map(parse_cluster_text, values))))
