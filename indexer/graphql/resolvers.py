"""From a field of a question to its rows: roots, references, lists of what points back.

Runs inside one `Session`, which is the context of the question. A reference of which only the id is
asked needs no look-up.

Source: docs/compatibility.md, "GraphQL".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any, Final, TypeAlias

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLResolveInfo,
    InlineFragmentNode,
    SelectionSetNode,
)
from sqlalchemy import exists, select

from indexer.graphql.entities import MODEL, Entity, Field
from indexer.graphql.loading import Cut, Group, Row, Session
from indexer.queries.subgraph_events import TOPICS_BYTES
from indexer.store.tables import divergence
from sdk.errors import InvariantBroken
from sdk.events import Undecodable, decode
from sdk.events.types import ValidatorAdded

Resolver: TypeAlias = Callable[..., Any]
Info: TypeAlias = GraphQLResolveInfo[Session]
_TOPIC_BYTES: Final = 32
_FRESH_ACCOUNT: Final = {
    "nonce": 0,
    "validatorCount": 0,
    "effectiveBalance": 0,
    "stakedAmount": 0,
    "unstakePendingAmount": 0,
}
"""Of an address that only a list names."""


def one_of(entity: Entity) -> Resolver:
    """The root that finds one by its id; null if there is none."""

    def resolve(_: Any, info: Info, **given: Any) -> Row | None:
        session = info.context
        view = session.at(given.get("block"))
        name = _id_of(entity, given["id"])
        found = session.find_ids(view, entity, _asked(info), [name])
        return next(iter(found.values()), None)

    return resolve


def many_of(entity: Entity) -> Resolver:
    """The root that lists them."""

    def resolve(_: Any, info: Info, **given: Any) -> list[Row]:
        session = info.context
        view = session.at(given.get("block"))
        return session.find(view, entity, _asked(info), _cut(given)).rows

    return resolve


def meta(_: Any, info: Info, block: Mapping[str, Any] | None = None) -> Any:
    """What the answer rests on; `hasIndexingErrors` if a log contradicts those before it."""
    session = info.context
    view = session.at(block)
    position = view.position
    session.spend()
    doubt = view.first(select(exists().where(divergence.c.block_number <= view.at)))
    return {
        "block": {
            "number": view.at,
            "hash": view.block.hash,
            "timestamp": view.block.timestamp_s,
            "parentHash": None,
        },
        "deployment": f"phalanx-{position.chain_id}-0x{position.contract.hex()}",
        "hasIndexingErrors": bool(doubt and doubt[0]),
    }


def of_field(field: Field) -> Resolver:
    """What finds a field of a row."""
    if field.derived_from is not None:
        return _kin(field)
    if field.named == "Account" and field.is_list:
        return _listed
    if field.target is not None:
        return _members if field.is_list else _reference(field)
    return _shares if field.name == "shares" else _stored(field)


def _stored(field: Field) -> Resolver:
    def resolve(row: Row, _: Info) -> Any:
        return row.data[field.name]

    return resolve


def _shares(row: Row, _: Info) -> bytes:
    """Out of the log of the registration."""
    raw = row.data["shares"]
    topics = [raw[start : start + _TOPIC_BYTES] for start in range(0, TOPICS_BYTES, _TOPIC_BYTES)]
    event = decode(topics, raw[TOPICS_BYTES:])
    if isinstance(event, Undecodable) or not isinstance(event, ValidatorAdded):
        raise InvariantBroken("a registration's log cannot be decoded again")
    return event.shares


def _reference(field: Field) -> Resolver:
    """The one entity that a field names; for all rows of the group at once."""
    target = MODEL.entities[field.named]

    def resolve(row: Row, info: Info) -> Row | None:
        group, asked = row.group, _asked(info)
        names = {each.data[field.name] for each in group.rows}
        found = _remembered(group, info, {}, lambda: _by_ids(info, group, target, asked, names))
        reached: Row | None = found.get(row.data[field.name])
        return reached

    return resolve


def _members(row: Row, info: Info, **given: Any) -> list[Row]:
    """The operators of a validator, in their order."""
    group, cut = row.group, _cut(given)
    ids = {
        str(each) for each in chain.from_iterable(other.data["operators"] for other in group.rows)
    }
    target, asked = MODEL.entities["Operator"], _asked(info)
    found = _remembered(group, info, given, lambda: _by_ids(info, group, target, asked, ids))
    mine = [found[str(each)] for each in row.data["operators"] if str(each) in found]
    return mine[cut.skip : cut.skip + cut.first]


def _listed(row: Row, info: Info, **given: Any) -> list[Row]:
    """The addresses on an operator's own list."""
    group, cut, asked = row.group, _cut(given), _asked(info)

    def load() -> tuple[dict[Any, list[bytes]], dict[Any, Row]]:
        listed = info.context.find_listed(group, cut)
        names = set(chain.from_iterable(listed.values()))
        return listed, _by_ids(info, group, MODEL.entities["Account"], asked, names)

    listed, found = _remembered(group, info, given, load)
    return [found[name] for name in listed.get(row.data["id"], ())]


