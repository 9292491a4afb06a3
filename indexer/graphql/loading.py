"""Rows for one answer: what may be loaded, at which blocks, and how rows find their kin.

Everything happens in one read-only transaction. Rows that were loaded together are a `Group`; when
one of them is asked for what it refers to, the answer is fetched for all of them at once, so the
number of statements follows from the question and not from the data.

Source: docs/compatibility.md, "GraphQL".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from graphql import GraphQLError
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    LargeBinary,
    Select,
    Text,
    column,
    lateral,
    select,
    true,
    type_coerce,
    values,
)
from sqlalchemy.dialects.postgresql import ARRAY, array

from indexer.graphql.entities import MODEL, Entity, Field
from indexer.graphql.filters import condition, is_stored, sortable
from indexer.queries.errors import NotFound, Overloaded
from indexer.queries.reading import Block, View
from indexer.queries.subgraph import STATE, whitelisted
from indexer.queries.subgraph_events import event_source
from indexer.queries.subgraph_source import Source, parse_cluster_text
from indexer.store.tables import block
from sdk.types import BlockNumber

MOST_ENTITIES: Final = 20_000
"""In one answer; about 10 MB."""
MOST_STATEMENTS: Final = 60
MOST_SECONDS: Final = 10.0
"""Twice what one statement may take."""
MOST_FIRST: Final = 1_000
MOST_SKIP: Final = 5_000
"""As the existing subgraph's gateway has them."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Which part of a list, in which order.

    Attributes:
        where: as coerced by its input type.
        order: a stored field.
    """

    first: int = 100
    skip: int = 0
    where: Mapping[str, Any] | None = None
    order: str = "id"
    descending: bool = False

    def __post_init__(self) -> None:
        """Raises GraphQLError: `first` or `skip` is out of bounds."""
        for name, given, low, high in (
            ("first", self.first, 1, MOST_FIRST),
            ("skip", self.skip, 0, MOST_SKIP),
        ):
            if not low <= given <= high:
                raise GraphQLError(f"{name} must be between {low} and {high}, and is {given}")


@dataclass(slots=True)
class Group:
    """Rows loaded together, and what was found for all of them.

    Attributes:
        found: by what was asked.
    """

    view: View
    entity: Entity
    rows: list[Row] = field(default_factory=list)
    found: dict[Any, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """One entity; `data` has the stored fields that were asked for, and `id`."""

    data: Mapping[str, Any]
    group: Group


@dataclass(slots=True)
class Session:
    """One question.

    Attributes:
        newest: the tables at their newest block.
        now: seconds of a clock that never goes back.
    """

    newest: View
    now: Callable[[], float]
    _began: float = 0.0
    _entities: int = MOST_ENTITIES
    _statements: int = MOST_STATEMENTS

    def __post_init__(self) -> None:
        self._began = self.now()

    def at(self, height: Mapping[str, Any] | None) -> View:
        """The tables at the block that an argument `block` names.

        Raises:
            NotFound: it is not indexed.
            GraphQLError: it names no block, or more than one.
        """
        given = {name: value for name, value in (height or {}).items() if value is not None}
        if len(given) > 1:
            raise GraphQLError("block takes one of number, hash, number_gte")
        match given:
            case {"number": number}:
                return self._by_number(number)
            case {"number_gte": number} if number > self.newest.at:
                raise _not_indexed(number, self.newest)
            case {"hash": name}:
                self.spend()
                found = self.newest.first(select(block.c.number).where(block.c.hash == name))
                if found is None:
                    raise NotFound(
                        "no indexed block has this hash, or nothing is kept of it",
                        code="block_not_indexed",
                        hint="Ask by number: of old blocks without logs only numbers are known.",
                    )
                return self._by_number(found.number)
            case _:
                return self.newest

    def spend(self) -> None:
        """Pay for a statement.

        Raises:
            GraphQLError: too many.
            Overloaded: this question takes too long.
        """
        self._statements -= 1
        if self._statements < 0:
            raise GraphQLError(f"the query needs over {MOST_STATEMENTS} look-ups; ask in parts")
        if self.now() - self._began > MOST_SECONDS:
            raise Overloaded(f"the query takes longer than {MOST_SECONDS:.0f} s")

    def group(self, view: View, entity: Entity, rows: Iterable[Mapping[str, Any]]) -> Group:
        """Rows that belong together.

        Raises:
            GraphQLError: the answer would be too long.
        """
        group = Group(view, entity)
        group.rows.extend(Row(each, group) for each in rows)
        self._entities -= len(group.rows)
        if self._entities < 0:
            raise GraphQLError(
                f"the answer has more than {MOST_ENTITIES} entities; ask for fewer at a time"
            )
        return group

    def find(self, view: View, entity: Entity, asked: Iterable[str], cut: Cut) -> Group:
        """Part of a list."""
        source = source_of(view, entity)
        self.spend()
        rows = view.rows(_part(view, entity, source, asked, cut))
        return self.group(view, entity, (dict(each._mapping) for each in rows))

    def find_ids(
        self, view: View, entity: Entity, asked: Iterable[str], ids: Sequence[Any]
    ) -> dict[Any, Row]:
        """Those of some ids that exist, by id."""
        if not ids:
            return {}
        source = source_of(view, entity)
        fast = source.equal.get("id")
        is_one = source.rows.c.id.in_(set(ids)) if fast is None else fast(source.rows, ids)
        self.spend()
        rows = view.rows(
            select(*_columns(entity, source, asked)).where(is_one).limit(self._entities + 1)
        )
        group = self.group(view, entity, (dict(each._mapping) for each in rows))
        return {each.data["id"]: each for each in group.rows}

    def find_kin(
        self, group: Group, link: Field, asked: Iterable[str], cut: Cut
    ) -> dict[Any, list[Row]]:
        """What points back to the rows of a group, by their ids."""
        entity = MODEL.entities[link.named]
        source = source_of(group.view, entity)
        keys = {_key(link, each.data["id"]): each.data["id"] for each in group.rows}
        parents = _parents(link, list(keys))
        part = _part(group.view, entity, source, asked, cut, of=_points_to(source, link, parents))
        rows = self._laterally(group.view, parents, part)
        found = self.group(group.view, entity, (dict(each._mapping) for each in rows))
        kin: dict[Any, list[Row]] = {}
        for each in found.rows:
            kin.setdefault(keys[each.data["_whose"]], []).append(each)
        return kin

    def find_listed(self, group: Group, cut: Cut) -> dict[Any, list[bytes]]:
        """Addresses that the operators of a group list, by the operators' ids."""
        pairs = whitelisted(group.view)
        parents = _values(Text, [each.data["id"] for each in group.rows])
        part = (
            select(pairs.c.id)
            .where(pairs.c.parent == parents.c.parent)
            .order_by(pairs.c.id)
            .limit(cut.first)
            .offset(cut.skip)
        )
        kin: dict[Any, list[bytes]] = {}
        for each in self._laterally(group.view, parents, part):
            kin.setdefault(each._whose, []).append(each.id)
        return kin

    def _laterally(self, view: View, parents: Any, part: Select[Any]) -> list[Any]:
        self.spend()
        each = lateral(part).alias("each")
        return view.rows(
            select(*each.c, parents.c.parent.label("_whose"))
            .select_from(parents.join(each, true()))
            .limit(self._entities + 1)
        )

    def _by_number(self, number: int) -> View:
        position = self.newest.position
        if number == self.newest.at:
            return self.newest
        if not position.first_block <= number < self.newest.at:
            raise _not_indexed(number, self.newest)
        self.spend()
        statement = select(block.c.hash, block.c.timestamp_s).where(block.c.number == number)
        row = self.newest.first(statement)
        hash_, timestamp_s = (None, None) if row is None else (row.hash, row.timestamp_s)
        place = Block(BlockNumber(number), hash_, timestamp_s)
        return View(self.newest.connection, position, place)


