"""What `where` may say of each field, and the condition that it means.

Pure. The suffixes are the existing subgraph's: `_not`, `_in`, `_not_in`, `_gt`, `_gte`, `_lt`,
`_lte`, for lists `_contains` and `_not_contains`, for a reference `_` with a filter of its own, and
`and`, `or`, `_change_block` beside the fields.

Source: docs/compatibility.md, "GraphQL".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import ge, gt, le, lt
from typing import Any, Final, TypeAlias

from graphql import GraphQLError
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    and_,
    false,
    not_,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import ARRAY

from indexer.graphql.entities import MODEL, Entity, Field
from indexer.graphql.scalars import read_bytes
from indexer.queries.subgraph_source import Source

MOST_VALUES: Final = 1_000
"""In one list of values; what one page can show."""
MOST_CONDITIONS: Final = 50
"""In one `where` with everything nested in it."""
_COMPARE: Final = {"gt": gt, "gte": ge, "lt": lt, "lte": le}
ORDERED: Final = tuple(_COMPARE)
PLAIN: Final = ("", "not", "in", "not_in")
LISTS: Final = ("", "not", "contains", "not_contains")
CHANGED: Final = "_change_block"

Sources: TypeAlias = Callable[[str], Source]
"""The source of an entity, by its name, at the block of the question."""


def suffixes(field: Field) -> tuple[str, ...]:
    """What can be asked of a field, as the end of its name in `where`."""
    if field.is_list:
        # Lists of addresses stand in the arguments of logs only, where no index knows them.
        return LISTS if field.named in ("BigInt", "Operator") else ()
    if field.named == "Boolean" or field.named.endswith("Types"):
        return PLAIN
    return PLAIN + ORDERED


def is_stored(field: Field) -> bool:
    """Whether the entity's source has a column of this name."""
    return (field.derived_from is None and field.named != "Account") or field.is_reference


def condition(
    entity: Entity, source: Source, where: Mapping[str, Any], sources: Sources
) -> ColumnElement[bool]:
    """What a `where` means.

    Args:
        entity: whose rows are wanted.
        source: those rows.
        where: as coerced by its input type.
        sources: of the other entities, for references.

    Raises:
        GraphQLError: more than `MOST_CONDITIONS`, or more than `MOST_VALUES` in a list.
    """
    if _size(where) > MOST_CONDITIONS:
        raise GraphQLError(f"where holds more than {MOST_CONDITIONS} conditions")
    return _all(entity, source, where, sources)


def _size(where: Mapping[str, Any]) -> int:
    nested = [each for value in where.values() for each in _filters_in(value)]
    return len(where) + sum(map(_size, nested))


def _filters_in(value: Any) -> list[Mapping[str, Any]]:
    values = value if isinstance(value, list) else [value]
    return [each for each in values if isinstance(each, Mapping)]


def _all(
    entity: Entity, source: Source, where: Mapping[str, Any], sources: Sources
) -> ColumnElement[bool]:
    return and_(true(), *(_one(entity, source, *each, sources) for each in where.items()))


def _one(
    entity: Entity, source: Source, key: str, value: Any, sources: Sources
) -> ColumnElement[bool]:
    if key in ("and", "or"):
        parts = [_all(entity, source, each, sources) for each in value or () if each]
        return and_(true(), *parts) if key == "and" or not parts else or_(*parts)
    if key == CHANGED:
        changed = "blockNumber" if entity.is_event else "lastUpdateBlockNumber"
        return source.rows.c[changed] >= value["number_gte"] if value else true()
    name = next(each for each in _prefixes(key) if each in entity.fields)
    field, suffix = entity.fields[name], key[len(name) + 1 :]
    if key == name + "_":
        return _nested(source, field, value, sources)
    if value is None:
        # Nothing here is ever missing.
        return true() if suffix.startswith("not") else false()
    if isinstance(value, list) and len(value) > MOST_VALUES:
        raise GraphQLError(f"{key} lists {len(value)} values; {MOST_VALUES} at most")
    if field.is_list:
        return _of_list(source, field, suffix, value)
    return _of_value(source, field, suffix, value)


def _prefixes(key: str) -> list[str]:
    """A key and all its beginnings that end before an underscore, the longest first."""
    parts = key.split("_")
    return ["_".join(parts[:count]) for count in range(len(parts), 0, -1)]


def _nested(source: Source, field: Field, value: Any, sources: Sources) -> ColumnElement[bool]:
    if not value:
        return true()
    target = MODEL.entities[field.named]
    theirs = sources(target.name)
    wanted = _all(target, theirs, value, sources)
    return source.rows.c[field.name].in_(select(theirs.rows.c.id).where(wanted))


def _of_value(source: Source, field: Field, suffix: str, value: Any) -> ColumnElement[bool]:
    column = source.rows.c[field.name]
    if suffix in PLAIN:
        values = [read(field, each) for each in (value if isinstance(value, list) else [value])]
        fast = source.equal.get(field.name)
        found = column.in_(set(values)) if fast is None else fast(source.rows, values)
        return not_(found) if suffix.startswith("not") else found
    compared: ColumnElement[bool] = _COMPARE[suffix](sortable(field, column), read(field, value))
    return compared


def _of_list(
    source: Source, field: Field, suffix: str, value: Sequence[Any]
) -> ColumnElement[bool]:
    column = type_coerce(source.rows.c[field.name], ARRAY(BigInteger))
    ids = [int(each) for each in value if str(each).isdecimal() and int(each) <= _MOST_ID]
    if len(ids) < len(value):
        return true() if suffix.startswith("not") else false()
    found = column.contains(ids) if suffix.endswith("contains") else column == ids
    return not_(found) if suffix.startswith("not") else found


def read(field: Field, value: Any) -> Any:
    """A value as the source's column has it: references to accounts are bytes there.

    Raises:
        GraphQLError: no hex.
    """
    is_account = field.named == "Account" and isinstance(value, str)
    return read_bytes(value) if is_account else value


def sortable(field: Field, column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Texts are compared byte by byte, whatever the database's language is."""
    is_text = field.named in ("String", "Cluster") or field.named.endswith("Types")
    return column.collate("C") if is_text else column


_MOST_ID: Final = 2**63 - 1