def _kin(field: Field) -> Resolver:
    """What points back to a row; for all rows of the group at once."""

    def resolve(row: Row, info: Info, **given: Any) -> list[Row]:
        group, cut, asked = row.group, _cut(given), _asked(info)
        kin: dict[Any, list[Row]] = _remembered(
            group, info, given, lambda: info.context.find_kin(group, field, asked, cut)
        )
        return kin.get(row.data["id"], [])

    return resolve


def _by_ids(
    info: Info, group: Group, target: Entity, asked: set[str], names: set[Any]
) -> dict[Any, Row]:
    session = info.context
    ids = sorted(names)
    if asked <= {"id", "__typename"}:
        rows = session.group(group.view, target, ({"id": each} for each in ids)).rows
        return {each.data["id"]: each for each in rows}
    found = session.find_ids(group.view, target, asked, ids)
    if target.name == "Account":
        missing = (each for each in ids if each not in found)
        fresh = ({"id": each, "feeRecipient": each, **_FRESH_ACCOUNT} for each in missing)
        rows = session.group(group.view, target, fresh).rows
        found |= {each.data["id"]: each for each in rows}
    return found


def _remembered(group: Group, info: Info, given: Mapping[str, Any], load: Callable[[], Any]) -> Any:
    """What was found for the whole group under this name of the answer."""
    key = info.path.key, repr(sorted(given.items()))
    if key not in group.found:
        group.found[key] = load()
    return group.found[key]


def _id_of(entity: Entity, text: str) -> Any:
    named = entity.fields["id"].named
    return text if named == "String" else _bytes(text)


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text[2:] if text[:2] in ("0x", "0X") else text)
    except ValueError:
        raise GraphQLError("id takes hex here, as text") from None


def _cut(given: Mapping[str, Any]) -> Cut:
    return Cut(
        first=given.get("first", 100),
        skip=given.get("skip", 0),
        where=given.get("where"),
        order=given.get("orderBy") or "id",
        descending=given.get("orderDirection") == "desc",
    )


def _asked(info: Info) -> set[str]:
    """Names of the fields wanted of what a field leads to."""
    found: set[str] = set()
    pending = [node.selection_set for node in info.field_nodes]
    seen: set[str] = set()
    while pending:
        chosen = pending.pop()
        for each in chosen.selections if isinstance(chosen, SelectionSetNode) else ():
            match each:
                case FieldNode():
                    found.add(each.name.value)
                case InlineFragmentNode():
                    pending.append(each.selection_set)
                case FragmentSpreadNode() if each.name.value not in seen:
                    seen.add(each.name.value)
                    pending.append(info.fragments[each.name.value].selection_set)
    return found