def source_of(view: View, entity: Entity) -> Source:
    """The rows of an entity at a block."""
    made = STATE.get(entity.name)
    if made is not None:
        return made(view)
    kinds = {
        each.name: f"[{each.named}]" if each.is_list else each.named
        for each in entity.fields.values()
    }
    return event_source(view, entity.name, kinds)


def _columns(entity: Entity, source: Source, asked: Iterable[str]) -> list[Any]:
    wanted = {"id", *(name for name in asked if name in entity.fields)}
    return [source.rows.c[name] for name in sorted(wanted) if is_stored(entity.fields[name])]


def _part(
    view: View,
    entity: Entity,
    source: Source,
    asked: Iterable[str],
    cut: Cut,
    of: ColumnElement[bool] | None = None,
) -> Select[Any]:
    """The statement for part of a list; `of` says whose."""
    statement = select(*_columns(entity, source, asked))
    if of is not None:
        statement = statement.where(of)
    if cut.where:
        statement = statement.where(
            condition(
                entity,
                source,
                cut.where,
                lambda name: source_of(view, MODEL.entities[name]),
            )
        )
    order = [sortable(entity.fields[name], source.rows.c[name]) for name in (cut.order, "id")]
    ordered = [each.desc() if cut.descending else each.asc() for each in order]
    return statement.order_by(*ordered).limit(cut.first).offset(cut.skip)


def _key(link: Field, parent: Any) -> Any:
    """What the other side's column has for a row of this id."""
    match link.derived_from:
        case "operators":
            return int(parent)
        case "cluster":
            return parse_cluster_text(parent)
        case _:
            return parent


def _parents(link: Field, keys: Sequence[Any]) -> Any:
    return _values(BigInteger if link.derived_from == "operators" else LargeBinary, keys)


def _values(kind: Any, keys: Sequence[Any]) -> Any:
    return values(column("parent", kind), name="parents").data([(key,) for key in keys])


def _points_to(source: Source, link: Field, parents: Any) -> ColumnElement[bool]:
    parent: ColumnElement[Any] = parents.c.parent
    match link.derived_from:
        case "operators":
            listed = type_coerce(source.rows.c.operators, ARRAY(BigInteger))
            return listed.contains(array([parent]))
        case "cluster":
            return parent == source.rows.c._cluster
        case _:
            return parent == source.rows.c.owner


def _not_indexed(number: int, newest: View) -> NotFound:
    return NotFound(
        f"block {number} is not indexed; blocks {newest.position.first_block} to {newest.at} are",
        code="block_not_indexed",
    )
