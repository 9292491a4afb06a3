"""The GraphQL schema: the entities' types, and the roots, filters and orders that follow from them.

Names are those that the existing subgraph's gateway derives: for each entity a root that finds one
by its id and one that lists, `<Entity>_filter`, `<Entity>_orderBy`, `Block_height`, `_meta`.

Source: docs/compatibility.md, "GraphQL".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from graphql import (
    GraphQLArgument,
    GraphQLArgumentMap,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLEnumValue,
    GraphQLField,
    GraphQLID,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLString,
    build_schema,
)

from indexer.graphql import filters
from indexer.graphql.entities import MODEL, Entity, Field
from indexer.graphql.resolvers import many_of, meta, of_field, one_of
from indexer.graphql.scalars import BIG_INT, BYTES

_PLAIN: Final[Mapping[str, Any]] = {
    "BigInt": BIG_INT,
    "Bytes": BYTES,
    "String": GraphQLString,
    "Boolean": GraphQLBoolean,
    "Int": GraphQLInt,
}
_DIRECTION: Final = GraphQLEnumType(
    "OrderDirection", {each: GraphQLEnumValue(each) for each in ("asc", "desc")}
)
_ERROR_POLICY: Final = GraphQLEnumType(
    "_SubgraphErrorPolicy_",
    {each: GraphQLEnumValue(each) for each in ("allow", "deny")},
    description="Taken for compatibility; nothing else.",
)
_HEIGHT: Final = GraphQLInputObjectType(
    "Block_height",
    {
        "hash": GraphQLInputField(BYTES),
        "number": GraphQLInputField(GraphQLInt),
        "number_gte": GraphQLInputField(GraphQLInt),
    },
    description="A block: by number, by hash, or the newest one if it is not older than a number.",
)
_CHANGED: Final = GraphQLInputObjectType(
    "BlockChangedFilter", {"number_gte": GraphQLInputField(GraphQLNonNull(GraphQLInt))}
)
_BLOCK: Final = GraphQLObjectType(
    "_Block_",
    {
        "hash": GraphQLField(BYTES),
        "number": GraphQLField(GraphQLNonNull(GraphQLInt)),
        "parentHash": GraphQLField(BYTES, description="Not kept, always null."),
        "timestamp": GraphQLField(GraphQLInt, description="Seconds of the unix epoch."),
    },
    description="A block; hash and timestamp are null for old blocks without logs.",
)
_META: Final = GraphQLObjectType(
    "_Meta_",
    {
        "block": GraphQLField(GraphQLNonNull(_BLOCK)),
        "deployment": GraphQLField(GraphQLNonNull(GraphQLString)),
        "hasIndexingErrors": GraphQLField(
            GraphQLNonNull(GraphQLBoolean), description="A log contradicts those before it."
        ),
    },
)


class _Types:
    """The types of the schema, each made once, referring to each other by name."""

    def __init__(self) -> None:
        text = "\n".join(MODEL.enums)
        known = build_schema(text).type_map if text else {}
        self.enums = {name: kind for name, kind in known.items() if name.endswith("Types")}
        self.filters = {each.name: self._filter(each) for each in MODEL.entities.values()}
        self.orders = {each.name: _order(each) for each in MODEL.entities.values()}
        self.objects = {each.name: self._object(each) for each in MODEL.entities.values()}

    def query(self) -> GraphQLObjectType:
        fields = {"_meta": GraphQLField(_META, {"block": GraphQLArgument(_HEIGHT)}, meta)}
        for each in MODEL.entities.values():
            found = self.objects[each.name]
            fields[each.singular] = GraphQLField(
                found, {"id": GraphQLArgument(GraphQLNonNull(GraphQLID)), **_common()}, one_of(each)
            )
            fields[each.plural] = GraphQLField(
                GraphQLNonNull(GraphQLList(GraphQLNonNull(found))),
                {**self._listing(each), **_common()},
                many_of(each),
            )
        return GraphQLObjectType("Query", fields)

    def _object(self, entity: Entity) -> GraphQLObjectType:
        def fields() -> dict[str, GraphQLField]:
            return {
                each.name: GraphQLField(
                    self._output(each),
                    self._arguments(each),
                    of_field(each),
                    description=each.description or None,
                )
                for each in entity.fields.values()
            }

        return GraphQLObjectType(entity.name, fields, description=entity.description)

    def _output(self, field: Field) -> GraphQLOutputType:
        """The type as the file writes it."""
        kind: Any = self._named(field)
        inner = field.type_text.removesuffix("!")
        if field.is_list:
            is_required = inner.strip("[]").endswith("!")
            kind = GraphQLList(GraphQLNonNull(kind) if is_required else kind)
        found: GraphQLOutputType = GraphQLNonNull(kind) if inner != field.type_text else kind
        return found

    def _named(self, field: Field) -> Any:
        if field.target is not None:
            return self.objects[field.target]
        return _PLAIN.get(field.named) or self.enums[field.named]

    def _arguments(self, field: Field) -> GraphQLArgumentMap:
        if field.target is None or not field.is_list:
            return {}
        arguments = self._listing(MODEL.entities[field.target])
        if field.derived_from is None:
            # What a list names has the list's own order.
            return {name: arguments[name] for name in ("first", "skip")}
        return arguments

    def _listing(self, entity: Entity) -> GraphQLArgumentMap:
        return {
            "first": GraphQLArgument(GraphQLInt, default_value=100),
            "skip": GraphQLArgument(GraphQLInt, default_value=0),
            "orderBy": GraphQLArgument(self.orders[entity.name]),
            "orderDirection": GraphQLArgument(_DIRECTION),
            "where": GraphQLArgument(self.filters[entity.name]),
        }

    def _filter(self, entity: Entity) -> GraphQLInputObjectType:
        def fields() -> dict[str, GraphQLInputField]:
            own = self.filters[entity.name]
            found = {each: GraphQLInputField(GraphQLList(own)) for each in ("and", "or")}
            if entity.is_event or "lastUpdateBlockNumber" in entity.fields:
                found[filters.CHANGED] = GraphQLInputField(_CHANGED)
            for field in entity.fields.values():
                if not filters.is_stored(field) or field.name == "shares":
                    continue
                if field.is_reference:
                    found[f"{field.name}_"] = GraphQLInputField(self.filters[field.named])
                for suffix in filters.suffixes(field):
                    name = f"{field.name}_{suffix}" if suffix else field.name
                    found[name] = GraphQLInputField(self._asked(field, suffix))
            return found

        return GraphQLInputObjectType(f"{entity.name}_filter", fields)

    def _asked(self, field: Field, suffix: str) -> GraphQLInputType:
        """References are named by text, as the subgraph has it."""
        is_text = field.target is not None
        one: Any = GraphQLString if is_text else self._named(field)
        is_many = field.is_list or suffix in ("in", "not_in")
        return GraphQLList(GraphQLNonNull(one)) if is_many else one


def _order(entity: Entity) -> GraphQLEnumType:
    names = [
        each.name
        for each in entity.fields.values()
        if filters.is_stored(each) and not each.is_list and each.name != "shares"
    ]
    return GraphQLEnumType(
        f"{entity.name}_orderBy", {each: GraphQLEnumValue(each) for each in names}
    )


def _common() -> GraphQLArgumentMap:
    return {
        "block": GraphQLArgument(_HEIGHT, description="The newest one unless stated."),
        "subgraphError": GraphQLArgument(GraphQLNonNull(_ERROR_POLICY), default_value="deny"),
    }


SCHEMA: Final = GraphQLSchema(_Types().query())
"""What can be asked."""
